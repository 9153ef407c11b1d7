"""The gate: who may speak. It lets an exchange in or answers in its place; nothing later checks again."""

import asyncio
import base64
import contextlib
import hmac
import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from mitmproxy import http
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from ccproxy import failures
from ccproxy.addons.exchanges import exchange_of, refuse
from ccproxy.backends.target import Target
from ccproxy.exchange import Exchange
from ccproxy.failures import Failure
from ccproxy.formats import FormatName, utility
from ccproxy.routes import CALLBACK_PATHS, find, guess_format
from ccproxy.settings import Settings
from ccproxy.settings.kinds import is_loopback

CALLBACKS = frozenset(("GET", path) for path in CALLBACK_PATHS)

OPEN: frozenset[tuple[str, str]] = frozenset(
    (("GET", "/health/live"), ("HEAD", "/health/live"), ("HEAD", "/"), *CALLBACKS)
)
"""What may be asked without a token: a probe says nothing, and the callback is protected by its state."""

TOKEN_HEADERS = ("authorization", "x-api-key", "proxy-authorization")


class Gate:
    """Host, Origin, token and size, in that order, on both listeners."""

    name = "ccproxy_gate"

    def __init__(self, settings: Settings, own: Iterable[Target] = ()) -> None:
        self.own = {(target.host, target.port) for target in own}
        token = settings.security.auth_token
        self.token = token.get_secret_value().encode() if token else b""
        self.hosts = {
            host.lower().strip("[]") for host in (*settings.security.allowed_hosts, settings.server.host)
        }
        self.origins = {origin.rstrip("/").lower() for origin in settings.security.allowed_origins}
        self.policies = settings.intercept.hosts
        self.default_backend = settings.models.default_backend
        self.body_limit = settings.server.body_limit
        self.closed = False

    def http_connect(self, flow: http.HTTPFlow) -> None:
        """A tunnel is let in or not; what later comes through it has been let in with it."""
        self.requestheaders(flow)

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        if flow.is_replay:
            flow.response = replay_refused()
            return
        exchange = exchange_of(flow)
        if exchange is None:
            return
        exchange.client_format = self.format_of(flow.request, exchange)
        if failure := self.check(flow, exchange):
            refuse(flow, exchange, failure)
        elif exchange.door == "reverse" and is_preflight(flow.request):
            flow.response = preflight_response(flow.request)
        else:
            exchange.admitted = True

    def check(self, flow: http.HTTPFlow, exchange: Exchange) -> Failure | None:
        if self.closed:
            return failures.shutting_down()
        if not self.token and not is_loopback(flow.client_conn.peername[0]):
            return failures.stranger()
        if exchange.door == "tunnel":
            # whoever opened the tunnel has shown the token; a page in a browser may not use our credentials
            policy = self.policies.get(plain_host(flow.request.host), "observe")
            return None if policy == "observe" else self.check_origin(flow, exchange)
        if exchange.door == "proxy":
            return self.check_token(flow, exchange) or self.check_target(flow)
        return (
            self.check_host(flow)
            or self.check_origin(flow, exchange)
            or self.check_token(flow, exchange)
            or self.check_size(flow)
        )

    def check_host(self, flow: http.HTTPFlow) -> Failure | None:
        """A name that is not ours in the Host header is a rebound DNS name, or a mistake."""
        host = host_name(flow.request.host_header or "")
        if host in self.hosts or is_own_address(host, flow.client_conn.sockname[0]):
            return None
        return failures.host_not_allowed(host)

    def check_origin(self, flow: http.HTTPFlow, exchange: Exchange) -> Failure | None:
        """A browser says which page asks; only our own pages and those that the settings name may."""
        if (flow.request.method, flow.request.path.partition("?")[0]) in CALLBACKS:
            # the provider's page sends the browser back here; the callback's own state protects it
            return None
        origin = flow.request.headers.get("origin")
        if origin is not None:
            if not self.origin_allowed(origin, flow):
                return failures.origin_not_allowed(origin)
            exchange.origin = origin
            return None
        if flow.request.headers.get("sec-fetch-site", "none").lower() in ("none", "same-origin"):
            return None
        return failures.cross_site()

    def origin_allowed(self, origin: str, flow: http.HTTPFlow) -> bool:
        origin = origin.rstrip("/").lower()
        return origin in self.origins or urlsplit(origin).netloc == (flow.request.host_header or "").lower()

    def check_token(self, flow: http.HTTPFlow, exchange: Exchange) -> Failure | None:
        """Compare what came with our token; the header that matches is for us and goes no further."""
        if not self.token:
            return None
        path = flow.request.path.partition("?")[0]
        if exchange.door == "reverse" and ((flow.request.method, path) in OPEN or is_preflight(flow.request)):
            return None
        for name in TOKEN_HEADERS if exchange.door == "reverse" else ("proxy-authorization",):
            value = exchange.received_value(name)
            if value is not None and hmac.compare_digest(token_in(value), self.token):
                exchange.received = [header for header in exchange.received if header[0].lower() != name]
                return None
        return failures.unauthorized() if exchange.door == "reverse" else failures.proxy_unauthorized()

    def check_target(self, flow: http.HTTPFlow) -> Failure | None:
        """Through us another machine must not reach what listens on this one's loopback."""
        peer = flow.client_conn.peername[0]
        if is_loopback(peer) or not is_loopback(flow.request.host):
            return None
        return failures.target_not_allowed(flow.request.host)

    async def server_connect(self, data: ServerConnectionHookData) -> None:
        """The same for names: what they resolve to counts, not how they are written."""
        address = data.server.address
        if address is None or is_loopback(data.client.peername[0]) or (address[0], address[1]) in self.own:
            return
        with contextlib.suppress(OSError):
            found = await asyncio.get_running_loop().getaddrinfo(address[0], address[1])
            addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
            if any(entry.is_loopback or entry.is_unspecified for entry in addresses):
                data.server.error = failures.target_not_allowed(address[0]).message

    def check_size(self, flow: http.HTTPFlow) -> Failure | None:
        length = flow.request.headers.get("content-length", "")
        if length.isdigit() and int(length) > self.body_limit:
            return failures.body_too_large(self.body_limit)
        return None

    def format_of(self, request: http.Request, exchange: Exchange) -> FormatName:
        """The format that the client reads."""
        anthropic = "anthropic-version" in request.headers or exchange.received_value("x-api-key") is not None
        route = find(request.method, request.path, self.default_backend)
        if route is None:
            return guess_format(request.path, anthropic_headers=anthropic)
        if route.operation == "models":
            return "anthropic" if anthropic else "chat"
        return route.format


