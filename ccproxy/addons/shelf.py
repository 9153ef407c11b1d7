"""The shelf: what each flow that a tool keeps weighs, and taking a body off it. It knows no limits."""

import heapq
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter

from mitmproxy.flow import Flow
from mitmproxy.http import HTTPFlow
from mitmproxy.tcp import TCPFlow, TCPMessage
from mitmproxy.websocket import WebSocketMessage

from ccproxy.inspector.kept import Kept

OURS = "ccproxy_"
"""How the keys of what we write into a flow's metadata begin."""

ROW = 12 * 1024
"""Bytes of a flow without its body: headers, connections, what we know of it (measured, mitmproxy 12.2.3)."""

FRAME = 256
"""Bytes of a WebSocket's frame besides its content (measured, mitmproxy 12.2.3)."""

LONGEST_TURN = 8 * 2**20
"""Bytes of frames that are kept together; more of them count as several turns."""


@dataclass(slots=True)
class Turn:
    """What a client has said on a socket and what was answered, as its first frames."""

    frames: int = 0
    size: int = 0
    at: float = 0.0
    answered: bool = False


@dataclass(slots=True)
class Entry:
    """A flow and what it weighs. `at` is when something happened to it last, on the monotonic clock.

    `turns` are those of a socket, the newest last.
    """

    flow: Flow
    at: float
    bodies: int = 0
    turns: deque[Turn] = field(default_factory=deque)


@dataclass(slots=True)
class Piece:
    """What can be dropped at once: a flow's bodies, or the oldest `turn` of a socket."""

    entry: Entry
    at: float
    size: int
    turn: Turn | None = None


class Shelf:
    """Counts as things come and go; nothing here walks over all flows but `entries` themselves."""

    def __init__(self, kept: Kept, now: Callable[[], float] = time.monotonic) -> None:
        self.kept = kept
        self.now = now
        self.entries: dict[str, Entry] = {}
        self.ended: dict[str, Entry] = {}
        """Those that have ended and have bodies, in that order."""
        self.sockets: dict[str, Entry] = {}
        """Those under way."""

    def add(self, flow: Flow) -> None:
        """A flow begins. One that is replayed begins again."""
        if flow.id not in self.entries:
            self.kept.flows += 1
            self.kept.bytes += ROW
            self.entries[flow.id] = Entry(flow, self.now())
        self.ended.pop(flow.id, None)

    def weigh(self, flow: Flow) -> None:
        """The bodies of a flow may have changed."""
        if entry := self.entries.get(flow.id):
            before, entry.bodies = entry.bodies, bodies_of(flow)
            self.kept.bytes += entry.bodies - before
            if not flow.live:
                let_go_of_stream(flow)
                if entry.bodies or entry.turns:
                    self.ended.setdefault(flow.id, entry)

    def frame(self, flow: Flow) -> None:
        """A socket has one more frame."""
        entry, message = self.entries.get(flow.id), messages_of(flow)[-1]
        if entry is None:
            return
        self.sockets[flow.id] = entry
        newest = entry.turns[-1] if entry.turns else None
        if newest is None or (message.from_client and newest.answered) or newest.size > LONGEST_TURN:
            newest = Turn()
            entry.turns.append(newest)
        newest.frames += 1
        newest.size += FRAME + len(message.content)
        newest.answered = not message.from_client
        entry.at = newest.at = self.now()
        self.kept.bytes += FRAME + len(message.content)

    def end(self, flow: Flow) -> None:
        """A flow has ended, or is about to: its bodies may go as soon as nobody needs them."""
        self.weigh(flow)
        self.sockets.pop(flow.id, None)
        if entry := self.entries.get(flow.id):
            entry.at = self.now()
            if entry.bodies or entry.turns:
                self.ended[flow.id] = entry

    def forget(self, flow: Flow) -> None:
        """A flow is kept no longer."""
        if entry := self.entries.pop(flow.id, None):
            self.ended.pop(flow.id, None)
            self.sockets.pop(flow.id, None)
            self.kept.flows -= 1
            self.kept.bytes -= ROW + weight(entry)

    def pieces(self) -> Iterator[Piece]:
        """What can be dropped, the oldest first: bodies of flows that have ended, old turns of sockets."""
        bodies = (Piece(entry, entry.at, weight(entry)) for entry in self.ended.values())
        return heapq.merge(bodies, *map(old_turns, self.sockets.values()), key=attrgetter("at"))

    def drop(self, piece: Piece) -> None:
        """Take a piece off its flow. Pieces of the same flow go in their order."""
        flow, turn = piece.entry.flow, piece.turn
        if turn:
            piece.entry.turns.popleft()
            del messages_of(flow)[: turn.frames]
        else:
            del self.ended[flow.id]
            piece.entry.turns.clear()
            piece.entry.bodies = 0
            drop_bodies(flow)
        self.kept.bytes -= piece.size
        self.kept.dropped += 1


def old_turns(entry: Entry) -> Iterator[Piece]:
    """The turns of a socket but the newest, the oldest first."""
    for turn in islice(entry.turns, len(entry.turns) - 1):
        yield Piece(entry, turn.at, turn.size, turn)


def weight(entry: Entry) -> int:
    """Bytes of an entry besides its row."""
    return entry.bodies + sum(turn.size for turn in entry.turns)


def messages_of(flow: Flow) -> list[WebSocketMessage] | list[TCPMessage]:
    """The frames of a socket, the chunks of a connection that is no HTTP."""
    if isinstance(flow, HTTPFlow):
        return flow.websocket.messages if flow.websocket else []
    return flow.messages if isinstance(flow, TCPFlow) else []


def bodies_of(flow: Flow) -> int:
    """Bytes of both bodies, of their copies in our metadata, and of what an edit could be taken back to."""
    metadata = sum(held(value) for key, value in flow.metadata.items() if key.startswith(OURS))
    bodies = metadata + held(flow._backup)
    if isinstance(flow, HTTPFlow):
        bodies += len(flow.request.raw_content or b"")
        bodies += len(flow.response.raw_content or b"") if flow.response else 0
    return bodies


def drop_bodies(flow: Flow) -> None:
    """What stays is what a list of flows shows, and times. An empty body stays empty."""
    for key in [key for key, value in flow.metadata.items() if key.startswith(OURS) and held(value)]:
        del flow.metadata[key]
    flow._backup = None
    messages_of(flow).clear()
    if isinstance(flow, HTTPFlow):
        # mitmproxy's own way to say that a body is missing: shown as such, and not replayed
        flow.request.raw_content = flow.request.raw_content and None
        if flow.response:
            flow.response.raw_content = flow.response.raw_content and None


def let_go_of_stream(flow: Flow) -> None:
    """After the end. mitmproxy holds on to what a stream has gone through, and that to all it has seen."""
    if isinstance(flow, HTTPFlow) and flow.response and callable(flow.response.stream):
        flow.response.stream = True


def held(value: object) -> int:
    """Bytes in a value, however deep."""
    match value:
        case bytes():
            return len(value)
        case dict():
            return sum(map(held, value.values()))
        case list() | tuple():
            return sum(map(held, value))
    return 0
