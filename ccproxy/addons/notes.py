"""Writes on a flow what its exchange was: a comment, a mark, and its times, which flow files keep."""

from weakref import WeakKeyDictionary

from mitmproxy import ctx, http
from mitmproxy.hooks import UpdateHook

from ccproxy.addons.exchanges import exchange_of
from ccproxy.exchange import Exchange
from ccproxy.inspector.notes import comment, mark, turn_comment
from ccproxy.inspector.timing import Times, times_of

TIMES = "ccproxy_times"
"""The key of the times in a flow's metadata: numbers only, because flow files store it."""


class Notes:
    """Runs where flows are looked at, after the recorder. What a user has written stays."""

    name = "ccproxy_notes"

    def __init__(self) -> None:
        self.written: WeakKeyDictionary[http.HTTPFlow, str] = WeakKeyDictionary()
        self.turns: WeakKeyDictionary[http.HTTPFlow, int] = WeakKeyDictionary()

    async def response(self, flow: http.HTTPFlow) -> None:
        await self.note(flow)

    async def error(self, flow: http.HTTPFlow) -> None:
        await self.note(flow)

    async def websocket_message(self, flow: http.HTTPFlow) -> None:
        if exchange_of(flow) is None or flow.websocket is None or flow.websocket.messages[-1].from_client:
            return
        turn = self.turns.get(flow, 0) + 1
        if said := turn_comment(flow.websocket.messages[-1].content, turn):
            self.turns[flow] = turn
            self.write(flow, said)
            await ctx.master.addons.trigger_event(UpdateHook([flow]))

    async def note(self, flow: http.HTTPFlow) -> None:
        exchange = exchange_of(flow)
        if exchange is None or (exchange.policy == "relay" and exchange.failure is None):
            return
        self.write(flow, comment(exchange))
        flow.marked = flow.marked or mark(exchange)
        flow.metadata[TIMES] = times_of(exchange) | connecting(flow, exchange)
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
    return {"connect": reached - began} | ({"tls": secured - reached} if secured else {})
