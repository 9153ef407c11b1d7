"""Another attempt at an upstream, while the client has got nothing and its whole request is still here.

An answer that may be repeated is kept until it is whole, apart from the flow: no hook sees it unless it is
the one that counts. Between two attempts the stream only listens whether its client is still there.
"""

import contextlib
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from mitmproxy import ctx, flow, http
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import HttpLayer, SendHttp
from mitmproxy.proxy.layers.http._base import HttpEvent
from mitmproxy.proxy.layers.http._events import (
    RequestData,
    RequestEndOfMessage,
    RequestHeaders,
    RequestProtocolError,
    RequestTrailers,
    ResponseEndOfMessage,
    ResponseHeaders,
)
from mitmproxy.proxy.layers.http._hooks import HttpErrorHook
from mitmproxy.proxy.layers.http._http1 import Http1Client
from mitmproxy.proxy.layers.http._http2 import Http2Client

from ccproxy.addons.exchanges import lower
from ccproxy.addons.held import HoldingStream, Kept
from ccproxy.addons.translated import USED_UP
from ccproxy.conversation.parts import Wire
from ccproxy.failures import Failure
from ccproxy.formats.decompress import decoder
from ccproxy.retries import Patience, Setback, pause, until
from ccproxy.routes import BackendName
from ccproxy.translation import CODECS

MOST_KEPT = 65536
"""Bytes of an error's body above which it goes on unread."""

NO_END = (*USED_UP, "insufficient_quota")
"""Codes of errors that asking again does not end; the last is that of an API account without money."""

PLAN_STATUS = "anthropic-ratelimit-unified-status"
"""Tells of a plan's windows of hours and days whether one of them is used up."""


@dataclass
class CcproxyRejectedHook(commands.StartHook):
    """An upstream has rejected the credential of a flow: `Exchange.secret` becomes a better one, or None."""

    flow: http.HTTPFlow


