"""Which frames of a WebSocket make up a turn."""

import json

from ccproxy.inspector.frames import belongs_to_responses, turn_before

CREATE = (True, b'{"type":"response.create"}')
END = b'{"type":"response.completed"}'


def said(text: str, **more: str) -> bytes:
    return json.dumps({"type": "response.output_text.delta", "delta": text, **more}).encode()


def test_a_turn_begins_with_what_the_client_asked_last() -> None:
    earlier = [CREATE, (False, said("a")), (False, END), CREATE, (False, said("b")), (False, said("c"))]
    assert turn_before(END, earlier) == [said("b"), said("c")]


def test_only_the_frame_that_ends_a_turn_tells_it() -> None:
    assert turn_before(said("x"), [CREATE, (False, said("a"))]) == []


def test_turns_of_other_streams_are_not_mixed_in() -> None:
    earlier = [
        (True, b'{"type":"response.create","stream_id":"1"}'),
        (True, b'{"type":"response.create","stream_id":"2"}'),
        (False, said("a", stream_id="1")),
        (False, said("b", stream_id="2")),
        (False, b"\xff"),
    ]
    assert turn_before(b'{"type":"response.completed","stream_id":"1"}', earlier) == [
        said("a", stream_id="1")
    ]


def test_what_is_such_a_frame() -> None:
    assert belongs_to_responses(END)
    assert not any(
        belongs_to_responses(frame) for frame in (b"{}", b"hello", b"[1]", b'{"type":1}', b'{"type":"x"}')
    )
