"""WebSockets in Responses mode: every frame is seen, every turn is recorded like a request of its own."""

import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import msgspec
from mitmproxy import http
from mitmproxy.websocket import WebSocketMessage

from ccproxy.addons.client_sides import somebody_looks
from ccproxy.addons.exchanges import exchange_of
from ccproxy.addons.quota import Quotas
from ccproxy.addons.recorder import Recorder
from ccproxy.exchange import Exchange
from ccproxy.formats.responses.usage import UsageReader
from ccproxy.formats.sse import ServerSentEvent

LAST = ("response.completed", "response.incomplete", "response.failed", "error")
"""Events with which a turn ends (Responses reference, read 2026-11-22)."""


class _Frame(msgspec.Struct):
    type: str = ""
    model: str | None = None
    stream_id: str | None = None


_frame = msgspec.json.Decoder(_Frame)


@dataclass(slots=True)
class Turn:
    """A request on a socket, and what its answer has said so far."""

    exchange: Exchange
    reader: UsageReader


class Sockets:
    """Looks at relayed sockets and changes nothing. A bridged one records itself: its turns are requests."""

    name = "ccproxy_sockets"

    def __init__(self, recorder: Recorder, quotas: Quotas) -> None:
        self.recorder = recorder
        self.quotas = quotas
        self.turns: WeakKeyDictionary[http.HTTPFlow, dict[str | None, Turn]] = WeakKeyDictionary()

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        exchange = exchange_of(flow)
        if exchange is None or flow.websocket is None or not is_responses(exchange):
            return
        message = flow.websocket.messages[-1]
        if not somebody_looks():
            # a socket lives for an hour and carries whole conversations
            del flow.websocket.messages[:-1]
        try:
            frame = _frame.decode(message.content)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return
        turns = self.turns.setdefault(flow, {})
        if message.from_client:
            if frame.type == "response.create":
                turns[frame.stream_id] = Turn(turn_of(exchange, frame, message), UsageReader())
        elif frame.type == "codex.rate_limits":
            self.quotas.event(msgspec.json.decode(message.content))
        elif turn := turns.get(frame.stream_id):
            turn.exchange.saw_bytes(len(message.content))
            turn.reader.event(ServerSentEvent(frame.type, message.text))
            if frame.type in LAST:
                self.end(turns.pop(frame.stream_id))

    def websocket_end(self, flow: http.HTTPFlow) -> None:
        for turn in self.turns.pop(flow, {}).values():
            left = flow.websocket is not None and flow.websocket.closed_by_client
            turn.exchange.error = "client_disconnected" if left else "upstream_cut"
            self.end(turn)

    def end(self, turn: Turn) -> None:
        exchange, reader = turn.exchange, turn.reader
        exchange.model_served, exchange.stop_reason = reader.model, reader.stop_reason
        exchange.usage = reader.usage
        exchange.error = exchange.error or reader.error
        self.recorder.keep(exchange)


def is_responses(exchange: Exchange) -> bool:
    """Whether a socket carries turns that we can read, and that nobody else records."""
    return exchange.backend is not None and exchange.path.partition("?")[0].endswith("/responses")


def turn_of(socket: Exchange, frame: _Frame, message: WebSocketMessage) -> Exchange:
    """An exchange for one turn on a socket."""
    turn = Exchange(socket.door, "WS", socket.path, "responses")
    turn.policy, turn.backend, turn.operation = socket.policy, socket.backend, "responses"
    turn.route, turn.upstream, turn.upstream_format = socket.route, socket.upstream, "responses"
    turn.client, turn.session_id, turn.agent_id = socket.client, socket.session_id, socket.agent_id
    turn.model_requested, turn.stream, turn.socket, turn.status = frame.model, True, True, 101
    turn.bytes_in, turn.sent = len(message.content), time.monotonic()
    return turn
