"""What nobody should send: JSON with junk in one place, and streams that lost their order."""

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from hypothesis import strategies as st

from ccproxy.formats.sse import ServerSentEvent

Step = str | int


@cache
def junk() -> st.SearchStrategy[Any]:
    """Any JSON; with what formats are built of, so that it is not refused at the first look."""
    words = st.sampled_from(
        ("text", "tool_use", "tool_result", "function", "message", "user", "assistant", "data:,x", "auto", "")
    )
    leaves = (
        st.none()
        | st.booleans()
        | st.sampled_from((0, -1, 2, 1.5, 1e308, 10**18, 2**64, -(2**63) - 1, 10**400))
        | words
        | st.text(st.characters(codec="utf-8"), max_size=8)
    )
    keys = st.sampled_from(
        ("type", "text", "content", "id", "name", "role", "url", "source", "data", "input", "")
    )
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=8,
    )


def places(value: Any, at: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """The path of every node below `value`."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*at, key)
        yield from places(one, (*at, key))


def replaced(value: Any, path: tuple[Step, ...], new: Any) -> Any:
    """A copy with another node at this path."""
    copied = copy.deepcopy(value)
    node = copied
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = new
    return copied


@st.composite
def spoilt(draw: st.DrawFn, value: Any) -> Any:
    """The same JSON with junk in one or two places, or without them."""
    for _ in range(draw(st.integers(1, 2))):
        if found := list(places(value)):
            path = found[draw(st.integers(0, len(found) - 1))]
            value = replaced(value, path, draw(junk()))
    return value


@st.composite
def disorder(draw: st.DrawFn, events: list[ServerSentEvent]) -> list[ServerSentEvent]:
    """Events of a stream: dropped, doubled, swapped, spoilt, with others in between."""
    said = list(events)
    for _ in range(draw(st.integers(1, 4))):
        if not said:
            break
        at = draw(st.integers(0, len(said) - 1))
        match draw(st.sampled_from(("drop", "cut", "double", "move", "spoil", "other"))):
            case "drop":
                del said[at]
            case "cut":
                del said[at:]
            case "double":
                said.insert(draw(st.integers(0, len(said))), said[at])
            case "move":
                event = said.pop(at)
                said.insert(draw(st.integers(0, len(said))), event)
            case "spoil":
                said[at] = draw(spoilt_event(said[at]))
            case "other":
                said.insert(at, draw(others()))
    return said


@st.composite
def spoilt_event(draw: st.DrawFn, event: ServerSentEvent) -> ServerSentEvent:
    try:
        value = json.loads(event.data)
    except (ValueError, RecursionError):
        return event
    return ServerSentEvent(event.name, json.dumps(draw(spoilt(value)), ensure_ascii=False))


@cache
def others() -> st.SearchStrategy[ServerSentEvent]:
    """Events that are no JSON, no object, unknown, or of another format."""
    data = st.sampled_from(
        (
            "",
            "{",
            "null",
            "[]",
            "[DONE]",
            "[" * 5000,
            '{"a":' * 5000,
            "{}",
            '{"type":null}',
            '{"type":"ping"}',
            '{"type":"novelty","index":0}',
            '{"type":"error","error":{"type":"overloaded_error","message":"full"}}',
            '{"error":{"message":"broken"}}',
            '{"error":"broken"}',
            '{"type":"message_stop"}',
            '{"type":"response.completed"}',
            '{"type":"response.failed","response":{"error":null}}',
            '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
            '{"choices":[{"index":1,"delta":{"content":"second"}}]}',
            '{"choices":[],"usage":{"prompt_tokens":10000000000000000000000}}',
        )
    )
    return st.builds(ServerSentEvent, st.sampled_from(("", "message_stop", "ping", "error")), data)
