"""Writes on a flow what its exchange was: a comment, a mark, its times and what was changed.

Flow files keep all of this.
"""

import contextlib
from weakref import WeakKeyDictionary

from mitmproxy import ctx, http
from mitmproxy.hooks import UpdateHook

from ccproxy.addons.client_sides import RECORDING, client_side_of, forget_client_side
from ccproxy.addons.exchanges import exchange_of
from ccproxy.client_side import ClientSide
from ccproxy.exchange import Exchange
from ccproxy.inspector.frames import Frame, turns
from ccproxy.inspector.notes import FAILED, comment, mark, turn_comment, turn_mark
from ccproxy.inspector.timing import Times, stream_times, times_of
from ccproxy.inspector.translation import KEYS, changes, wire_named

TIMES, PACE = "ccproxy_times", "ccproxy_pace"
"""The keys of the times in a flow's metadata, and of those that only its pieces tell: numbers and lists of
them, because flow files store it."""


class Notes:
    """Runs where flows are looked at, after the recorder. What a user has written stays."""

    name = "ccproxy_notes"

    def __init__(self) -> None:
        self.written: WeakKeyDictionary[http.HTTPFlow, str] = WeakKeyDictionary()
        self.turns: WeakKeyDictionary[http.HTTPFlow, int] = WeakKeyDictionary()

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        if exchange_of(flow):
            # a flow that is sent again still has the notes of the time before
            for key in (TIMES, PACE, *KEYS):
                flow.metadata.pop(key, None)

    async def response(self, flow: http.HTTPFlow) -> None:
        await self.note(flow)

    async def error(self, flow: http.HTTPFlow) -> None:
        await self.note(flow)

    async def websocket_message(self, flow: http.HTTPFlow) -> None:
        if exchange_of(flow) is None or flow.websocket is None or flow.websocket.messages[-1].from_client:
            return
        turn = self.turns.get(flow, 0) + 1
        frame = flow.websocket.messages[-1].content
        if said := turn_comment(frame, turn):
            self.turns[flow] = turn
            flow.marked = flow.marked or turn_mark(frame)
            self.write(flow, said)
            await ctx.master.addons.trigger_event(UpdateHook([flow]))

    async def websocket_end(self, flow: http.HTTPFlow) -> None:
        if exchange_of(flow) is None or flow.websocket is None:
            return
        if any(not turn.ended for turn in turns(frames_of(flow))):
            why = "client_disconnected" if flow.websocket.closed_by_client else "upstream_cut"
            flow.marked = flow.marked or FAILED
            self.write(flow, f"turn {self.turns.get(flow, 0) + 1}, {why}")
            await ctx.master.addons.trigger_event(UpdateHook([flow]))

    async def note(self, flow: http.HTTPFlow) -> None:
        exchange, side = exchange_of(flow), client_side_of(flow)
        if RECORDING not in ctx.master.addons.lookup:
            # a recording comes later and wants it, too
            forget_client_side(flow)
        if exchange is None or (exchange.policy == "relay" and exchange.failure is None):
            return
        self.write(flow, comment(exchange))
        flow.marked = flow.marked or mark(exchange)
        flow.metadata[TIMES] = times_of(exchange) | connecting(flow, exchange)
        if side:
            keep(flow, exchange, side)
        await ctx.master.addons.trigger_event(UpdateHook([flow]))

    def write(self, flow: http.HTTPFlow, said: str) -> None:
        if said and flow.comment == self.written.get(flow, ""):
            self.written[flow] = flow.comment = said


def connecting(flow: http.HTTPFlow, exchange: Exchange) -> Times:
    """How long it took to reach the upstream, when that was done for this request."""
    server = flow.server_conn
    began, reached, secured = server.timestamp_start, server.timestamp_tcp_setup, server.timestamp_tls_setup
    if began is None or reached is None or began < exchange.started_at:
        return {}
    times: Times = {"connect": reached - began}
    return times | ({"tls": secured - reached} if secured else {})


def keep(flow: http.HTTPFlow, exchange: Exchange, side: ClientSide) -> None:
    """Write down what only the client's side tells."""
    sent, answered = plain(flow.request) or b"", plain(flow.response)
    flow.metadata.update(changes(exchange, side, sent, answered, broke=flow.error is not None))
    pace = stream_times(wire_named(exchange.client_format), side.heard, exchange.usage)
    if pace and not side.cut:
        flow.metadata[PACE] = pace


def plain(message: http.Message | None) -> bytes | None:
    """A body without its compression; None where there is none, or one that broke off in the middle of it."""
    with contextlib.suppress(ValueError):
        return message.content if message else None
    return None


def frames_of(flow: http.HTTPFlow) -> list[Frame]:
    """The frames of a socket, as far as they are kept."""
    messages = flow.websocket.messages if flow.websocket else []
    return [Frame(message.from_client, message.content, message.timestamp) for message in messages]
