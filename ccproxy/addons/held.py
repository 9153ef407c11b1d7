"""An upstream's stream that is held back until its first events tell whether it is an answer.

Some upstreams say 200 at once and find out only then that they cannot answer. While the client has got
nothing, that can still be an error with a status of its own. Nothing of a held answer is in the flow.
"""

import math
import time

from mitmproxy import http
from mitmproxy.proxy import layer
from mitmproxy.proxy.layers.http import DropStream, HttpStream, SendHttp
from mitmproxy.proxy.layers.http._base import HttpEvent
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
)

from ccproxy.conversation.parts import Wire
from ccproxy.exchange import Exchange
from ccproxy.formats.opening import Opening, Refusal, Verdict


def wire_to_look_at(exchange: Exchange, head: ResponseHeaders) -> Wire | None:
    """The format of the events to look at, or None for an answer that is not to be held."""
    response = head.response
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    plain = response.headers.get("content-encoding", "").strip().lower() in ("", "identity")
    is_stream = response.status_code == 200 and kind == "text/event-stream" and plain
    return exchange.peek if is_stream and not head.end_stream else None


class Kept:
    """What has come of one answer, and is not in the flow."""

    def __init__(self, head: ResponseHeaders) -> None:
        self.head = head
        self.rest: list[HttpEvent] = []

    @property
    def body(self) -> bytes:
        return b"".join(event.data for event in self.rest if isinstance(event, ResponseData))


class Held(Kept):
    """An answer that is looked at; `since` is when its head came, on the monotonic clock."""

    def __init__(self, head: ResponseHeaders, wire: Wire) -> None:
        super().__init__(head)
        self.since = time.monotonic()
        self.opening = Opening(wire)

    def take(self, event: HttpEvent) -> Verdict:
        """Keep one more event. An answer that ends before it has said anything goes on as it is."""
        self.rest.append(event)
        if isinstance(event, ResponseData):
            return self.opening.feed(event.data)
        return "go on"

    def become(self, refusal: Refusal) -> None:
        """Let the answer be the error that it turned out to be."""
        set_refusal(self.head.response, refusal)
        stream_id = self.head.stream_id
        self.rest = [ResponseData(stream_id, refusal.body), ResponseEndOfMessage(stream_id)]


def set_refusal(response: http.Response, refusal: Refusal) -> None:
    """The head of the error answer; what the upstream's other headers say stays true."""
    response.status_code, response.reason = refusal.status, ""
    response.headers.pop("transfer-encoding", None)
    response.headers["content-type"] = "application/json"
    response.headers["content-length"] = str(len(refusal.body))
    if refusal.retry_after is not None and "retry-after" not in response.headers:
        # whole seconds (RFC 9110, 10.2.3), and never too early
        response.headers["retry-after"] = str(math.ceil(refusal.retry_after))


class HoldingStream(HttpStream):
    """A stream that holds back what `Exchange.peek` asks to look at."""

    exchange: Exchange
    held: Held | None = None

    def state_wait_for_response_headers(self, event: ResponseHeaders) -> layer.CommandGenerator[None]:
        wire = wire_to_look_at(self.exchange, event)
        if wire and self.client_state == self.state_done:
            self.held = Held(event, wire)
            self.server_state = self.state_hold_answer
        else:
            yield from self.begin_answer(event)

    def state_hold_answer(self, event: HttpEvent) -> layer.CommandGenerator[None]:
        held = self.held_for(0)
        verdict = held.take(event) if held else "wait"
        if held is None or verdict == "wait":
            return
        if verdict == "go on":
            yield from self.release(held)
            return
        held.become(verdict)
        # until the rest of its answer has come its connection is of no use, and nobody waits for that
        cancelled = RequestProtocolError(self.stream_id, "upstream has failed", ErrorCode.CANCEL)
        yield SendHttp(cancelled, self.context.server)
        yield from self.refuse(held)

    def refuse(self, kept: Kept) -> layer.CommandGenerator[None]:
        """Let an answer that is an error be the last word."""
        yield from self.release(kept)
        yield from self.end()

    def held_for(self, seconds: float) -> Held | None:
        """The answer that has been held for so long, and that its client still waits for."""
        waits = self.server_state == self.state_hold_answer and self.client_state == self.state_done
        if not waits or self.held is None or time.monotonic() - self.held.since < seconds:
            return None
        return self.held

    def release(self, kept: Kept) -> layer.CommandGenerator[None]:
        """Go on as if what was held had just come."""
        self.held = None
        yield from self.begin_answer(kept.head)
        for event in kept.rest:
            yield from self.server_state(event)

    def begin_answer(self, event: ResponseHeaders) -> layer.CommandGenerator[None]:
        """What mitmproxy does with the head of an answer."""
        yield from super().state_wait_for_response_headers(event)

    def end(self) -> layer.CommandGenerator[None]:
        """Hear nothing more, from neither side."""
        self.flow.live = False
        self.client_state = self.server_state = self.state_errored
        yield DropStream(self.stream_id)
