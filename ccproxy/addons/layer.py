"""Our own HTTP stream: the only file that leans on mitmproxy's protocol layers.

Stock mitmproxy answers a dead upstream with an HTML page, lets a silent one hang, and sends whatever headers
the flow shows. Here

* every failure of ours ends as JSON in the client's format, or as the last event of a stream (`fail`),
* a watch per client connection ends exchanges whose upstream is silent (`Tick`),
* credentials are put on at the wire, so that the flow never holds one (`seal`).

A stream of mitmproxy is a generator of commands. Between two blocking commands nothing else runs, which is
why the copy with the real headers can stand in the flow while the message is written, and nowhere else.
"""

import time
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from mitmproxy import ctx, flow, http
from mitmproxy.connection import Server
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import (
    DropStream,
    HttpLayer,
    HTTPMode,
    HttpStream,
    RegisterHttpConnection,
    SendHttp,
    validate_request,
)
from mitmproxy.proxy.layers.http._base import HttpEvent, StreamId
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestData,
    RequestHeaders,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._hooks import HttpErrorHook, HttpRequestHeadersHook
from mitmproxy.proxy.mode_specs import RegularMode

from ccproxy import failures
from ccproxy.addons.exchanges import begin, error_response
from ccproxy.addons.seal import REQUEST_SECRETS, RESPONSE_SECRETS, seal, unsealed
from ccproxy.exchange import Door, Exchange
from ccproxy.failures import Failure
from ccproxy.settings.kinds import is_loopback

CONNECT_TIMEOUT = 30.0
"""Seconds to open a connection to an upstream, TLS included."""

TLS_FAILED = "TLS: "
"""Marks why a connection failed although the upstream had accepted it."""


@dataclass(frozen=True)
class Limits:
    """What a stream may use: bytes of a request body that we hold, seconds of silence from an upstream.

    After `keepalive` seconds of silence the client of a translated stream gets a sign of life.
    """

    body: int
    idle: float
    keepalive: float = 15.0

    @property
    def connect(self) -> float:
        return min(CONNECT_TIMEOUT, self.idle)

    @property
    def tick(self) -> float:
        return max(0.05, min(self.idle, self.keepalive, CONNECT_TIMEOUT) / 8)


@runtime_checkable
class Closable(Protocol):
    """A stream callable that can end its stream with an error of ours."""

    def closing(self, failure: Failure, request_id: str) -> list[bytes]: ...


@runtime_checkable
class Pingable(Protocol):
    """A stream callable that can say that it lives."""

    def ping(self) -> list[bytes]: ...


@dataclass
class Tick(HttpEvent):
    """Time has passed."""

    def __init__(self, stream_id: StreamId) -> None:
        self.stream_id = stream_id


