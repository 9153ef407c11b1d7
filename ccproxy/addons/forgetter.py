"""The forgetter: keeps what mitmproxy's own tools hold of flows within limits; they would keep it all."""

import asyncio
from itertools import islice, takewhile

from mitmproxy import ctx
from mitmproxy.addonmanager import Loader
from mitmproxy.addons.view import View
from mitmproxy.flow import Flow
from mitmproxy.http import HTTPFlow
from mitmproxy.tcp import TCPFlow

from ccproxy.addons.notes import Notes
from ccproxy.addons.shelf import ROW, Piece, Shelf, let_go_of_stream, old_turns
from ccproxy.inspector.kept import Kept
from ccproxy.inspector.notes import FAILED, LOSSY
from ccproxy.settings.watching import Inspector as InspectorSettings

DROPPED = "body dropped (inspector.max_bytes)"
"""What the comment of a flow says that has lost its body."""

ROWS = 4
"""Flows without their bodies may take one part in so many of `inspector.max_bytes`."""

LOOKS = 50
"""How often old flows are looked for while one gets old."""

LONGEST_PAUSE = 60.0
"""Seconds between two such looks, at most."""


class Forgetting:
    """Only where flows are kept: in mitmweb and mitmproxy, not in mitmdump or a plain `ccproxy serve`."""

    name = "ccproxy_forgetting"

    def __init__(self, settings: InspectorSettings) -> None:
        self.settings = settings
        self.kept: Kept | None = None
        self.addons: list[Forgetter] = []

    def load(self, loader: Loader) -> None:
        view = ctx.master.addons.lookup.get("view")
        if view is not None:
            self.kept = Kept()
            self.addons.append(Forgetter(self.settings, view, Shelf(self.kept)))


