"""What flows weigh, piece by piece."""

from mitmproxy.http import HTTPFlow
from mitmproxy.test import tflow
from mitmproxy.websocket import WebSocketMessage
from wsproto.frame_protocol import Opcode

from ccproxy.addons.shelf import FRAME, ROW, Shelf, bodies_of
from ccproxy.inspector.kept import Kept


class Clock:
    now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def a_shelf() -> Shelf:
    return Shelf(Kept(), Clock())


def a_flow(shelf: Shelf, asked: bytes = b"a" * 100, answered: bytes = b"b" * 50) -> HTTPFlow:
    """One that has ended."""
    flow = tflow.tflow(resp=True)
    assert flow.response
    flow.request.raw_content, flow.response.raw_content = asked, answered
    shelf.add(flow)
    shelf.end(flow)
    flow.live = False
    return flow


def a_socket(shelf: Shelf) -> HTTPFlow:
    """One that is under way and has said nothing yet."""
    flow = tflow.twebsocketflow()
    assert flow.websocket
    flow.websocket.messages = []
    shelf.add(flow)
    return flow


def say(shelf: Shelf, flow: HTTPFlow, *contents: bytes, from_client: bool = False) -> None:
    assert flow.websocket
    for content in contents:
        flow.websocket.messages.append(WebSocketMessage(Opcode.TEXT, from_client, content))
        shelf.frame(flow)


def turn(shelf: Shelf, flow: HTTPFlow, number: int) -> None:
    say(shelf, flow, b"ask %d" % number, from_client=True)
    say(shelf, flow, b"say %d" % number, b"end %d" % number)


def contents(flow: HTTPFlow) -> list[bytes]:
    assert flow.websocket
    return [message.content for message in flow.websocket.messages]


def test_everything_that_is_held_is_counted() -> None:
    shelf = a_shelf()
    flow = a_flow(shelf)
    assert (shelf.kept.bytes, shelf.kept.flows) == (ROW + 150, 1)
    flow.metadata |= {"ccproxy_original": b"c" * 30, "ccproxy_sides": {"x": [b"dd"], "n": 1}, "other": b"zz"}
    shelf.weigh(flow)
    assert shelf.kept.bytes == ROW + 182
    flow.backup()
    shelf.weigh(flow)
    assert shelf.kept.bytes == ROW + 182 + held_by_the_backup(flow)
    shelf.forget(flow)
    assert (shelf.kept.bytes, shelf.kept.flows) == (0, 0)


def held_by_the_backup(flow: HTTPFlow) -> int:
    with_backup = bodies_of(flow)
    kept, flow._backup = flow._backup, None
    without = bodies_of(flow)
    flow._backup = kept
    assert with_backup - without >= 182
    return with_backup - without


def test_a_flow_that_is_not_on_the_shelf_is_not_counted() -> None:
    shelf, flow = a_shelf(), tflow.twebsocketflow()
    shelf.weigh(flow)
    shelf.frame(flow)
    shelf.end(flow)
    shelf.forget(flow)
    assert (shelf.kept.bytes, shelf.entries, shelf.ended, shelf.sockets) == (0, {}, {}, {})


def test_dropping_leaves_the_row_and_the_times() -> None:
    shelf = a_shelf()
    flow = a_flow(shelf)
    flow.metadata |= {"ccproxy_original": b"c", "ccproxy_times": {"sent": 0.1}, "other": b"zz"}
    flow.backup()
    shelf.weigh(flow)
    (piece,) = shelf.pieces()
    shelf.drop(piece)
    assert flow.response
    assert (flow.request.raw_content, flow.response.raw_content) == (None, None)
    assert flow.metadata == {"ccproxy_times": {"sent": 0.1}, "other": b"zz"}
    assert not flow.modified()
    assert (shelf.kept.bytes, shelf.kept.flows, shelf.kept.dropped) == (ROW, 1, 1)
    assert list(shelf.pieces()) == []