class RetryingStream(HoldingStream):
    """A stream that tries again, as far as `patience` goes."""

    def __init__(self, context: Context, stream_id: int, patience: Patience) -> None:
        super().__init__(context, stream_id)
        self.patience = patience
        self.alarm: commands.RequestWakeup | None = None
        self.instead: Kept | Failure | None = None
        self.asked = 0.0
        self.replayed = False

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, events.Wakeup):
            if event.command is self.alarm and self.stop_waiting():
                yield from self.send_again()
        elif self.alarm and isinstance(event, RequestProtocolError):
            self.stop_waiting()
            self.flow.error = flow.Error(event.message)
            yield HttpErrorHook(self.flow)
            yield from self.end()
        else:
            yield from super()._handle_event(event)

    # --- what has come back

    def state_wait_for_response_headers(self, event: ResponseHeaders) -> layer.CommandGenerator[None]:
        if event.response.status_code >= 400 and self.may_help(event.response):
            self.kept = Kept(event)
            self.server_state = self.state_weigh_answer
        else:
            yield from super().state_wait_for_response_headers(event)

    def state_weigh_answer(self, event: HttpEvent) -> layer.CommandGenerator[None]:
        """Only a whole error tells whether it is worth another attempt, and leaves its connection usable."""
        self.kept.rest.append(event)
        if isinstance(event, ResponseEndOfMessage):
            yield from self.weigh(self.kept)
        elif len(self.kept.body) > MOST_KEPT:
            yield from self.release(self.kept)

    def weigh(self, kept: Kept) -> layer.CommandGenerator[None]:
        if not self.may_replay(kept.head.response):
            if not (yield from self.retry_answer(kept)):
                yield from self.release(kept)
            return
        self.replayed = True
        yield CcproxyRejectedHook(self.flow)
        if (yield from self.check_killed(True)):
            return
        if self.exchange.secret:
            self.forget_attempt()
            yield from self.send_again()
        else:
            yield from self.release(kept)

    def refuse(self, kept: Kept) -> layer.CommandGenerator[None]:
        if not (yield from self.retry_answer(kept, cancelled=True)):
            yield from super().refuse(kept)

    def retry_answer(self, kept: Kept, *, cancelled: bool = False) -> layer.CommandGenerator[bool]:
        setback = setback_of(kept.head.response, kept.body, self.exchange.backend)
        return (yield from self.retry(setback, kept, cancelled=cancelled))

    def retry_failure(self, failure: Failure, connect_timeout: float) -> layer.CommandGenerator[bool]:
        """Try again after a connection that could not be opened, or broke before the answer; False if not."""
        lost = failure.code == "upstream_closed"
        if not lost and failure.code != "upstream_unreachable":
            return False
        if not lost and time.time() - self.asked >= connect_timeout:
            # who has waited for so long has waited enough
            return False
        return (yield from self.retry(Setback(stale=lost and self.is_stale()), failure))

    # --- whether to

    def may_repeat(self) -> bool:
        """Whether the request is one of ours, whole and still here, and nobody has asked us to stop."""
        return (
            self.exchange.policy == "attach"
            # Claude Code asks again by itself, and a second request to it would be a second turn
            and self.exchange.backend not in (None, "sdk")
            and self.client_state == self.state_done
            and not self.flow.request.stream
            and ctx.options.server
        )

    def may_replay(self, response: http.Response) -> bool:
        """Whether another credential of ours could help: asked once, whatever `attempts` says."""
        ours = self.exchange.secret is not None and not self.replayed
        return ours and response.status_code == 401 and self.may_repeat()

    def may_help(self, head: http.Response) -> bool:
        """Whether another attempt is possible, from all that is known before the body."""
        setback = setback_of(head, b"", self.exchange.backend)
        return self.may_replay(head) or self.pause_after(setback) is not None

    def pause_after(self, setback: Setback) -> float | None:
        if not self.may_repeat():
            return None
        made = self.exchange.retries - self.replayed
        return pause(setback, made, self.patience, random.random())  # noqa: S311

    def is_stale(self) -> bool:
        """Whether the connection was there before this request wanted one."""
        server = self.context.server
        ready = server.timestamp_tls_setup or server.timestamp_tcp_setup
        return ready is not None and ready < self.asked

    # --- the further attempt

    def retry(
        self, setback: Setback, instead: Kept | Failure, *, cancelled: bool = False
    ) -> layer.CommandGenerator[bool]:
        """Begin to wait for the next attempt; False when there is none, and `instead` is what counts."""
        seconds = self.pause_after(setback)
        if seconds is None:
            return False
        self.forget_attempt(cancelled=cancelled)
        self.instead, self.alarm = instead, commands.RequestWakeup(seconds)
        self.server_state = self.state_between_attempts
        yield self.alarm
        return True

    def stop_waiting(self) -> Kept | Failure | None:
        """End the wait for a further attempt; returns what the client gets if none is made."""
        instead, self.instead, self.alarm = self.instead, None, None
        return instead

    def state_between_attempts(self, event: HttpEvent) -> layer.CommandGenerator[None]:
        """What the last attempt's connection still brings is nobody's."""
        yield from ()

    def check_stopping(self) -> layer.CommandGenerator[None]:
        """A proxy that stops makes no further attempt: its client gets what there is."""
        instead = None if ctx.options.server else self.stop_waiting()
        if isinstance(instead, Failure):
            yield from self.fail(instead)
        elif instead:
            yield from super().refuse(instead)

    def fail(self, failure: Failure) -> layer.CommandGenerator[None]:
        """End with an error of ours."""
        raise NotImplementedError

    def send_again(self) -> layer.CommandGenerator[None]:
        """The same request once more, over a connection that is free."""
        if (yield from self.check_killed(True)):
            return
        self.exchange.retries += 1
        self.server_state = self.state_wait_for_response_headers
        if not (yield from self.make_server_connection()):
            return
        request, server = self.flow.request, self.context.server
        body, trailers = request.raw_content, request.trailers
        yield SendHttp(RequestHeaders(self.stream_id, request, not (body or trailers)), server)
        if body:
            yield SendHttp(RequestData(self.stream_id, body), server)
        if trailers:
            yield SendHttp(RequestTrailers(self.stream_id, trailers), server)
        yield SendHttp(RequestEndOfMessage(self.stream_id), server)

    def make_server_connection(self) -> layer.CommandGenerator[bool]:
        self.asked = time.time()
        return (yield from super().make_server_connection())

    def forget_attempt(self, *, cancelled: bool = False) -> None:
        """Make mitmproxy's upstream connection ready for the next attempt.

        One that was cancelled in the middle of its answer is to bring us nothing more.
        """
        above = self.context.layers[self.context.layers.index(self) - 1]
        connection = above.connections.get(self.context.server) if isinstance(above, HttpLayer) else None
        client = connection.context.layers[-1] if connection else None
        if isinstance(client, Http2Client):
            # it knows one stream of the upstream's for each of a client's
            upstreams = client.our_stream_id.pop(self.stream_id, 0)
            if cancelled:
                client.streams.pop(upstreams, None)
        elif isinstance(client, Http1Client) and cancelled:
            client.state = client.done


def setback_of(response: http.Response, body: bytes, backend: BackendName | None) -> Setback:
    """What an answer says about asking again; `body` is empty while it has not come."""
    headers = lower(response.headers)
    wire: Wire = "anthropic" if backend in ("api", "sdk") else "responses"
    failed = CODECS[wire].decode_error(response.status_code, headers, readable(response, body))
    wait = failed.retry_after
    if wait is None and "retry-after" in headers:
        wait = until(headers["retry-after"], datetime.now(UTC))
    return Setback(
        response.status_code,
        wait=wait,
        should_retry={"true": True, "false": False}.get(headers.get("x-should-retry", "").strip().lower()),
        used_up=failed.code in NO_END or headers.get(PLAN_STATUS) == "rejected",
    )


def readable(response: http.Response, body: bytes) -> bytes:
    """The body without its compression; nothing when that cannot be undone."""
    with contextlib.suppress(ValueError):
        return decoder(response.headers.get("content-encoding", ""))(body)
    return b""