class Forgetter:
    """Watches flows come, grow and go. Flows that a user has loaded or made are his own: they stay.

    Bodies go when there are too many bytes, whole flows when they are old.
    """

    name = "ccproxy_forgetter"

    def __init__(self, settings: InspectorSettings, view: View, shelf: Shelf) -> None:
        self.max_bytes, self.max_age = settings.max_bytes, settings.max_age_seconds
        self.view = view
        self.shelf = shelf
        self.timer: asyncio.TimerHandle | None = None
        view.sig_view_update.connect(self.changed)
        view.sig_store_remove.connect(self.removed)
        view.sig_store_refresh.connect(self.refreshed)

    def running(self) -> None:
        pause = min(LONGEST_PAUSE, self.max_age / LOOKS or LONGEST_PAUSE)
        self.timer = asyncio.get_running_loop().call_later(pause, self.running)
        self.tidy()

    def done(self) -> None:
        if self.timer:
            self.timer.cancel()

    # what happens to flows

    def requestheaders(self, flow: Flow) -> None:
        # in the tools with a script, the view hears of it after us
        if flow.live:
            self.shelf.add(flow)

    def request(self, flow: HTTPFlow) -> None:
        self.shelf.weigh(flow)
        self.make_room()

    def response(self, flow: HTTPFlow) -> None:
        let_go_of_stream(flow)
        if flow.websocket is None:
            self.error(flow)

    def error(self, flow: Flow) -> None:
        self.shelf.end(flow)
        self.make_room()

    def websocket_message(self, flow: Flow) -> None:
        self.shelf.frame(flow)
        self.make_room()

    def websocket_end(self, flow: Flow) -> None:
        self.error(flow)

    def tcp_start(self, flow: TCPFlow) -> None:
        self.requestheaders(flow)

    def tcp_message(self, flow: TCPFlow) -> None:
        self.websocket_message(flow)

    def tcp_end(self, flow: TCPFlow) -> None:
        self.error(flow)

    def tcp_error(self, flow: TCPFlow) -> None:
        self.error(flow)

    # what the user, or another addon, does to them

    def changed(self, flow: Flow) -> None:
        """Edited, noted on, about to be replayed: its body may be another."""
        self.shelf.weigh(flow)

    def removed(self, flow: Flow) -> None:
        self.shelf.forget(flow)

    def refreshed(self) -> None:
        """Several were removed at once."""
        for entry in list(self.shelf.entries.values()):
            if self.view.get_by_id(entry.flow.id) is None:
                self.shelf.forget(entry.flow)

    # the limits

    def tidy(self) -> None:
        """By the clock: what has become old, and what has ended without a word."""
        for entry in self.shelf.entries.values():
            if not entry.flow.live:
                self.shelf.weigh(entry.flow)
        self.make_room()
        if self.max_age and not awaits_file():
            self.remove_old(self.shelf.now() - self.max_age)

    def make_room(self) -> None:
        """Bodies go while there are too many bytes, then flows while they alone are too many."""
        if not self.max_bytes or awaits_file():
            return
        for marked in (False, True):
            for piece in self.excess(marked):
                self.drop(piece)
        most = max(1, self.max_bytes // (ROWS * ROW))
        for marked in (False, True):
            if (count := len(self.shelf.entries) - most) > 0:
                playing = played_back()
                rows = (entry.flow for entry in self.shelf.entries.values())
                idle = (flow for flow in rows if marked_by_user(flow) is marked and not busy(flow, playing))
                self.remove(list(islice(idle, count)))

    def excess(self, marked: bool) -> list[Piece]:
        """The oldest pieces, as many as are too much, of flows with a user's mark or of those without."""
        too_much = self.shelf.kept.bytes - self.max_bytes
        if too_much <= 0:
            return []
        playing, found = played_back(), []
        for piece in self.shelf.pieces():
            flow = piece.entry.flow
            in_use = bool(ctx.options.save_stream_file) if piece.turn else busy(flow, playing)
            if marked_by_user(flow) is marked and not in_use:
                found.append(piece)
                too_much -= piece.size
                if too_much <= 0:
                    break
        return found

    def drop(self, piece: Piece) -> None:
        """Drop a body or a turn, and tell whoever shows the flow."""
        flow = piece.entry.flow
        self.shelf.drop(piece)
        if piece.turn is None and (notes := ctx.master.addons.lookup.get(Notes.name)):
            notes.write(flow, f"{flow.comment}, {DROPPED}".removeprefix(", "))
        self.view.update([flow])

    def remove_old(self, horizon: float) -> None:
        """Flows to which nothing has happened since, and turns of that age; what is marked may stay."""
        playing = played_back()
        self.remove(
            [
                entry.flow
                for entry in self.shelf.entries.values()
                if entry.at < horizon and not marked_by_user(entry.flow) and not busy(entry.flow, playing)
            ]
        )
        if not ctx.options.save_stream_file:
            for entry in list(self.shelf.sockets.values()):
                if not marked_by_user(entry.flow):
                    for piece in list(takewhile(lambda turn: turn.at < horizon, old_turns(entry))):
                        self.drop(piece)

    def remove(self, flows: list[Flow]) -> None:
        for flow in flows:
            # one by one: of several at once the view makes an announcement
            self.view.remove([flow])


def marked_by_user(flow: Flow) -> bool:
    return flow.marked not in ("", FAILED, LOSSY)


def busy(flow: Flow, playing: set[str]) -> bool:
    """Whether somebody still needs the body: a connection, a user who holds it up, a replay."""
    waits = isinstance(flow, HTTPFlow) and flow.is_replay == "request" and not (flow.response or flow.error)
    return flow.live or flow.intercepted or waits or flow.id in playing


def played_back() -> set[str]:
    """The ids of the flows from which mitmproxy answers requests (`replay.server`)."""
    playback = ctx.master.addons.lookup.get("serverplayback")
    return {flow.id for flows in playback.flowmap.values() for flow in flows} if playback else set()


def awaits_file() -> bool:
    """Whether every flow is to go into a file when the tool ends."""
    return bool(getattr(ctx.options, "hardump", ""))
