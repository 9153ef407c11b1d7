"""Streams of the Messages API, event by event, and the grammar that their events keep."""

import json
from collections.abc import Iterable

from ccproxy.conversation.events import (
    BlockEnded,
    BlockStarted,
    Delta,
    Event,
    Failed,
    Finished,
    Ping,
    Sealed,
    Started,
    UsageSeen,
)
from ccproxy.conversation.parts import JsonObject

START: JsonObject = {
    "type": "message_start",
    "message": {"id": "msg_1", "model": "claude-x", "usage": {"input_tokens": 9, "output_tokens": 1}},
}
STOP: JsonObject = {"type": "message_stop"}
PING: JsonObject = {"type": "ping"}


def sse(*events: JsonObject) -> bytes:
    return b"".join(b"event: %s\ndata: %s\n\n" % (e["type"].encode(), json.dumps(e).encode()) for e in events)


def start(index: int, kind: str = "text", **fields: object) -> JsonObject:
    return {"type": "content_block_start", "index": index, "content_block": {"type": kind, **fields}}


def tool(index: int, name: str = "add", **fields: object) -> JsonObject:
    return start(index, "tool_use", **{"id": f"toolu_{index}", "name": name, "input": {}, **fields})


def delta(index: int, kind: str, **fields: object) -> JsonObject:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def text(index: int, said: str) -> JsonObject:
    return delta(index, "text_delta", text=said)


def fragment(index: int, said: str) -> JsonObject:
    return delta(index, "input_json_delta", partial_json=said)


def stop(index: int) -> JsonObject:
    return {"type": "content_block_stop", "index": index}


def end(reason: str | None = "end_turn", usage: JsonObject | None = None, **fields: object) -> JsonObject:
    return {"type": "message_delta", "delta": {"stop_reason": reason, **fields}, "usage": usage or {}}


def assert_grammar(events: Iterable[Event]) -> None:
    """As `ccproxy.conversation.events` has it: a start, blocks one by one, one end; or a failure anywhere."""
    state = "before"
    moves: dict[tuple[str, type], str] = {
        ("before", Started): "between",
        ("between", BlockStarted): "inside",
        ("inside", Delta): "inside",
        ("inside", Sealed): "sealed",
        ("inside", BlockEnded): "between",
        ("sealed", BlockEnded): "between",
        ("between", Finished): "over",
    }
    for event in events:
        if isinstance(event, Ping | UsageSeen) and state not in ("before", "over"):
            continue
        if isinstance(event, Failed) and state != "over":
            state = "over"
            continue
        assert (state, type(event)) in moves, f"{event} when {state}"
        state = moves[state, type(event)]
        assert not isinstance(event, Delta) or event.text
    assert state == "over"