def test_what_a_stream_went_through_goes_when_it_has_ended() -> None:
    def carry(data: bytes) -> bytes:
        return data

    shelf, flow = a_shelf(), tflow.tflow(resp=True)
    assert flow.response
    flow.response.stream = carry
    shelf.add(flow)
    shelf.end(flow)
    before: object = flow.response.stream
    flow.live = False
    shelf.weigh(flow)
    after: object = flow.response.stream
    assert (before, after) == (carry, True)


def test_a_body_that_was_empty_is_not_missing() -> None:
    shelf = a_shelf()
    flow = a_flow(shelf, asked=b"")
    shelf.drop(next(shelf.pieces()))
    assert flow.request.raw_content == b""


def test_a_body_that_a_user_puts_back_can_go_again() -> None:
    shelf = a_shelf()
    flow = a_flow(shelf)
    shelf.drop(next(shelf.pieces()))
    flow.request.content = b"mine"
    shelf.weigh(flow)
    assert [piece.size for piece in shelf.pieces()] == [4]


def test_what_begins_anew_is_under_way_again() -> None:
    shelf = a_shelf()
    flow = a_flow(shelf)
    shelf.add(flow)
    assert (list(shelf.pieces()), shelf.kept.flows) == ([], 1)
    shelf.end(flow)
    assert [piece.size for piece in shelf.pieces()] == [150]


def test_old_turns_of_a_socket_are_pieces_between_the_others() -> None:
    shelf = a_shelf()
    socket = a_socket(shelf)
    turn(shelf, socket, 1)
    first = a_flow(shelf)
    turn(shelf, socket, 2)
    turn(shelf, socket, 3)
    second = a_flow(shelf)
    pieces = list(shelf.pieces())
    assert [piece.entry.flow for piece in pieces] == [socket, first, socket, second]
    assert pieces[0].size == 3 * FRAME + 15
    before = shelf.kept.bytes
    for piece in pieces[:3]:
        shelf.drop(piece)
    assert contents(socket) == [b"ask 3", b"say 3", b"end 3"]
    assert before - shelf.kept.bytes == 6 * FRAME + 30 + 150


def test_a_socket_that_has_ended_goes_as_a_whole() -> None:
    shelf = a_shelf()
    socket = a_socket(shelf)
    turn(shelf, socket, 1)
    turn(shelf, socket, 2)
    shelf.end(socket)
    (piece,) = shelf.pieces()
    assert piece.size == 6 * FRAME + 30 + bodies_of(socket)
    shelf.drop(piece)
    assert (contents(socket), shelf.kept.bytes) == ([], ROW)


def test_a_turn_may_begin_with_several_frames() -> None:
    shelf = a_shelf()
    socket = a_socket(shelf)
    say(shelf, socket, b"1", b"2", from_client=True)
    say(shelf, socket, b"3")
    say(shelf, socket, b"4", from_client=True)
    (piece,) = shelf.pieces()
    shelf.drop(piece)
    assert contents(socket) == [b"4"]


def test_a_turn_without_end_does_not_stay_for_ever() -> None:
    shelf = a_shelf()
    socket = a_socket(shelf)
    say(shelf, socket, *[bytes(3 * 2**20)] * 7)
    assert [piece.size for piece in shelf.pieces()] == [3 * (FRAME + 3 * 2**20)] * 2


def test_a_connection_that_is_no_http_counts_its_chunks() -> None:
    shelf, flow = a_shelf(), tflow.ttcpflow()
    shelf.add(flow)
    chunks = list(flow.messages)
    flow.messages.clear()
    for chunk in chunks:
        flow.messages.append(chunk)
        shelf.frame(flow)
    assert shelf.kept.bytes == ROW + sum(FRAME + len(chunk.content) for chunk in chunks)
    shelf.end(flow)
    shelf.drop(next(shelf.pieces()))
    assert (flow.messages, shelf.kept.bytes) == ([], ROW)
