"""Our own HTTP stream; with `held`, `retry` and `layer`, all that leans on mitmproxy's protocol layers.

Stock mitmproxy answers a dead upstream with an HTML page, lets a silent one hang, and sends whatever headers
the flow shows. Here

* every failure of ours ends as JSON in the client's format, or as the last event of a stream (`fail`),
* an error at the very start of an upstream's stream becomes an error answer (`HoldingStream`),
* what may pass is tried again while the client has got nothing (`RetryingStream`),
* a clock ends exchanges in which the upstream, or the client's upload, is silent (`Tick`); as long as it
  ticks, mitmproxy's own idle limit holds a connection for alive,
* credentials are put on at the wire, so that the flow never holds one (`seal`),
* nothing goes out that the stages have not let out (`cleared`), whatever became of them.

A stream of mitmproxy is a generator of commands. Between two blocking commands nothing else runs, which is
why the copy with the real headers can stand in the flow while the message is written, and nowhere else.
"""

import time
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from mitmproxy import flow, http
from mitmproxy.connection import ConnectionState
from mitmproxy.net.http.validate import validate_headers
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import DropStream, HTTPMode, SendHttp, validate_request
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
from mitmproxy.proxy.layers.http._hooks import HttpErrorHook, HttpRequestHeadersHook, HttpResponseHook
from mitmproxy.proxy.mode_specs import RegularMode, ReverseMode

from ccproxy import failures
from ccproxy.addons.client_sides import client_side_of
from ccproxy.addons.connections import is_ours, waits_for_reader
from ccproxy.addons.exchanges import begin, error_response
from ccproxy.addons.reasons import connect_failure
from ccproxy.addons.retry import RetryingStream
from ccproxy.addons.seal import REQUEST_SECRETS, RESPONSE_SECRETS, seal, unsealed
from ccproxy.exchange import Door, Exchange
from ccproxy.failures import Failure
from ccproxy.retries import NONE, Patience

CONNECT_TIMEOUT = 30.0
"""Seconds to open a connection to an upstream, TLS included."""


@dataclass(frozen=True)
class Limits:
    """What a stream may use: bytes of a request body that we hold, seconds of silence from an upstream.

    After `keepalive` seconds of silence the client of a translated stream gets a sign of life.
    """

    body: int
    idle: float
    keepalive: float = 15.0
    patience: Patience = NONE

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
    """A stream callable that can say that it lives; `spoke` is when its client last got something."""

    spoke: float

    def ping(self) -> list[bytes]: ...


@dataclass
class Tick(HttpEvent):
    """Time has passed."""

    def __init__(self, stream_id: StreamId) -> None:
        self.stream_id = stream_id


