"""The responder: lets the answer through as it comes, with the tap on it, or has it translated."""

from collections.abc import Callable
from weakref import WeakKeyDictionary

from mitmproxy import http

from ccproxy.addons.client_sides import OF_A_CONVERSATION, client_side_of, somebody_looks
from ccproxy.addons.exchanges import allow_origin, exchange_of
from ccproxy.addons.models import reshape
from ccproxy.addons.stopping import Piecewise, hold_back, let_through, wants_whole
from ccproxy.addons.translated import (
    EditedStream,
    Editor,
    TranslatedStream,
    plain_whole,
    stream_headers,
    translate_whole,
    unpacked,
)
from ccproxy.codex.answer import PlainStream
from ccproxy.conversation.reply import Reply
from ccproxy.exchange import Exchange
from ccproxy.reasoning import ReasoningStore
from ccproxy.rename import StreamRenamer, changed_reply
from ccproxy.tap import Tap

EVENTS = "text/event-stream"

BUFFERED = frozenset(("messages", "count_tokens", "chat", "responses", "models"))
"""Operations whose JSON answers are held until they are whole: one cut short becomes a clear error."""


class Responder:
    """Every answer streams, except small JSON ones that are of no use before their end."""

    name = "ccproxy_responder"

    def __init__(self, reasoning: ReasoningStore) -> None:
        self.reasoning = reasoning
        self.taps: WeakKeyDictionary[http.HTTPFlow, Tap] = WeakKeyDictionary()
        self.held: WeakKeyDictionary[http.HTTPFlow, Piecewise] = WeakKeyDictionary()

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        exchange, response = exchange_of(flow), flow.response
        if exchange is None or response is None:
            return
        exchange.status = response.status_code
        if exchange.door == "reverse" and exchange.failure is None:
            finish_headers(response, exchange)
        if exchange.policy == "attach" or exchange.door == "reverse":
            # cookies belong to the provider's own clients: none goes up, so none comes down
            response.headers.pop("set-cookie", None)
            exchange.cookies = []
        if exchange.sent is None:
            return
        if exchange.policy == "relay":
            response.stream = True
            return
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        encoding = response.headers.get("content-encoding", "")
        tap = Tap(
            exchange,
            sse=kind == EVENTS,
            encoding=encoding,
            keep=somebody_looks() and not exchange.confidential,
        )
        self.taps[flow] = tap
        say_what_was_done(response, exchange)
        if kind == EVENTS and response.status_code == 200 and exchange.translation and exchange.stream:
            translator = exchange.translation.stream(self.remember_for(exchange), tap.event)
            said = PlainStream(done=exchange.said) if exchange.said else None
            response.stream = TranslatedStream(translator, tap, encoding, said)
            stream_headers(response)
        elif kind == EVENTS and not exchange.translation and (editor := editor_for(exchange, tap)):
            response.stream = EditedStream(editor, tap, encoding, exchange.id)
            stream_headers(response)
        elif exchange.policy == "observe" or not (
            exchange.translation
            or exchange.fitted
            or (kind == "application/json" and exchange.operation in BUFFERED)
        ):
            response.stream = tap
        if callable(response.stream) and exchange.operation in OF_A_CONVERSATION and wants_whole(flow):
            self.held[flow] = hold_back(response, exchange)

    def remember_for(self, exchange: Exchange) -> Callable[[Reply], None] | None:
        """Chat clients cannot carry reasoning; what they would lose is kept."""
        return self.reasoning.remember if exchange.client_format == "chat" else None

    def response(self, flow: http.HTTPFlow) -> None:
        exchange, content = exchange_of(flow), flow.response and flow.response.raw_content
        tap = self.taps.get(flow)
        streamed = flow.response is not None and flow.response.stream
        held = self.held.pop(flow, None)
        if tap and content and exchange and not exchange.failure and not streamed and not held:
            # this one was not streamed: the tap sees it only now
            tap(content)
        side = client_side_of(flow)
        before = unpacked(flow.response) if side and flow.response and not streamed else b""
        if held and flow.response and exchange and not exchange.failure:
            let_through(flow.response, held)
        self.finish(flow)
        if flow.response is None or streamed:
            return
        if exchange and not exchange.failure and not held:
            self.change_whole(flow, flow.response, exchange)
        if side:
            side.hear(after := unpacked(flow.response))
            side.upstream = before if after != before else None

    def change_whole(self, flow: http.HTTPFlow, response: http.Response, exchange: Exchange) -> None:
        """Make of a whole answer what its client can read."""
        if exchange.translation and exchange.sent:
            translate_whole(response, exchange, exchange.translation, self.reasoning)
        elif exchange.fitted and exchange.sent:
            plain_whole(response, exchange)
        elif exchange.renamed and exchange.sent:
            response.content = changed_reply(response.raw_content or b"", exchange.model_requested or "")
        elif exchange.reshaped and response.status_code == 200:
            reshape(flow, response, exchange)

    def error(self, flow: http.HTTPFlow) -> None:
        self.finish(flow)

    def finish(self, flow: http.HTTPFlow) -> None:
        tap = self.taps.pop(flow, None)
        if tap is None:
            return
        tap.finish()
        if flow.response and flow.response.raw_content is None:
            flow.response.raw_content = tap.kept


def editor_for(exchange: Exchange, tap: Tap) -> Editor | None:
    """What an event stream has to be changed in, for a client of the same format that reads one."""
    model = exchange.model_requested if exchange.renamed else None
    if exchange.fitted:
        return PlainStream(model, exchange.said, tap.event) if exchange.stream else None
    if exchange.renamed and exchange.wire:
        return StreamRenamer(exchange.wire, model or "", tap.event)
    return None


def say_what_was_done(response: http.Response, exchange: Exchange) -> None:
    """The headers that tell a client of losses, and of the model that really answers."""
    if exchange.warnings:
        response.headers["x-ccproxy-warnings"] = exchange.warnings
    if exchange.model_sent and exchange.model_sent != exchange.model_requested:
        response.headers["x-ccproxy-upstream-model"] = exchange.model_sent


def finish_headers(response: http.Response, exchange: Exchange) -> None:
    """What we add to answers on our own address; the upstream's headers stay."""
    response.headers["x-ccproxy-request-id"] = exchange.id
    allow_origin(response, exchange)