def replay_refused() -> http.Response:
    """A flow that is sent again holds masks where its credentials were; they must not reach a provider."""
    failure = failures.not_available("sending a stored flow again, because flows hold no credentials")
    return http.Response.make(failure.status, utility.body(failure, ""), {"content-type": "application/json"})


def plain_host(host: str) -> str:
    """A host name as the settings have it."""
    return host.lower().rstrip(".")


def is_preflight(request: http.Request) -> bool:
    """A browser that asks, without credentials, whether a page may send a request."""
    return request.method == "OPTIONS" and "access-control-request-method" in request.headers


def preflight_response(request: http.Request) -> http.Response:
    """What the Fetch standard wants to hear before a cross-origin request (read 2026-11-22)."""
    return http.Response.make(
        204,
        b"",
        {
            "access-control-allow-origin": request.headers.get("origin", ""),
            "access-control-allow-methods": request.headers["access-control-request-method"],
            "access-control-allow-headers": request.headers.get("access-control-request-headers", ""),
            "access-control-max-age": "600",
            "vary": "origin",
        },
    )


def host_name(header: str) -> str:
    """The name in a Host header, without port and brackets."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_own_address(host: str, sockname: str) -> bool:
    """Whether a literal address is the very one that the client has connected to."""
    try:
        return ipaddress.ip_address(host) == ipaddress.ip_address(sockname)
    except ValueError:
        return False


def token_in(value: str) -> bytes:
    """The token in a credential header: bearer, basic (password or user), or the bare value."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip().encode("latin-1")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(rest, validate=True).partition(b":")
            return password or user
        except ValueError:
            return b""
    return value.strip().encode("latin-1")
