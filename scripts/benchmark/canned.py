"""What the canned upstream answers, in Anthropic's Messages format (API reference, read 2026-11-22).

How a streamed answer is to look is written into the prompt itself (`StreamShape.marker`), because some
proxies forward the body but drop headers they do not know.
"""

import json
import re
from dataclasses import dataclass
from itertools import cycle, islice

MODEL = "claude-sonnet-4-5-20250929"
REPLY_TEXT = "Canned answer from the benchmark's own upstream."
REPLY_TOKENS = 12
DELTA_TEXTS = ("token ", "after ")
"""The texts of the deltas, in turn: LiteLLM takes a hundred equal ones for a model that has got stuck."""
FIRST_TEXT = DELTA_TEXTS[0].encode()
"""In no format is it part of anything but the text, so it marks the first event that carries some."""
EVENTS_AROUND_DELTAS = 5
"""Events of every stream that are not text deltas: three start and stop the message, two the block."""

_MARKER = re.compile(rb"bench-stream deltas=(\d+) burst=(\d+) pause_ms=(\d+)")


@dataclass(frozen=True)
class StreamShape:
    """A streamed answer: how many text deltas, how many of them per write, and the pause between writes."""

    deltas: int
    burst: int
    pause_ms: int

    @property
    def events(self) -> int:
        return self.deltas + EVENTS_AROUND_DELTAS

    @property
    def text(self) -> str:
        return "".join(islice(cycle(DELTA_TEXTS), self.deltas))

    @property
    def marker(self) -> str:
        return f"bench-stream deltas={self.deltas} burst={self.burst} pause_ms={self.pause_ms}"

    @classmethod
    def find(cls, body: bytes) -> "StreamShape":
        """The shape that a request body asks for; a short stream when it names none."""
        found = _MARKER.search(body)
        if not found:
            return cls(deltas=10, burst=1, pause_ms=0)
        deltas, burst, pause_ms = (int(number) for number in found.groups())
        return cls(deltas, max(burst, 1), pause_ms)


def reply_body() -> bytes:
    """The answer to a request that is not streamed."""
    content: list[object] = [{"type": "text", "text": REPLY_TEXT}]
    return dump(_message(content, stop_reason="end_turn", output_tokens=REPLY_TOKENS))


def stream_events(shape: StreamShape) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """The events of a streamed answer: those before the deltas, the deltas that take turns, those after."""
    opening = [
        _event("message_start", message=_message(content=[], stop_reason=None, output_tokens=1)),
        _event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    ]
    deltas = [
        _event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})
        for text in DELTA_TEXTS
    ]
    closing = [
        _event("content_block_stop", index=0),
        _event(
            "message_delta",
            delta={"stop_reason": "end_turn", "stop_sequence": None},
            usage={"output_tokens": shape.deltas},
        ),
        _event("message_stop"),
    ]
    return opening, deltas, closing


def dump(value: object) -> bytes:
    """JSON without blanks, as clients and servers send it."""
    return json.dumps(value, separators=(",", ":")).encode()


def _message(content: list[object], stop_reason: str | None, output_tokens: int) -> dict[str, object]:
    return {
        "id": "msg_benchmark",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 250,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": output_tokens,
        },
    }


def _event(name: str, **fields: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), dump({"type": name, **fields}))
