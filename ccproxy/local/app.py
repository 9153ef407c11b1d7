"""The app itself. Only the proxy may call it: it asks for a secret that is made anew for each process."""

import hmac
from collections.abc import Callable, Iterable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from ccproxy.agent.paths import ASK, TOOLS
from ccproxy.backends.backend import Backend
from ccproxy.codex.instructions import Instructions
from ccproxy.conversation.parts import JsonObject
from ccproxy.inspector.kept import Kept
from ccproxy.local.health import health, live, ready
from ccproxy.local.socket import bridge
from ccproxy.local.status import backend_status, switched_off
from ccproxy.local.usage import Usage
from ccproxy.routes import TABLE, BackendName
from ccproxy.version import ccproxy_version

BRIDGE_PATH = "/_bridge"
"""Where the router sends upgrades that are answered over HTTP."""

SECRET_HEADER = "x-ccproxy-secret"  # noqa: S105


class HealthResponse(JSONResponse):
    """Health as the IETF draft has it (draft-inadarei-api-health-check-06, read 2026-11-22)."""

    media_type = "application/health+json"


def make_app(
    backends: Mapping[BackendName, Backend],
    secret: str,
    usage: Usage,
    instructions: Instructions,
    agent: Callable[[], JsonObject] = dict,
    more: Iterable[BaseRoute] = (),
    kept: Kept | None = None,
    log: Callable[[], JsonObject | None] = lambda: None,
) -> ASGIApp:
    """The app for these backends, with `more` routes; `agent` is the status of what is behind `/sdk`,
    `kept` what is in memory of flows where they are kept, `log` the status of the access log if it is on.

    Without `secret` in its header a request gets a 403, except those of our own processes, which have tokens.
    """

    async def get_root(request: Request) -> Response:
        routes = [
            {"methods": row.methods, "path": row.pattern, "what": row.what}
            for row in TABLE
            if row.backend in (None, *backends)
        ]
        return JSONResponse({"name": "ccproxy", "version": ccproxy_version(), "routes": routes})

    async def get_health(request: Request) -> Response:
        report = await health(backends, instructions, kept, log())
        return HealthResponse(report, status_code=503 if report["status"] == "fail" else 200)

    async def get_live(request: Request) -> Response:
        return HealthResponse(live())

    async def get_ready(request: Request) -> Response:
        report = await ready(backends)
        return HealthResponse(report, status_code=503 if report["status"] == "fail" else 200)

    async def get_status(request: Request) -> Response:
        name = request.path_params["backend"]
        if name not in backends:
            return JSONResponse(switched_off(name))
        status = await backend_status(backends[name])
        more: dict[str, object] = {"instructions": instructions.status()} if name == "codex" else {}
        return JSONResponse({**status, **more, **(agent() if name == "sdk" else {})})

    async def get_quota(request: Request) -> Response:
        problems = await usage.ask() if request.query_params.get("ask") == "1" else {}
        return JSONResponse(usage.quota.as_json() | ({"problems": problems} if problems else {}))

    app = Starlette(
        routes=[
            Route("/", get_root),
            Route("/health", get_health),
            Route("/health/live", get_live),
            Route("/health/ready", get_ready),
            Route("/quota", get_quota),
            WebSocketRoute(BRIDGE_PATH, bridge()),
            *more,
            # the last, because others may end like it
            Route("/{backend}/status", get_status),
        ]
    )
    return SecretGuard(app, secret)


class SecretGuard:
    """Lets only the proxy in, and processes of ours where these are served."""

    def __init__(self, app: ASGIApp, secret: str) -> None:
        self.app = app
        self.secret = secret.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and scope["path"] not in (ASK, TOOLS):
            given = dict(scope["headers"]).get(SECRET_HEADER.encode(), b"")
            if not hmac.compare_digest(given, self.secret):
                await Response(status_code=403)(scope, receive, send)
                return
        await self.app(scope, receive, send)
