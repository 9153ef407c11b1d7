"""Our HTTP layer: mitmproxy's with our streams in it, and how it gets into the place of the stock one."""

import time
from collections.abc import Callable, Iterable, Iterator

from mitmproxy.connection import Server
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import HttpLayer, HTTPMode, RegisterHttpConnection
from mitmproxy.proxy.layers.http._base import ReceiveHttp
from mitmproxy.proxy.layers.http._events import ResponseData

from ccproxy.addons.reasons import TLS_FAILED
from ccproxy.addons.stream import Limits, Stream, Tick

LARGEST_JOIN = 65536
"""Bytes above which two pieces are not worth a copy."""


class Joined:
    """A connection to an upstream, with what one read brought of an answer's body in one piece.

    mitmproxy hands on each HTTP chunk by itself, through all of its layers, and providers put each event of
    a stream into a chunk of its own.
    """

    def __init__(self, connection: layer.Layer) -> None:
        self.connection = connection

    def handle_event(self, event: events.Event) -> Iterator[commands.Command]:
        """The connection's commands. Nothing waits for a later read."""
        return joined(self.connection.handle_event(event), join_answers)


def joined(
    source: Iterable[commands.Command],
    join: Callable[[commands.Command, commands.Command], commands.Command | None],
) -> Iterator[commands.Command]:
    """The same commands, those that follow each other made one where `join` can."""
    held: commands.Command | None = None
    for command in source:
        if held and (together := join(held, command)):
            held = together
            continue
        if held:
            yield held
        held = command
    if held:
        yield held


def join_answers(first: commands.Command, second: commands.Command) -> commands.Command | None:
    """Two pieces of the body of one answer."""
    if not (isinstance(first, ReceiveHttp) and isinstance(second, ReceiveHttp)):
        return None
    one, two = first.event, second.event
    if not (isinstance(one, ResponseData) and isinstance(two, ResponseData)):
        return None
    if one.stream_id != two.stream_id:
        return None
    return ReceiveHttp(ResponseData(one.stream_id, one.data + two.data))


def join_writes(first: commands.Command, second: commands.Command) -> commands.Command | None:
    """Two writes to one connection, as head and body of a message."""
    if not (isinstance(first, commands.SendData) and isinstance(second, commands.SendData)):
        return None
    if first.connection is not second.connection or len(first.data) + len(second.data) > LARGEST_JOIN:
        return None
    return commands.SendData(first.connection, first.data + second.data)


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

    def event_to_child(self, child: layer.Layer, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, events.DataReceived) and event.connection is not self.context.client:
            child = Joined(child)  # type: ignore[assignment]
        yield from super().event_to_child(child, event)

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

    def handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        """What goes to one connection in one go is one write."""
        yield from joined(super().handle_event(event), join_writes)

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