class Stream(HttpStream):
    """One request and its answer."""

    exchange: Exchange

    def __init__(self, context: Context, stream_id: int, limits: Limits) -> None:
        super().__init__(context, stream_id)
        self.limits = limits
        self.heard = self.pinged = time.monotonic()
        self.sealed: http.Request | None = None

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, Tick):
            yield from self.keep_alive()
            yield from self.check_silence()
            return
        if isinstance(event, (ResponseHeaders, ResponseData)):
            self.heard = time.monotonic()
        yield from super()._handle_event(event)

    # --- the request

    def state_wait_for_request_headers(self, event: RequestHeaders) -> layer.CommandGenerator[None]:
        its_flow = event.replay_flow or http.HTTPFlow(self.context.client, self.context.server)
        self.exchange = Exchange(self.door(event.request), event.request.method, event.request.path)
        self.exchange.received = seal(event.request, REQUEST_SECRETS)
        begin(its_flow, self.exchange)
        yield from super().state_wait_for_request_headers(
            RequestHeaders(event.stream_id, event.request, event.end_stream, its_flow)
        )

    def door(self, request: http.Request) -> Door:
        """How this request came in; an origin-form request to the proxy listener is meant for ourselves."""
        if not isinstance(self.context.client.proxy_mode, RegularMode):
            return "reverse"
        if self.mode is HTTPMode.transparent:
            return "tunnel"
        if request.method == "CONNECT":
            return "proxy"
        return "proxy" if request.authority and not is_ours(request.host, request.port) else "reverse"

    def check_body_size(self, request: bool) -> layer.CommandGenerator[bool]:
        if not request or self.flow.request.stream:
            return False
        if self.flow.response:
            # refused by its headers: answer at once, the rest of the body is not kept
            yield from self.answer()
            return True
        if len(self.request_body_buf) > self.limits.body:
            yield from self.fail(failures.body_too_large(self.limits.body))
            return True
        return False

    def state_consume_request_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, RequestData):
            self.exchange.bytes_in += len(event.data)
        yield from super().state_consume_request_body(event)
        self.reseal()

    def start_request_stream(self) -> layer.CommandGenerator[None]:
        yield from super().start_request_stream()
        self.reseal()

    def make_server_connection(self) -> layer.CommandGenerator[bool]:
        """Connect, and put the real headers on; whoever called writes the request next, then reseals."""
        if not self.exchange.cleared:
            # a stage before us raised: what was not let in and authorised does not go out
            yield from self.fail(failures.internal_error())
            return False
        if not (yield from super().make_server_connection()):
            return False
        self.heard = self.exchange.sent = time.monotonic()
        self.sealed = self.flow.request
        self.flow.request = unsealed(self.sealed, REQUEST_SECRETS, self.exchange.attached)
        return True

    def reseal(self) -> None:
        if self.sealed:
            self.flow.request, self.sealed = self.sealed, None

    # --- the answer

    def state_wait_for_response_headers(self, event: ResponseHeaders) -> layer.CommandGenerator[None]:
        self.exchange.cookies = seal(event.response, RESPONSE_SECRETS)
        if self.exchange.cookies:
            # the path that writes the headers in one go with the real cookies is that of a streamed answer
            event.end_stream = False
        yield from super().state_wait_for_response_headers(event)

    def start_response_stream(self) -> layer.CommandGenerator[None]:
        sealed = self.flow.response
        if sealed and self.exchange.cookies:
            self.flow.response = unsealed(sealed, RESPONSE_SECRETS, self.exchange.cookies)
        yield from super().start_response_stream()
        self.flow.response = sealed

    # --- failures

    def keep_alive(self) -> layer.CommandGenerator[None]:
        """A sign of life to the client of a stream that we write ourselves."""
        stream: object = self.flow.response.stream if self.flow.response else None
        if self.server_state != self.state_stream_response_body or not isinstance(stream, Pingable):
            return
        now = time.monotonic()
        if now - max(self.heard, self.pinged) >= self.limits.keepalive:
            self.pinged = now
            for piece in stream.ping():
                yield SendHttp(ResponseData(self.stream_id, piece), self.context.client)

    def check_silence(self) -> layer.CommandGenerator[None]:
        waiting = (
            self.state_wait_for_response_headers,
            self.state_consume_response_body,
            self.state_stream_response_body,
        )
        if (
            self.exchange.sent is None
            or self.server_state not in waiting
            or self.client_state != self.state_done
        ):
            return
        if time.monotonic() - self.heard < self.limits.idle:
            return
        yield SendHttp(
            RequestProtocolError(self.stream_id, "upstream is silent", ErrorCode.CANCEL), self.context.server
        )
        yield from self.fail(failures.upstream_timeout(self.flow.request.host, self.limits.idle))

    def handle_protocol_error(
        self, event: RequestProtocolError | ResponseProtocolError
    ) -> layer.CommandGenerator[None]:
        over = (self.state_done, self.state_errored)
        if (
            isinstance(event, RequestProtocolError)
            or self.server_state in over
            or self.client_state == self.state_errored
        ):
            yield from super().handle_protocol_error(event)
        else:
            yield from self.fail(self.failure_for(event))

    def failure_for(self, event: ResponseProtocolError) -> Failure:
        host = self.flow.request.host
        if event.code is ErrorCode.CONNECT_FAILED:
            return connect_failure(host, event.message)
        if self.server_state == self.state_wait_for_response_headers:
            if "closed" in event.message or "GOAWAY" in event.message or "reset" in event.message:
                return failures.upstream_closed(host)
            return failures.upstream_invalid(host)
        return failures.upstream_cut(host)

    def check_invalid(self, request: bool) -> layer.CommandGenerator[bool]:
        if not request:
            return (yield from super().check_invalid(request))
        problem = validate_request(
            self.mode, self.flow.request, self.context.options.validate_inbound_headers
        )
        if problem is None:
            return False
        # a look by the other stages first: they find out whose format to speak
        yield HttpRequestHeadersHook(self.flow)
        yield from self.fail(failures.invalid_http(problem.split(",")[0].removeprefix("Received ")))
        return True

    def fail(self, failure: Failure) -> layer.CommandGenerator[None]:
        """End this exchange with an error of ours, in whatever way the client can still be told."""
        self.exchange.failure = failure
        if self.server_state != self.state_stream_response_body:
            self.flow.response = error_response(self.exchange, failure)
            if failure.code == "invalid_http" and not self.flow.request.is_http2:
                # where the next request would begin is anybody's guess
                self.flow.response.headers["connection"] = "close"
            yield from self.answer()
            return
        self.flow.error = flow.Error(failure.message)
        yield HttpErrorHook(self.flow)
        stream: object = self.flow.response.stream if self.flow.response else None
        closing = stream.closing(failure, self.exchange.id) if isinstance(stream, Closable) else []
        if closing:
            for piece in closing:
                yield SendHttp(ResponseData(self.stream_id, piece), self.context.client)
            yield SendHttp(ResponseEndOfMessage(self.stream_id), self.context.client)
        else:
            # in the middle of something nothing can be said: break off, as the upstream did
            yield SendHttp(
                ResponseProtocolError(self.stream_id, failure.message, ErrorCode.GENERIC_SERVER_ERROR),
                self.context.client,
            )
        yield from self.end()

    def answer(self) -> layer.CommandGenerator[None]:
        """Send `flow.response`, even while the request's body is still coming in."""
        early = self.client_state != self.state_done
        yield from self.send_response()
        if early:
            yield SendHttp(ResponseEndOfMessage(self.stream_id), self.context.client)
        yield from self.end()

    def end(self) -> layer.CommandGenerator[None]:
        self.flow.live = False
        self.client_state = self.server_state = self.state_errored
        yield DropStream(self.stream_id)


