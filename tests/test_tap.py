import gzip

import pytest

from ccproxy.exchange import Exchange
from ccproxy.tap import LONGEST_REPLY, Tap

STREAM = (
    b'event: message_start\ndata: {"message":{"model":"m","usage":{"input_tokens":9,"output_tokens":1}}}\n\n'
    b'event: message_delta\ndata: {"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":14}}\n\n'
)


def exchange() -> Exchange:
    return Exchange("reverse", "POST", "/api/v1/messages", "anthropic")


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_bytes_pass_and_are_read(encoding: str) -> None:
    seen = exchange()
    tap = Tap(seen, sse=True, encoding=encoding)
    wire = gzip.compress(STREAM) if encoding else STREAM
    assert b"".join(tap(wire[i : i + 7]) for i in range(0, len(wire), 7)) + tap(b"") == wire
    tap.finish()
    assert (seen.model_served, seen.stop_reason) == ("m", "end_turn")
    assert (seen.usage.input, seen.usage.output) == (9, 14)
    assert seen.bytes_out == len(wire)
    assert seen.first_byte is not None


@pytest.mark.parametrize("encoding", ["gzip", "compress"])
def test_what_cannot_be_decoded_still_passes(encoding: str) -> None:
    seen = exchange()
    tap = Tap(seen, sse=True, encoding=encoding)
    assert tap(STREAM) == STREAM
    tap.finish()
    assert seen.usage.output is None


def test_a_reply_is_read_at_its_end() -> None:
    seen = exchange()
    tap = Tap(seen, sse=False, encoding="")
    tap(b'{"model":"m","usage":')
    tap(b'{"input_tokens":3,"output_tokens":4}}')
    tap.finish()
    assert (seen.usage.input, seen.usage.output) == (3, 4)


def test_a_very_long_reply_is_not_kept() -> None:
    seen = exchange()
    tap = Tap(seen, sse=False, encoding="")
    for _ in range(3):
        tap(b" " * (LONGEST_REPLY // 2 + 1))
    tap.finish()
    assert seen.usage.output is None
    assert seen.bytes_out > LONGEST_REPLY


def test_where_an_event_of_ours_may_stand() -> None:
    tap = Tap(exchange(), sse=True, encoding="")
    found = [tap.between_events]
    for chunk in (STREAM[:10], STREAM[10:], b"data: 1\r\n\r", b"\n"):
        tap(chunk)
        found.append(tap.between_events)
    assert found == [True, False, True, False, True]
    assert not Tap(exchange(), sse=False, encoding="").between_events
    assert not Tap(exchange(), sse=True, encoding="gzip").between_events


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (
            b'{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"\\"text_delta\\""}}',
            b'{"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}',
        ),
        (
            b'{"choices":[{"delta":{"role":"assistant","content":""}}]}',
            b'{"choices":[{"delta":{"role":"assistant", "content": "Hi"}}]}',
        ),
        (
            b'{"type":"response.reasoning_summary_text.delta","delta":"Hm"}',
            b'{"type":"response.output_text.delta","delta":"Hi"}',
        ),
    ],
)
def test_when_the_answer_began_to_speak(before: bytes, text: bytes) -> None:
    seen = exchange()
    tap = Tap(seen, sse=True, encoding="")
    tap(b"data: " + before + b"\n\n")
    moments = [seen.first_text or 0]
    for _ in range(2):
        tap(b"data: " + text + b"\n\n")
        moments.append(seen.first_text or 0)
    assert moments == [0, moments[1], moments[1]]
    assert (seen.first_byte or 0) < moments[1] < (seen.last_byte or 0)
