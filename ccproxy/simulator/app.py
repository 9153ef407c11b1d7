"""The simulator as one ASGI app: three upstreams on one port, and the control endpoints.

Mounted so that nothing clashes. `claude.base_url` is the root, `openai.base_url` is `/openai/v1`,
`codex.base_url` is `/backend-api/codex`.
"""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp

from ccproxy.simulator import anthropic, codex, oauth, openai
from ccproxy.simulator.ledger import CONTROL
from ccproxy.simulator.state import Simulator


def create_app(sim: Simulator | None = None) -> ASGIApp:
    """The app over `sim`, or over a fresh simulator. Every request but the control calls is in its ledger."""
    sim = sim or Simulator()
    # Anthropic's routes come last: they answer every path that nobody else has.
    upstreams = [route for part in (oauth, openai, codex, anthropic) for route in part.routes(sim)]
    return sim.ledger.record(Router([*_control(sim), *upstreams], redirect_slashes=False))


def _control(sim: Simulator) -> list[BaseRoute]:
    """`GET` and `DELETE /_simulator/requests`, `POST /_simulator/reset`, `GET /_simulator/health`."""

    async def requests(request: Request) -> Response:
        if request.method == "DELETE":
            sim.ledger.clear()
            return Response(status_code=204)
        return _json({"requests": [entry.as_json() for entry in sim.ledger]})

    async def reset(request: Request) -> Response:
        sim.reset()
        return Response(status_code=204)

    async def health(request: Request) -> Response:
        return _json({"status": "pass", "requests": len(sim.ledger)})

    return [
        Route(f"{CONTROL}requests", requests, methods=["GET", "DELETE"]),
        Route(f"{CONTROL}reset", reset, methods=["POST"]),
        Route(f"{CONTROL}health", health, methods=["GET"]),
    ]


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