class Layer(HttpLayer):
    """mitmproxy's HTTP layer with our streams, and one clock for all of them."""

    def __init__(self, context: Context, mode: HTTPMode, limits: Limits) -> None:
        super().__init__(context, mode)
        self.limits = limits
        self.alarm: commands.RequestWakeup | None = None

    def make_stream(self, stream_id: int) -> layer.CommandGenerator[None]:
        self.streams[stream_id] = Stream(self.context.fork(), stream_id, self.limits)
        yield from self.event_to_child(self.streams[stream_id], events.Start())
        yield from self.set_alarm()

    def set_alarm(self) -> layer.CommandGenerator[None]:
        # one timer per connection, not per request: mitmproxy keeps a timer until its connection ends
        if self.alarm is None:
            self.alarm = commands.RequestWakeup(self.limits.tick)
            yield self.alarm

    def register_connection(self, command: RegisterHttpConnection) -> layer.CommandGenerator[None]:
        accepted = isinstance(command.connection, Server) and command.connection.timestamp_tcp_setup
        if command.err and accepted:
            command.err = TLS_FAILED + command.err
        yield from super().register_connection(command)
        # an upstream that failed once is asked again by the next request of this client
        command.connection.error = None

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if not (isinstance(event, events.Wakeup) and event.command is self.alarm):
            yield from super()._handle_event(event)
            return
        self.alarm = None
        oldest = time.time() - self.limits.connect
        for connection in list(self.waiting_for_establishment):
            if connection.timestamp_start and connection.timestamp_start < oldest:
                yield commands.CloseConnection(connection)
        for stream_id, stream in list(self.streams.items()):
            yield from self.event_to_child(stream, Tick(stream_id))
        if self.streams:
            yield from self.set_alarm()


class Layers:
    """Puts our layer in the place of mitmproxy's. Has to stand behind mitmproxy's own NextLayer."""

    name = "ccproxy_layers"

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def next_layer(self, data: layer.NextLayer) -> None:
        """Replace a stock HTTP layer, also one that a TLS layer holds."""
        parent, stock = None, data.layer
        while stock is not None and type(stock) is not HttpLayer:
            parent, stock = stock, getattr(stock, "child_layer", None)
        if stock is None:
            return
        stock.context.layers.remove(stock)
        ours = Layer(stock.context, stock.mode, self.limits)
        if parent is None:
            data.layer = ours
        else:
            parent.child_layer = ours  # type: ignore[attr-defined]


def is_ours(host: str, port: int) -> bool:
    """Whether an address is one of our own listeners, which a client may also reach through the proxy."""
    servers = ctx.master.addons.get("proxyserver")
    return is_loopback(host) and any(port == address[1] for address in servers.listen_addrs())


def connect_failure(host: str, message: str) -> Failure:
    """Why no connection came about, from the text that mitmproxy gives."""
    if message.startswith(TLS_FAILED):
        return failures.upstream_tls(host, message.removeprefix(TLS_FAILED).removesuffix("."))
    lower = message.lower()
    if "cancelled" in lower or "closed by command" in lower:
        return failures.upstream_unreachable(host, "no answer in time")
    if "errno 111" in lower or "refused" in lower:
        return failures.upstream_unreachable(host, "connection refused")
    if "name or service" in lower or "nodename" in lower or "getaddrinfo" in lower:
        return failures.upstream_unreachable(host, "the name cannot be resolved")
    return failures.upstream_unreachable(host, message.removesuffix("."))
