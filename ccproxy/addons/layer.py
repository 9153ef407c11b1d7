"""Our HTTP layer: mitmproxy's with our streams in it, and how it gets into the place of the stock one."""

import time

from mitmproxy.connection import Server
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import HttpLayer, HTTPMode, RegisterHttpConnection

from ccproxy.addons.reasons import TLS_FAILED
from ccproxy.addons.stream import Limits, Stream, Tick


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
        # what has become a tunnel or a WebSocket is no exchange any more and knows no time
        watched = [(number, stream) for number, stream in self.streams.items() if not stream.child_layer]
        for stream_id, stream in watched:
            yield from self.event_to_child(stream, Tick(stream_id))
        if watched:
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
