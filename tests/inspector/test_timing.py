"""When what happened, in words."""

import json

import pytest

from ccproxy.conversation.parts import Wire
from ccproxy.conversation.usage import Usage
from ccproxy.exchange import Exchange
from ccproxy.inspector.frames import Frame, Turn
from ccproxy.inspector.timing import MOST_STALLS, stream_times, times_of, timing_text, turns_text


def test_what_an_exchange_knows() -> None:
    made = Exchange("reverse", "POST", "/api/v1/messages")
    begun = made.started
    made.sent, made.first_byte, made.first_text = begun + 0.004, begun + 0.42, begun + 0.9
    made.last_byte, made.ended, made.longest_gap = begun + 3.2, begun + 3.21, 1.2
    made.retries, made.bytes_out = 1, 12_345
    times = times_of(made) | {"connect": 0.012, "tls": 0.03}
    assert all(isinstance(value, int | float) for value in times.values())
    assert timing_text(times).split("\n") == [
        "Sent          at 4 ms",
        "First byte    at 0.42 s",
        "First text    at 0.90 s",
        "Last byte     at 3.20 s",
        "Ended         at 3.21 s",
        "Connecting    12 ms",
        "TLS           30 ms",
        "Longest gap   1.20 s",
        "Retries       1",
        "Received      12.3 kB",
    ]


def test_what_it_does_not_know_is_left_out() -> None:
    made = Exchange("reverse", "POST", "/api/v1/messages")
    assert times_of(made) == {}
    made.ended = made.started + 0.5
    assert timing_text(times_of(made)) == "Ended         at 0.50 s"


def test_a_flow_file_may_hold_anything() -> None:
    odd = {"sent": "soon", "retries": None, "thinking": [1], "stalls": [[], 3, ["a", "b"]], "speed": ""}
    assert timing_text({}) == timing_text(odd) == "No times are known."


def messages_event(delta: dict[str, str]) -> bytes:
    return f"data: {json.dumps({'type': 'content_block_delta', 'delta': delta})}\n\n".encode()


THOUGHT = messages_event({"type": "thinking_delta", "thinking": '"text_delta"'})
TEXT = messages_event({"type": "text_delta", "text": '{"type": "input_json_delta"}'})
ARGUMENTS = messages_event({"type": "input_json_delta", "partial_json": "{"})


def test_what_the_pieces_of_a_stream_tell() -> None:
    heard = [
        (0.5, THOUGHT),
        (0.9, THOUGHT),
        (1.5, TEXT[:20]),
        (1.6, TEXT[20:]),
        (3.0, ARGUMENTS),
        (3.5, ARGUMENTS),
    ]
    times = stream_times("anthropic", heard, Usage(output=60))
    assert "speed" in times
    assert timing_text(times | {"sent": 0.01, "first_text": 1.6, "ended": 3.6}).split("\n") == [
        "Sent          at 10 ms",
        "Thinking      at 0.50 s, for 1.10 s",
        "First text    at 1.60 s",
        "Arguments     at 3.00 s, for 0.50 s",
        "Ended         at 3.60 s",
        "Speed         20 tokens/s",
        "Stalls        at 1.60 s, for 1.40 s",
    ]


@pytest.mark.parametrize(
    ("wire", "thinking", "text", "arguments"),
    [
        (
            "chat",
            '{"choices":[{"delta":{"reasoning_content":"x"}}]}',
            '{"choices": [{"delta": {"role": "assistant", "content": "x"}}]}',
            '{"choices":[{"delta":{"content":"","tool_calls":[{"index":0}]}}]}',
        ),
        (
            "responses",
            '{"type":"response.reasoning_summary_text.delta","delta":"x"}',
            '{"type":"response.output_text.delta","delta":"x"}',
            '{"type":"response.custom_tool_call_input.delta","delta":"x"}',
        ),
    ],
)
def test_every_format(wire: Wire, thinking: str, text: str, arguments: str) -> None:
    heard = [
        (at, f"data: {data}\n\n".encode()) for at, data in ((1.0, thinking), (2.0, text), (4.0, arguments))
    ]
    times = stream_times(wire, heard, Usage(output=30, reasoning=10))
    assert times == {"thinking": [1, 1], "arguments": [4, 0], "speed": 10, "stalls": [[2, 2]]}


def test_no_speed_of_what_came_at_once_and_no_phases_of_what_is_no_stream() -> None:
    assert stream_times("anthropic", [(1.0, TEXT), (1.05, TEXT)], Usage(output=9)) == {}
    assert stream_times("anthropic", [(1.0, b'{"a": "text_delta"}')], Usage(output=9)) == {}
    assert stream_times("anthropic", [(1.0, TEXT), (1.9, TEXT)], Usage()) == {}
    assert stream_times(None, [], Usage()) == {}


def test_not_without_end() -> None:
    stalls = stream_times(None, [(2.0 * n, b"x") for n in range(30)], Usage())["stalls"]
    assert isinstance(stalls, list)
    assert len(stalls) == MOST_STALLS


def test_the_turns_on_a_socket() -> None:
    def server(kind: str, at: float) -> Frame:
        return Frame(False, json.dumps({"type": f"response.{kind}"}).encode(), at)

    create = b'{"type":"response.create"}'
    first = Turn(
        Frame(True, create, 101.0),
        [server("created", 101.2), server("output_text.delta", 101.5), server("completed", 103.0)],
        ended=True,
    )
    assert turns_text(
        [first, Turn(Frame(True, create, 105.0)), Turn(None, [server("created", 109.0)])], 100.0
    ) == (
        "Turn 1        at 1.00 s, first event 0.20 s, first text 0.50 s, ended 2.00 s, longest gap 1.50 s\n"
        "Turn 2        at 5.00 s, not ended\n"
        "Turn 3        at 9.00 s, first event 0 ms, not ended"
    )
    assert turns_text([], 0.0) == "No turns."
