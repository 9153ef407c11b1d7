"""Which frames of a WebSocket make up a turn."""

import json

from ccproxy.inspector.frames import Frame, belongs_to_responses, turn_before, turns

CREATE = Frame(True, b'{"type":"response.create"}')
END = b'{"type":"response.completed"}'


def said(text: str, **more: str) -> bytes:
    return json.dumps({"type": "response.output_text.delta", "delta": text, **more}).encode()


def test_a_turn_begins_with_what_the_client_asked_last() -> None:
    earlier = [
        CREATE,
        Frame(False, said("a")),
        Frame(False, END),
        CREATE,
        Frame(False, said("b")),
        Frame(False, said("c")),
    ]
    assert turn_before(END, earlier) == [said("b"), said("c")]


def test_only_the_frame_that_ends_a_turn_tells_it() -> None:
    assert turn_before(said("x"), [CREATE, Frame(False, said("a"))]) == []


def test_turns_of_other_streams_are_not_mixed_in() -> None:
    earlier = [
        Frame(True, b'{"type":"response.create","stream_id":"1"}'),
        Frame(True, b'{"type":"response.create","stream_id":"2"}'),
        Frame(False, said("a", stream_id="1")),
        Frame(False, said("b", stream_id="2")),
        Frame(False, b"\xff"),
    ]
    assert turn_before(b'{"type":"response.completed","stream_id":"1"}', earlier) == [
        said("a", stream_id="1")
    ]


def test_what_is_such_a_frame() -> None:
    assert belongs_to_responses(END)
    assert not any(
        belongs_to_responses(frame) for frame in (b"{}", b"hello", b"[1]", b'{"type":1}', b'{"type":"x"}')
    )


def test_turns_one_after_the_other_and_at_the_same_time() -> None:
    first, second = (Frame(True, b'{"type":"response.create","stream_id":"%d"}' % n) for n in (1, 2))
    limits = Frame(False, b'{"type":"codex.rate_limits"}')
    one, two = Frame(False, said("a", stream_id="1")), Frame(False, said("b", stream_id="2"))
    end = Frame(False, b'{"type":"error","stream_id":"1"}')
    found = turns([limits, first, second, one, two, end, first])
    assert [(turn.request, turn.answer, turn.ended) for turn in found] == [
        (first, [one, end], True),
        (second, [two], False),
        (first, [], False),
    ]


def test_a_turn_whose_request_is_not_kept() -> None:
    (turn,) = turns([Frame(False, said("a")), Frame(False, END)])
    assert (turn.request, len(turn.answer), turn.ended) == (None, 2, True)