class Stream(RetryingStream):
    """One request and its answer."""

    exchange: Exchange

    def __init__(self, context: Context, stream_id: int, limits: Limits) -> None:
        super().__init__(context, stream_id, limits.patience)
        self.limits = limits
        self.heard = self.fed = time.monotonic()
        self.sealed: http.Request | None = None

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, Tick):
            yield from self.check_stopping()
            yield from self.keep_alive()
            yield from self.check_upload()
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
        mode = self.context.client.proxy_mode
        if isinstance(mode, ReverseMode):
            return "reverse"
        if self.mode is HTTPMode.transparent or not isinstance(mode, RegularMode):
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
        if len(self.request_body_buf) <= self.limits.body:
            return False
        if self.exchange.policy != "observe":
            yield from self.fail(failures.body_too_large(self.limits.body))
            return True
        # what we only look at goes on, unseen from here on
        held = bytes(self.request_body_buf)
        self.request_body_buf.clear()
        self.flow.request.stream = True
        yield from self.start_request_stream()
        yield from self.handle_event(RequestData(self.stream_id, held))
        return False

    def state_consume_request_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        self.fed = time.monotonic()
        if isinstance(event, RequestData):
            self.exchange.bytes_in += len(event.data)
        yield from super().state_consume_request_body(event)
        self.reseal()

    def state_stream_request_body(self, event: RequestData) -> layer.CommandGenerator[None]:
        if self.exchange.confidential:
            self.request_body_buf.clear()
        yield from super().state_stream_request_body(event)

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

    def send_again(self) -> layer.CommandGenerator[None]:
        yield from super().send_again()
        self.reseal()

    def reseal(self) -> None:
        if self.sealed:
            self.flow.request, self.sealed = self.sealed, None

    # --- the answer

    def begin_answer(self, event: ResponseHeaders) -> layer.CommandGenerator[None]:
        self.exchange.cookies = seal(event.response, RESPONSE_SECRETS)
        if self.exchange.cookies:
            # the path that writes the headers in one go with the real cookies is that of a streamed answer
            event.end_stream = False
        yield from super().begin_answer(event)

    def state_stream_response_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        if self.exchange.confidential:
            self.response_body_buf.clear()
        side = client_side_of(self.flow)
        if side is None:
            yield from super().state_stream_response_body(event)
            return
        for command in super().state_stream_response_body(event):
            # none of these commands is answered
            if isinstance(command, SendHttp) and isinstance(command.event, ResponseData):
                side.hear(command.event.data)
            yield command

    def start_response_stream(self) -> layer.CommandGenerator[None]:
        sealed = self.flow.response
        if sealed and self.exchange.cookies:
            self.flow.response = unsealed(sealed, RESPONSE_SECRETS, self.exchange.cookies)
        for command in super().start_response_stream():
            # that an answer streams is nothing to tell, and would part its head from its body
            if not isinstance(command, commands.Log):
                yield command
        self.flow.response = sealed
        if sealed and (side := client_side_of(self.flow)):
            side.expect(sealed.headers.get("content-encoding", ""))

    def send_response(self, already_streamed: bool = False) -> layer.CommandGenerator[None]:
        response = self.flow.response
        goes_on = self.client_state != self.state_done or (response and response.status_code == 101)
        if not already_streamed or goes_on or response is None or response.trailers:
            yield from super().send_response(already_streamed)
            return
        # nobody can change what has gone out: its end does not wait for the hook
        response.timestamp_end = time.time()
        yield SendHttp(ResponseEndOfMessage(self.stream_id), self.context.client)
        yield HttpResponseHook(self.flow)
        self.server_state = self.state_done
        self.flow.live = False
        yield DropStream(self.stream_id)

    def handle_connect_finish(self) -> layer.CommandGenerator[None]:
        if not self.exchange.admitted and not self.flow.response:
            # the gate raised: a tunnel that nobody has let in is not opened
            self.flow.response = error_response(self.exchange, failures.internal_error())
        yield from super().handle_connect_finish()  # type: ignore[no-untyped-call]

    # --- failures

    def keep_alive(self) -> layer.CommandGenerator[None]:
        """A sign of life to the client of a stream that we write ourselves."""
        if held := self.held_for(self.limits.keepalive):
            # by now it matters more that the client hears of us than with which status
            yield from self.release(held)
        stream: object = self.flow.response.stream if self.flow.response else None
        if self.server_state != self.state_stream_response_body or not isinstance(stream, Pingable):
            return
        if time.monotonic() - stream.spoke >= self.limits.keepalive:
            for piece in stream.ping():
                yield SendHttp(ResponseData(self.stream_id, piece), self.context.client)

    def check_upload(self) -> layer.CommandGenerator[None]:
        """A client that has stopped in the middle of its request."""
        uploading = self.client_state == self.state_consume_request_body and self._paused is None
        if uploading and time.monotonic() - self.fed >= self.limits.idle:
            yield from self.fail(failures.client_timeout(self.limits.idle))

    def check_silence(self) -> layer.CommandGenerator[None]:
        waiting = (
            self.state_wait_for_response_headers,
            self.state_hold_answer,
            self.state_weigh_answer,
            self.state_consume_response_body,
            self.state_stream_response_body,
        )
        if (
            self.exchange.sent is None
            or self.exchange.patient
            or self.server_state not in waiting
            or self.client_state != self.state_done
        ):
            return
        if time.monotonic() - self.heard < self.limits.idle:
            return
        if waits_for_reader(self.context.client.id):
            # it is not the upstream that is silent: we do not listen, because the client does not read
            self.heard = time.monotonic()
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
            return
        failure = self.failure_for(event)
        if not (yield from self.retry_failure(failure, self.limits.connect)):
            yield from self.fail(failure)

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
            return (yield from self.check_invalid_answer())
        problem = validate_request(
            self.mode, self.flow.request, self.context.options.validate_inbound_headers
        )
        if problem is None:
            return False
        # a look by the other stages first: they find out whose format to speak
        yield HttpRequestHeadersHook(self.flow)
        yield from self.fail(failures.invalid_http(problem.split(",")[0].removeprefix("Received ")))
        return True

    def check_invalid_answer(self) -> layer.CommandGenerator[bool]:
        if not self.context.options.validate_inbound_headers or self.flow.response is None:
            return False
        try:
            validate_headers(self.flow.response)
        except ValueError:
            yield commands.CloseConnection(self.flow.server_conn)
            yield from self.fail(failures.upstream_invalid(self.flow.request.host))
            return True
        return False

    def fail(self, failure: Failure) -> layer.CommandGenerator[None]:
        """End this exchange with an error of ours, in whatever way the client can still be told."""
        self.exchange.failure = failure
        if not self.context.client.state & ConnectionState.CAN_WRITE:
            # nobody is left to be told
            self.flow.error = flow.Error(failure.message)
            yield HttpErrorHook(self.flow)
            yield from self.end()
            return
        if self.server_state != self.state_stream_response_body:
            self.flow.response = error_response(self.exchange, failure)
            if failure.code == "invalid_http" and not self.flow.request.is_http2:
                # where the next request would begin is anybody's guess
                self.flow.response.headers["connection"] = "close"
            yield from self.answer()
            return
        self.flow.error = flow.Error(failure.message)
        stream: object = self.flow.response.stream if self.flow.response else None
        closing = stream.closing(failure, self.exchange.id) if isinstance(stream, Closable) else []
        if side := client_side_of(self.flow):
            side.hear(b"".join(closing))
        yield HttpErrorHook(self.flow)
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
