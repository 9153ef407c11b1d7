"""Lines as Claude Code 2.1.330 writes them, cut down to what is read, and what must hold of an answer."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from ccproxy.agent.answer import Answer
from ccproxy.agent.message import Collector
from ccproxy.conversation.parts import JsonObject
from ccproxy.formats.sse import written

SESSION = "0b5e4d7c-0000-4000-8000-000000000001"
MODEL = "claude-opus-4-8"
PNG = "iVBORw0KGgo="
USAGE: JsonObject = {
    "input_tokens": 3,
    "cache_creation_input_tokens": 20,
    "cache_read_input_tokens": 100,
    "output_tokens": 1,
}


def line(kind: str, **fields: Any) -> JsonObject:
    return {"type": kind, **fields, "parent_tool_use_id": None, "session_id": SESSION, "uuid": "u-1"}


def system(subtype: str, **fields: Any) -> JsonObject:
    return {"type": "system", "subtype": subtype, **fields, "session_id": SESSION, "uuid": "u-1"}


def init() -> JsonObject:
    return system("init", cwd="/home/user", tools=["Bash"], model=MODEL, permissionMode="default")


def event(message_id: str, kind: str, **fields: Any) -> JsonObject:
    return line("stream_event", event={"type": kind, **fields}, api_message_id=message_id)


def message(message_id: str, content: Sequence[JsonObject], **fields: Any) -> JsonObject:
    named = {"id": message_id, "type": "message", "role": "assistant", "model": MODEL}
    return {**named, "content": list(content), "stop_reason": None, "usage": USAGE, **fields}


def text(words: str) -> JsonObject:
    return {"type": "text", "text": words}


def thinking(words: str, signature: str = "c2lnbmVk") -> JsonObject:
    return {"type": "thinking", "thinking": words, "signature": signature}


def call(call_id: str, name: str, **arguments: Any) -> JsonObject:
    return {"type": "tool_use", "id": call_id, "name": name, "input": arguments}


def begun(message_id: str) -> JsonObject:
    return event(message_id, "message_start", message=message(message_id, []))


def told(message_id: str, index: int, block: JsonObject) -> list[JsonObject]:
    """One streamed block, in two pieces, with its `assistant` line before its stop."""
    kind = block["type"]
    empty = {
        "text": {"type": "text", "text": ""},
        "thinking": {"type": "thinking", "thinking": "", "signature": ""},
        "tool_use": {**block, "input": {}},
    }
    lines = [event(message_id, "content_block_start", index=index, content_block=empty[kind])]
    whole = json.dumps(block["input"]) if kind == "tool_use" else block[kind]
    field = {"text": "text", "thinking": "thinking", "tool_use": "partial_json"}[kind]
    delta = "input_json_delta" if kind == "tool_use" else f"{kind}_delta"
    for piece in (whole[: len(whole) // 2], whole[len(whole) // 2 :]):
        said = {"type": delta, field: piece}
        lines.append(event(message_id, "content_block_delta", index=index, delta=said))
    if signature := block.get("signature"):
        said = {"type": "signature_delta", "signature": signature}
        lines.append(event(message_id, "content_block_delta", index=index, delta=said))
    lines.append(line("assistant", message=message(message_id, [block])))
    return [*lines, event(message_id, "content_block_stop", index=index)]


def over(message_id: str, stop: str = "end_turn", output: int = 7) -> list[JsonObject]:
    usage = {**USAGE, "output_tokens": output}
    delta = {"stop_reason": stop, "stop_sequence": None}
    return [
        event(message_id, "message_delta", delta=delta, usage=usage),
        event(message_id, "message_stop"),
    ]


def streamed(
    message_id: str, *blocks: JsonObject, stop: str = "end_turn", output: int = 7
) -> list[JsonObject]:
    """A whole message of the API."""
    parts = [one for index, block in enumerate(blocks) for one in told(message_id, index, block)]
    return [begun(message_id), *parts, *over(message_id, stop, output)]


def broken(message_id: str, *blocks: JsonObject) -> list[JsonObject]:
    """A message whose stream broke off in its last block: Claude Code makes up the stops."""
    *_, stop = (one for index, block in enumerate(blocks) for one in told(message_id, index, block))
    parts = [
        one
        for index, block in enumerate(blocks)
        for one in told(message_id, index, block)
        if index < len(blocks) - 1 or one["type"] == "stream_event"
    ]
    assert parts[-1] == stop
    return [begun(message_id), *parts, event(message_id, "message_stop")]


def whole(message_id: str, *blocks: JsonObject, stop: str = "end_turn") -> list[JsonObject]:
    """A message that was never streamed: a line for each block."""
    usage = {**USAGE, "output_tokens": 7}
    return [
        line("assistant", message=message(message_id, [one], stop_reason=stop, usage=usage)) for one in blocks
    ]


def came_of(call_id: str, content: Any, is_error: bool = False, **more: Any) -> JsonObject:
    """The `user` line with the result of a call."""
    block = {"tool_use_id": call_id, "type": "tool_result", "content": content, "is_error": is_error}
    return line("user", message={"role": "user", "content": [block]}, **more)


def result(**fields: Any) -> JsonObject:
    done: JsonObject = {
        "subtype": "success",
        "is_error": False,
        "stop_reason": "end_turn",
        "terminal_reason": "completed",
        "num_turns": 1,
        "duration_ms": 90,
        "duration_api_ms": 24,
        "total_cost_usd": 1.5,
        "usage": USAGE,
        "model_usage_since_last_result": {MODEL: {"costUSD": 0.25}},
        "permission_denials": [],
        "result": "",
    }
    return line("result", **(done | fields))


def failed(words: str, error: str, **fields: Any) -> list[JsonObject]:
    """How a failure of the API looks: a made-up answer, and a result that says `success`."""
    made_up = message("e-1", [text(words)], model="<synthetic>", stop_reason="stop_sequence")
    return [
        line("assistant", message=made_up, error=error, is_api_error_message=True, **fields),
        result(
            is_error=True, terminal_reason="api_error", result=words, stop_reason="stop_sequence", **fields
        ),
    ]


def events_of(answer: Answer, lines: Iterable[JsonObject]) -> list[JsonObject]:
    return [one for each in lines for one in answer.take(each)]


def collected(events: Iterable[JsonObject]) -> JsonObject:
    collector = Collector()
    for one in events:
        collector.take(one)
    return collector.message()


def answered(
    lines: Iterable[JsonObject], mode: Any = "ignore", pretty: bool = False, **more: Any
) -> JsonObject:
    """The message that these lines make; the events have to be as they should."""
    answer = Answer(mode, pretty, more.pop("tools", ("get_weather",)), **more)
    events = events_of(answer, lines)
    check(answer, events)
    assert answer.failure is None
    return collected(events)


def sse(events: Iterable[JsonObject]) -> bytes:
    """The events as the app sends them."""
    return b"".join(written(one["type"], json.dumps(one)) for one in events)


DELTAS = {
    "text": {"text_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "tool_use": {"input_json_delta"},
}


def check(answer: Answer, events: Sequence[JsonObject]) -> None:
    """The grammar of a Messages stream: indexes without holes, one block at a time, one end."""
    kinds = [one["type"] for one in events]
    assert kinds.count("message_start") == (1 if kinds else 0)
    assert not kinds or kinds[0] == "message_start"
    if answer.ended and answer.failure is None:
        assert kinds[-2:] == ["message_delta", "message_stop"]
    ends = 1 if answer.ended and answer.failure is None else 0
    assert (kinds.count("message_delta"), kinds.count("message_stop")) == (ends, ends)
    is_open = _check_blocks([one for one in events if one["type"].startswith("content_block")])
    assert not (is_open and ends)


def _check_blocks(events: Sequence[JsonObject]) -> bool:
    following, kind = 0, ""
    for one in events:
        assert one["index"] == following
        match one["type"]:
            case "content_block_start":
                assert not kind
                kind = one["content_block"]["type"]
            case "content_block_delta":
                assert one["delta"]["type"] in DELTAS[kind]
            case "content_block_stop":
                assert kind
                kind, following = "", following + 1
    return bool(kind)
