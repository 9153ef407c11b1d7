"""The router: what a request is, and where it goes."""

from collections.abc import Mapping
from typing import Any

import msgspec
from mitmproxy import http

from ccproxy import failures
from ccproxy.addons.exchanges import drop, drop_ours, exchange_of, lower, refuse
from ccproxy.addons.gate import plain_host
from ccproxy.addons.models import models_path
from ccproxy.addons.upgrade import bridge, keep_upgrade, wants_socket
from ccproxy.backends.backend import Backend
from ccproxy.backends.target import Target
from ccproxy.codex.who import is_codex
from ccproxy.conversation.parts import Wire
from ccproxy.exchange import Exchange
from ccproxy.formats import FormatName, decompress
from ccproxy.local.app import BRIDGE_PATH
from ccproxy.routes import BACKENDS, WAITING, BackendName, Operation, find
from ccproxy.settings import Settings

INSPECTED: frozenset[Operation] = frozenset(("messages", "count_tokens", "chat", "responses"))
"""Operations whose body is a JSON object that we read."""

WIRES: dict[Operation, Wire] = {"messages": "anthropic", "chat": "chat", "responses": "responses"}
"""Operations that can be translated, and the format in which a client asks for them."""

HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "forwarded", "via")
)
"""Not for the upstream (RFC 9110, 7.6.1), besides `proxy-*` and `x-forwarded-*`."""

_ENDINGS: tuple[tuple[str, FormatName, Operation], ...] = (
    ("/messages", "anthropic", "messages"),
    ("/messages/count_tokens", "anthropic", "count_tokens"),
    ("/chat/completions", "chat", "chat"),
    ("/responses", "responses", "responses"),
)


class _Peek(msgspec.Struct):
    """The fields that we look at. Their types are the upstream's to judge."""

    model: Any = None
    stream: Any = None


_peek = msgspec.json.Decoder(_Peek)


