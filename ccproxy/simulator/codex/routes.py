"""The endpoints under chatgpt.com/backend-api."""

from typing import Any

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from ccproxy.simulator.codex import catalogue, knobs, limits, rules, socket
from ccproxy.simulator.codex.backend import Call, Handler, endpoint, run
from ccproxy.simulator.codex.errors import Detail
from ccproxy.simulator.delivery import JsonAnswer, StreamAnswer
from ccproxy.simulator.ledger import entry_of
from ccproxy.simulator.openai.checking import read_object, validate
from ccproxy.simulator.openai.responses import compaction
from ccproxy.simulator.openai.responses_request import CompactRequest
from ccproxy.simulator.openai.responses_run import sse
from ccproxy.simulator.openai.responses_store import ResponseStore
from ccproxy.simulator.script import StreamError
from ccproxy.simulator.state import Simulator

BASE = "/backend-api/codex"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
COMPACT_FIELDS = frozenset(CompactRequest.model_fields) - {"previous_response_id"}


def routes(sim: Simulator) -> list[BaseRoute]:
    backend = _Codex(sim)
    sim.on_reset(lambda: knobs.reset(backend.knobs))
    table: list[tuple[str, str, Handler]] = [
        ("POST", f"{BASE}/responses", backend.create),
        ("POST", f"{BASE}/responses/compact", backend.compact),
        ("GET", f"{BASE}/models", backend.models),
    ]
    siblings: list[tuple[str, str, Handler]] = [
        ("GET", "/backend-api/wham/usage", backend.usage),
        ("GET", "/backend-api/wham/accounts/check", backend.accounts),
    ]
    found: list[BaseRoute] = [WebSocketRoute(f"{BASE}/responses", socket.connect(sim, backend.knobs))]
    for method, path, handler in table:
        found.append(Route(path, endpoint(sim, handler), methods=[method]))
    for method, path, handler in siblings:
        found.append(Route(path, endpoint(sim, handler, needs_originator=False), methods=[method]))
    return [
        *found,
        *knobs.routes(backend.knobs),
        Route("/backend-api/{path:path}", _nowhere, methods=METHODS),
    ]


class _Codex:
    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.knobs = knobs.Knobs()

    async def create(self, call: Call) -> Response:
        data = rules.check_create(read_object(call.body), call.caller)
        reply = run(self.sim, data, call.caller, call.body, ResponseStore())
        entry_of(call.request.scope).usage = reply.usage
        fault = reply.script.fault
        error = sse(reply.failure(fault.after if isinstance(fault, StreamError) else 0))
        headers = call.headers | {"openai-model": str(data["model"])}
        return StreamAnswer(reply.frames, error, reply.script, headers)

    async def compact(self, call: Call) -> Response:
        data = read_object(call.body)
        if "stream" in data:
            raise Detail(400, "Unsupported parameter: stream")
        checked = rules.check_prompt(data, call.caller)
        wanted = validate(CompactRequest, {k: v for k, v in checked.items() if k in COMPACT_FIELDS})
        catalogue.find(wanted.model)
        compacted = compaction(self.sim, ResponseStore(), wanted, call.body)
        return _json({"output": compacted["output"]}, call.headers)

    async def models(self, call: Call) -> Response:
        client_version = call.request.query_params.get("client_version")
        if not client_version:
            raise Detail(400, "client_version is required")
        body, etag = catalogue.listing(client_version)
        if call.request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=call.headers | {"etag": etag})
        return JsonAnswer(body, call.headers | {"etag": etag})

    async def usage(self, call: Call) -> Response:
        return _json(limits.usage(self.sim.tokens.clock(), call.caller.plan), call.headers)

    async def accounts(self, call: Call) -> Response:
        account = {
            "id": call.caller.account_id,
            "name": "Personal",
            "plan_type": call.caller.plan,
            "workspace_backend_origin": self.knobs.workspace_backend_origin,
            "account_routing_override": "NO_CONSTRAINT",
        }
        body = {"accounts": [account], "account_ordering": [call.caller.account_id]}
        return _json(body, call.headers)


def _json(value: Any, headers: dict[str, str]) -> Response:
    return JsonAnswer(msgspec.json.encode(value), headers)


async def _nowhere(request: Any) -> Response:
    return JsonAnswer(b'{"detail":"Not Found"}', {}, status=404)
