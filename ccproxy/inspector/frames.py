"""The frames of a WebSocket in Responses mode: which of them make up one turn."""

from collections.abc import Iterable

from ccproxy.inspector.layout import as_object, string
from ccproxy.inspector.streams import ENDS

_KINDS = ("response.", "codex.", "error")
"""How the types of frames begin: the public ones, and those of a ChatGPT plan's backend."""


def belongs_to_responses(frame: bytes) -> bool:
    """Whether a frame looks like one of these. The path does not tell: a bridged socket has its own."""
    value = as_object(frame)
    return value is not None and string(value.get("type")).startswith(_KINDS)


def turn_before(frame: bytes, earlier: Iterable[tuple[bool, bytes]]) -> list[bytes]:
    """The server's frames of the turn that `frame` ends, in order; none when it ends no turn.

    `earlier` are the frames before it, each with whether it is the client's. Turns on one socket are told
    apart by their `stream_id`, where they have one.
    """
    value = as_object(frame) or {}
    if string(value.get("type")) not in (*ENDS, "error"):
        return []
    turn: list[bytes] = []
    for from_client, content in earlier:
        other = as_object(content)
        if other is None or other.get("stream_id") != value.get("stream_id"):
            continue
        if not from_client:
            turn.append(content)
        elif other.get("type") == "response.create":
            turn = []
    return turn
