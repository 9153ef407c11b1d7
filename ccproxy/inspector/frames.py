"""The frames of a WebSocket in Responses mode: which of them make up one turn."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from ccproxy.inspector.layout import as_object, string
from ccproxy.inspector.streams import ENDS

_KINDS = ("response.", "codex.", "error")
"""How the types of frames begin: the public ones, and those of a ChatGPT plan's backend."""

_LAST = (*ENDS, "error")


class Frame(NamedTuple):
    """A frame, and when it came: seconds on any clock."""

    from_client: bool
    content: bytes
    at: float = 0.0


@dataclass(slots=True)
class Turn:
    """What a client asked, None when that is not kept, and the frames that answered it."""

    request: Frame | None
    answer: list[Frame] = field(default_factory=list)
    ended: bool = False


def belongs_to_responses(frame: bytes) -> bool:
    """Whether a frame looks like one of these. The path does not tell: a bridged socket has its own."""
    value = as_object(frame)
    return value is not None and string(value.get("type")).startswith(_KINDS)


def turns(frames: Iterable[Frame]) -> list[Turn]:
    """The turns on a socket, in order of their requests.

    Turns at the same time are told apart by their `stream_id`, where they have one. Frames that belong to
    no turn, such as a plan's limits, are left out.
    """
    found: list[Turn] = []
    running: dict[object, Turn] = {}
    for frame in frames:
        value = as_object(frame.content) or {}
        kind, stream = string(value.get("type")), string(value.get("stream_id"))
        if frame.from_client:
            if kind == "response.create":
                running[stream] = Turn(frame)
                found.append(running[stream])
        elif kind.startswith(("response.", "error")):
            if stream not in running:
                running[stream] = Turn(None)
                found.append(running[stream])
            turn = running[stream]
            turn.answer.append(frame)
            if kind in _LAST:
                turn.ended = True
                del running[stream]
    return found


def turn_before(frame: bytes, earlier: Iterable[Frame]) -> list[bytes]:
    """The server's frames of the turn that `frame` ends, in order; none when it ends no turn."""
    value = as_object(frame) or {}
    if string(value.get("type")) not in _LAST:
        return []
    found = turns((*earlier, Frame(False, frame)))
    ended = next((turn for turn in reversed(found) if turn.answer and turn.answer[-1].content is frame), None)
    return [one.content for one in ended.answer[:-1]] if ended else []