class Router:
    """Sends requests to our own address by the routing table, intercepted ones by their host's policy."""

    name = "ccproxy_router"

    def __init__(self, settings: Settings, backends: Mapping[BackendName, Backend], local: Target) -> None:
        self.default_backend = settings.models.default_backend
        self.policies = settings.intercept.hosts
        self.body_limit = settings.server.body_limit
        self.backends = backends
        self.local = local
        self.sockets = settings.codex.websocket == "on"
        token = settings.security.auth_token
        self.token = token.get_secret_value() if token else None
        self.by_host = {host: backend for backend in backends.values() for host in backend.hosts}

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        exchange = exchange_of(flow)
        if exchange is None or not exchange.admitted or flow.response:
            return
        note_client(exchange, flow.request.headers)
        if exchange.door == "reverse":
            self.route(flow, exchange)
        elif exchange.door == "tunnel" and plain_host(flow.request.host) in self.policies:
            self.intercept(flow, exchange)
        else:
            pass_by(flow, exchange)

    def request(self, flow: http.HTTPFlow) -> None:
        """With the body there: what it asks for."""
        exchange = exchange_of(flow)
        if exchange is None or flow.response or exchange.operation not in INSPECTED or flow.request.stream:
            return
        body = readable(flow.request, exchange, self.body_limit)
        if body is None:
            return
        try:
            peek = _peek.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
            if exchange.policy == "attach":
                refuse(flow, exchange, failures.invalid_json(str(problem)))
            return
        exchange.model_requested = peek.model if isinstance(peek.model, str) else None
        exchange.stream = peek.stream is True

    def route(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        request = flow.request
        bare = request.path.partition("?")[0]
        if wants_socket(request):
            self.upgrade(flow, exchange)
            return
        route = find(request.method, request.path, self.default_backend)
        if route is None:
            refuse(flow, exchange, failures.unknown_route(request.method, bare))
            return
        exchange.operation, exchange.route, exchange.session = route.operation, route.label, route.session
        exchange.policy = "attach"
        if route.backend is None:
            exchange.patient = route.label in WAITING
            drop_ours(request.headers)
            point_at(request, exchange, self.local, route.path)
            return
        backend = self.backends.get(route.backend)
        if backend is None:
            refuse(flow, exchange, failures.not_available(f"{request.method} {route.label}"))
            return
        drop_headers(request.headers)
        self.to_backend(flow, exchange, backend, route.path)

    def upgrade(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        """A WebSocket on a Responses path: Codex talks to the plan's own, and for others there is a bridge.

        What cannot be is refused at once and in so many words: clients then go on over HTTP, where silence
        makes them wait.
        """
        request = flow.request
        bare = request.path.partition("?")[0]
        route = find("POST", request.path, self.default_backend)
        if route is None or route.operation != "responses" or not self.sockets:
            refuse(flow, exchange, failures.no_websocket(bare))
            return
        backend = self.backends.get(route.backend) if route.backend else None
        if backend is None:
            refuse(flow, exchange, failures.not_available(f"WebSocket {route.label}"))
            return
        exchange.policy, exchange.route, exchange.socket = "attach", route.label, True
        if backend.name == "codex" and is_codex(lower(request.headers)):
            drop_headers(request.headers)
            keep_upgrade(request.headers)
            self.to_backend(flow, exchange, backend, route.path)
        else:
            bridge(flow, exchange, request.path, self.token)
            point_at(request, exchange, self.local, BRIDGE_PATH)

    def to_backend(self, flow: http.HTTPFlow, exchange: Exchange, backend: Backend, path: str) -> None:
        """A request that one of our backends answers; untranslated it goes to `path` below its base URL."""
        request = flow.request
        exchange.backend = backend.name
        exchange.confidential = is_confidential(path.partition("?")[0])
        if is_login(path.partition("?")[0]):
            self.only_look(request, exchange)
        if exchange.operation == "models":
            path = models_path(request.headers, exchange, backend, path)
        exchange.wire = WIRES.get(exchange.operation)
        if backend.name == "codex" and "originator" not in request.headers:
            request.headers["originator"] = "ccproxy"
        point_at(request, exchange, backend.target, path)

    def intercept(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        """A request that its client meant for a provider. Observed ones are changed in nothing."""
        host, request = plain_host(flow.request.host), flow.request
        policy = self.policies[host]
        backend = self.by_host.get(host)
        bare = request.path.partition("?")[0]
        for ending, client_format, operation in _ENDINGS:
            if request.method == "POST" and bare.endswith(ending):
                exchange.client_format, exchange.operation = client_format, operation
        exchange.backend, exchange.route = backend.name if backend else None, f"https://{host}"
        exchange.upstream = host
        path = backend.path_below(request.path) if backend else None
        chosen = self.backends.get(policy) if policy in BACKENDS else backend
        exchange.socket = wants_socket(request) and bare.endswith("/responses")
        if exchange.socket and (not self.sockets or chosen is not backend):
            # another backend answers over HTTP only
            refuse(flow, exchange, failures.no_websocket(bare))
            return
        outside = path is None and (chosen is backend or exchange.operation not in WIRES)
        if policy == "observe" or is_login(bare) or outside:
            # what we only look at stays on its way, unless a stand-in for the provider runs on this machine
            self.only_look(request, exchange)
            if backend and backend.target.loopback:
                point_at(request, exchange, backend.target, path, request.path)
            return
        exchange.policy = "attach"
        if chosen is None:
            refuse(flow, exchange, failures.not_available(f"intercept.hosts {host} = {policy!r}"))
        elif chosen is backend or exchange.operation in WIRES:
            self.to_backend(flow, exchange, chosen, path or "")
        else:
            refuse(flow, exchange, failures.unknown_route(request.method, bare))

    def only_look(self, request: http.Request, exchange: Exchange) -> None:
        """Let it through as it is, with the client's own credential."""
        exchange.policy, exchange.cleared = "observe", True
        for_us = {"proxy-authorization"} if exchange.door == "tunnel" else {"proxy-authorization", "cookie"}
        exchange.attached = [header for header in exchange.received if header[0].lower() not in for_us]
        exchange.confidential = is_confidential(request.path.partition("?")[0])
        length = request.headers.get("content-length", "")
        # what is streamed is never in the flow
        request.stream = exchange.confidential or (length.isdigit() and int(length) > self.body_limit)


def point_at(
    request: http.Request, exchange: Exchange, target: Target, path: str | None, whole: str = ""
) -> None:
    """Point the request at an upstream: `path` is below its base URL, `whole` stands beside it."""
    # host and port by themselves: each setter of mitmproxy's rewrites the headers, as does the last line
    request.scheme, request.data.host, request.data.port = target.scheme, target.host, target.port
    request.path = whole if path is None else target.prefix + path
    if not request.is_http2:
        # to an upstream it is no proxy request any more
        request.authority = ""
    request.host_header = target.origin.partition("://")[2]
    exchange.upstream = target.host


def readable(request: http.Request, exchange: Exchange, limit: int) -> bytes | None:
    """The body without its compression; None when that cannot be undone, which by itself is no error."""
    encoding, body = request.headers.get("content-encoding", ""), request.raw_content or b""
    try:
        return decompress.whole(body, encoding, limit)
    except decompress.UnknownEncodingError:
        exchange.unreadable = failures.unsupported_encoding(encoding)
    except decompress.TooLargeError:
        exchange.unreadable = failures.body_too_large(limit)
    except ValueError:
        exchange.unreadable = failures.broken_encoding(encoding)
    return None


LOGINS = ("/oauth/", "/auth/session", "/deviceauth/")
"""Parts of paths under which clients log in with their own account (OAuth clients, read 2026-11-22)."""

CONFIDENTIAL = (*LOGINS, "/client_secrets", "/realtime/sessions", "/realtime/transcription_sessions")
"""Parts of paths whose bodies hold tokens (those and OpenAI's realtime reference, read 2026-11-22)."""


def is_login(path: str) -> bool:
    """Whether it is the client's own login that is meant, and not ours."""
    return any(part in path for part in LOGINS)


def is_confidential(path: str) -> bool:
    """Whether bodies hold tokens, so that nothing may keep them."""
    return any(part in path for part in CONFIDENTIAL)


def pass_by(flow: http.HTTPFlow, exchange: Exchange) -> None:
    """A plain HTTP request to a host that is not our business: through, unseen, as it comes."""
    exchange.policy, exchange.upstream, exchange.cleared = "relay", flow.request.host, True
    exchange.attached = [header for header in exchange.received if header[0].lower() != "proxy-authorization"]
    flow.request.headers.pop("proxy-connection", None)
    flow.request.stream = True


def note_client(exchange: Exchange, headers: http.Headers) -> None:
    """Who asks, as clients say it (Claude Code's gateway protocol, read 2026-11-22)."""
    exchange.client = headers.get("user-agent")
    exchange.session_id = headers.get("x-claude-code-session-id")
    exchange.agent_id = headers.get("x-claude-code-agent-id")


def drop_headers(headers: http.Headers) -> None:
    """Take off what is between the client and us."""
    drop(headers, lambda name: name in HOP_BY_HOP or name.startswith(("proxy-", "x-forwarded-")))
