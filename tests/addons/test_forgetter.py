"""What goes when there is too much, what goes when it is old, and what stays."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mitmproxy.addons import clientplayback, save, savehar, serverplayback, view
from mitmproxy.flow import Flow
from mitmproxy.http import HTTPFlow
from mitmproxy.test import taddons, tflow
from mitmproxy.websocket import WebSocketMessage
from wsproto.frame_protocol import Opcode

from ccproxy.addons.forgetter import DROPPED, ROWS, Forgetter, Forgetting
from ccproxy.addons.notes import Notes
from ccproxy.addons.shelf import ROW, Shelf
from ccproxy.inspector.kept import Kept
from ccproxy.inspector.notes import FAILED
from ccproxy.settings.watching import Inspector

BODY = 1_000_000


class Tool:
    """A program that keeps flows, with a clock of our own."""

    def __init__(self, context: taddons.context, settings: Inspector) -> None:
        self.context = context
        self.now = 0.0
        self.view: view.View = context.master.addons.get("view")
        self.kept = Kept()
        self.forgetter = Forgetter(settings, self.view, Shelf(self.kept, lambda: self.now))
        context.master.addons.add(self.forgetter)

    def begin(self, flow: HTTPFlow) -> HTTPFlow:
        flow.live = True
        self.view.requestheaders(flow)
        self.forgetter.requestheaders(flow)
        self.forgetter.request(flow)
        return flow

    def flow(self, marked: str = "") -> HTTPFlow:
        """One of BODY bytes that comes, is answered and ends."""
        self.now += 1
        flow = tflow.tflow(resp=True)
        assert flow.response
        flow.request.raw_content, flow.response.raw_content = bytes(BODY - 1), b"x"
        flow.marked = marked
        self.begin(flow)
        self.view.response(flow)
        self.forgetter.response(flow)
        flow.live = False
        return flow

    def socket(self, turns: int) -> HTTPFlow:
        """One under way with so many turns of BODY bytes."""
        flow = tflow.twebsocketflow()
        assert flow.websocket
        flow.websocket.messages = []
        self.begin(flow)
        self.forgetter.response(flow)
        for number in range(turns):
            self.now += 1
            for from_client in (True, False):
                message = WebSocketMessage(Opcode.TEXT, from_client, bytes([number]) * (BODY // 2))
                flow.websocket.messages.append(message)
                self.forgetter.websocket_message(flow)
        return flow

    def later(self, seconds: float) -> None:
        self.now += seconds
        self.forgetter.tidy()

    @property
    def whole(self) -> list[HTTPFlow]:
        """The flows that have their bodies."""
        return [flow for flow in self.flows if flow.request.raw_content]

    @property
    def flows(self) -> list[HTTPFlow]:
        return list(self.view._store.values())  # type: ignore[arg-type]


@contextmanager
def tool(max_bytes: int = 0, max_age: float = 0, *more: object) -> Iterator[Tool]:
    addons = [view.View(), save.Save(), savehar.SaveHar(), serverplayback.ServerPlayback(), Notes(), *more]
    with taddons.context(*addons) as context:
        yield Tool(context, Inspector(max_bytes=max_bytes, max_age_seconds=max_age))


def room_for(bodies: int) -> int:
    """A limit that so many bodies fit under; the rows of a few flows do not matter."""
    return bodies * BODY + BODY // 2


def turns_of(flow: HTTPFlow) -> list[int]:
    assert flow.websocket
    return [message.content[0] for message in flow.websocket.messages if message.from_client]


async def test_it_runs_where_flows_are_kept_and_nowhere_else() -> None:
    seeing, blind = Forgetting(Inspector()), Forgetting(Inspector())
    with taddons.context(view.View(), seeing) as context:
        assert "ccproxy_forgetter" in context.master.addons.lookup
        assert seeing.kept == Kept()
    with taddons.context(blind) as context:
        assert "ccproxy_forgetter" not in context.master.addons.lookup
        assert blind.kept is None


async def test_the_oldest_lose_their_bodies_and_stay_in_the_list() -> None:
    with tool(room_for(3)) as tools:
        first, second, *others = [tools.flow() for _ in range(5)]
        assert tools.whole == others
        assert tools.flows == [first, second, *others]
        assert (first.comment, others[0].comment) == (DROPPED, "")
        assert (tools.kept.flows, tools.kept.dropped) == (5, 2)
        assert tools.kept.bytes == 5 * ROW + 3 * BODY


async def test_a_comment_of_ours_gets_longer_and_a_users_does_not() -> None:
    with tool(room_for(2)) as tools:
        ours, users = tools.flow(), tools.flow()
        tools.context.master.addons.get("ccproxy_notes").write(ours, "model, 3 in")
        users.comment = "mine"
        tools.flow(), tools.flow()
        assert (ours.comment, users.comment) == (f"model, 3 in, {DROPPED}", "mine")
        assert (ours.request.raw_content, users.request.raw_content) == (None, None)


async def test_whoever_shows_it_is_told() -> None:
    with tool(room_for(1)) as tools:
        told: list[Flow] = []

        def note(flow: Flow) -> None:
            told.append(flow)

        first = tools.flow()
        tools.view.sig_view_update.connect(note)
        second = tools.flow()
        assert told == [first, second]


async def test_a_users_mark_spares_while_others_can_go() -> None:
    with tool(room_for(2)) as tools:
        marked, failed = tools.flow(":star:"), tools.flow(FAILED)
        last = [tools.flow() for _ in range(2)]
        assert tools.whole == [marked, last[1]]
        assert failed.request.raw_content is None
        last[0].marked = last[1].marked = ":star:"
        newest = tools.flow(":star:")
        assert tools.whole == [last[1], newest]


async def test_what_is_under_way_intercepted_or_replayed_is_left_alone() -> None:
    with tool(room_for(1), 0, clientplayback.ClientPlayback()) as tools:
        under_way, held, waiting, played = (tools.flow() for _ in range(4))
        under_way.live, held.intercepted = True, True
        waiting.request.raw_content = played.request.raw_content = bytes(BODY)
        tools.context.master.commands.call("replay.client", [waiting])
        tools.context.master.commands.call("replay.server", [played])
        tools.flow(), tools.flow()
        tools.forgetter.tidy()
        for flow in (under_way, held, waiting, played):
            flow.request.raw_content = flow.request.raw_content or bytes(BODY)
        tools.view.update([under_way, held, waiting, played])
        tools.forgetter.tidy()
        assert tools.whole == [under_way, held, waiting, played]


async def test_old_turns_of_a_socket_under_way_go_and_the_newest_stays() -> None:
    with tool(room_for(3)) as tools:
        socket = tools.socket(turns=5)
        assert turns_of(socket) == [2, 3, 4]
        for _ in range(4):
            tools.flow()
        assert turns_of(socket) == [4]


async def test_a_flow_file_gets_a_socket_as_a_whole(tmp_path: Path) -> None:
    with tool(room_for(2)) as tools:
        tools.context.options.update(save_stream_file=str(tmp_path / "flows"))
        assert turns_of(tools.socket(turns=5)) == [0, 1, 2, 3, 4]
        tools.context.options.update(save_stream_file=None)


async def test_a_har_file_gets_everything(tmp_path: Path) -> None:
    with tool(room_for(1), 60) as tools:
        tools.context.options.update(hardump=str(tmp_path / "all.har"))
        flows = [tools.flow() for _ in range(4)]
        tools.later(100)
        assert tools.whole == flows
        tools.context.options.update(hardump="")
        tools.later(0)
        assert tools.flows == []


async def test_rows_alone_do_not_fill_the_room() -> None:
    with tool(ROWS * 3 * ROW) as tools:
        marked = tools.flow(":star:")
        flows = [tools.flow() for _ in range(5)]
        assert tools.flows == [marked, *flows[-2:]]


async def test_old_flows_leave_the_list() -> None:
    with tool(0, 60) as tools:
        old, marked = tools.flow(), tools.flow(":star:")
        long_one = tools.begin(tflow.tflow())
        tools.later(40)
        new = tools.flow()
        assert old in tools.flows
        tools.later(40)
        assert tools.flows == [marked, long_one, new]
        assert tools.kept.flows == 3


async def test_old_turns_leave_a_socket() -> None:
    with tool(0, 60) as tools:
        socket = tools.socket(turns=3)
        tools.later(100)
        assert turns_of(socket) == [2]


async def test_what_ended_without_a_word_can_go() -> None:
    with tool(room_for(1)) as tools:
        killed = tools.begin(tflow.tflow())
        killed.request.raw_content = bytes(BODY)
        killed.live = False
        last = tools.flow()
        tools.forgetter.tidy()
        tools.flow()
        tools.flow()
        assert killed not in tools.whole
        assert last not in tools.whole


async def test_what_the_user_removes_is_not_counted_any_more() -> None:
    with tool() as tools:
        flows = [tools.flow() for _ in range(4)]
        flows[3].marked = ":star:"
        tools.view.remove(flows[:1])
        assert tools.kept.bytes == 3 * (ROW + BODY)
        tools.view.clear_not_marked()
        assert tools.kept.bytes == ROW + BODY
        tools.view.clear()
        assert tools.kept == Kept()
        assert not tools.forgetter.shelf.ended


async def test_what_the_user_made_or_loaded_stays() -> None:
    with tool(room_for(1), 60) as tools:
        copy = tools.flow().copy()
        loaded = tflow.tflow(resp=True)
        tools.view.add([copy])
        await tools.context.master.load_flow(loaded)
        tools.forgetter.requestheaders(loaded)
        tools.later(100)
        assert tools.flows == [copy, loaded]


async def test_no_limits() -> None:
    with tool() as tools:
        flows = [tools.flow() for _ in range(4)]
        tools.later(10**9)
        assert tools.whole == flows


async def test_time_passes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccproxy.addons.forgetter.LONGEST_PAUSE", 0.01)
    with tool(0, 60) as tools:
        tools.flow()
        tools.forgetter.running()
        tools.now = 100
        async with asyncio.timeout(5):
            while tools.flows:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        tools.forgetter.done()
        assert tools.flows == []
