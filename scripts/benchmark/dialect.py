"""What the load generator has to know of a client format: how to ask in it, and what a right answer is."""

import json
from typing import Any, Protocol

from .canned import StreamShape, dump
from .client import Answer, AnswerError

DONE = "[DONE]"


class Dialect(Protocol):
    """One client format. The modules `messages`, `chat` and `responses` offer these names."""

    HEADERS: dict[str, str]
    """What a real client of this format sends with each request, with a dummy key."""

    def request_body(self, size: int, shape: StreamShape | None = None) -> bytes:
        """A request of about `size` bytes; streamed when a shape is given."""
        ...

    def check_reply(self, answer: Answer) -> None:
        """Raises AnswerError unless this is the canned reply."""
        ...

    def check_stream(self, answer: Answer, shape: StreamShape) -> None:
        """Raises AnswerError unless this is the whole canned stream."""
        ...


def question(shape: StreamShape | None) -> str:
    """The last turn of every request."""
    return f"Say hello. {shape.marker if shape else ''}".strip()


def padded(request: dict[str, Any], filler: dict[str, Any], size: int) -> bytes:
    """The request as bytes, its `filler`, a turn somewhere in it, grown until it has the size."""
    filler["content"] = ""
    missing = max(size - len(dump(request)), 1)
    filler["content"] = ("The quick brown fox jumps over the lazy dog. " * (missing // 45 + 1))[:missing]
    return dump(request)


def json_body(answer: Answer) -> dict[str, Any]:
    """The body of a reply. Raises AnswerError unless it is a JSON object with status 200."""
    demand(answer.status == 200, "status", answer)
    return _object(answer.body, answer)


def stream_data(answer: Answer) -> tuple[list[dict[str, Any]], bool]:
    """The JSON of every event of a stream, and whether `[DONE]` was the last; names are passed over."""
    demand(answer.status == 200, "status", answer)
    lines = [line[5:].strip() for line in answer.body.split(b"\n") if line.startswith(b"data:")]
    is_done = bool(lines) and lines[-1] == DONE.encode()
    return [_object(line, answer) for line in (lines[:-1] if is_done else lines)], is_done


def demand(condition: bool, what: str, answer: Answer) -> None:
    """Raises AnswerError, with the end of the answer, when the condition does not hold."""
    if not condition:
        raise AnswerError(f"wrong {what}, status {answer.status}: {answer.body[-300:]!r}")


def _object(text: bytes, answer: Answer) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    demand(isinstance(value, dict), "JSON", answer)
    assert isinstance(value, dict)
    return value
