"""Requests and answers on their way between the formats, with as few words as possible."""

import json
from typing import Any

from ccproxy.backends.models import Choice
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.conversation.reply import Reply
from ccproxy.formats.sse import Reader
from ccproxy.translation import Translation, translate

WIRES: tuple[Wire, ...] = ("anthropic", "chat", "responses")
PAIRS = [(client, upstream) for client in WIRES for upstream in WIRES if client != upstream]

CLAUDE, GPT = "claude-opus-4-8", "gpt-5.5"
PARAMETERS: JsonObject = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}


def model_of(wire: Wire) -> str:
    """A model that speaks this format."""
    return CLAUDE if wire == "anthropic" else GPT


def translated(body: JsonObject, client: Wire, upstream: Wire, model: str = "") -> Translation:
    """A client's request for an upstream; it asks for a model of that upstream unless it names one."""
    named = {"model": model or model_of(upstream), **body}
    if client == "anthropic":
        named = {"max_tokens": 4000, **named}
    return translate(
        json.dumps(named).encode(), client, upstream, Choice, "ab12", 1_700_000_000, "reasoning_content"
    )


def sent(body: JsonObject, client: Wire, upstream: Wire, model: str = "") -> Any:
    """The body that the upstream gets."""
    return json.loads(translated(body, client, upstream, model).body)


def labels(translation: Translation) -> list[str]:
    """The losses, as the client reads them in the header."""
    return [loss.label for loss in translation.losses]


def hello(client: Wire, **more: Any) -> JsonObject:
    """The smallest request."""
    key = "input" if client == "responses" else "messages"
    return {key: [{"role": "user", "content": "hello"}], **more}


def asking(client: Wire, upstream: Wire, **more: Any) -> Translation:
    """A translation that is only there for its answer."""
    return translated(hello(client, **more), client, upstream)


def tool(wire: Wire, name: str = "weather", schema: JsonObject | None = None) -> JsonObject:
    """A tool as this format declares it."""
    schema = PARAMETERS if schema is None else schema
    match wire:
        case "anthropic":
            return {"name": name, "input_schema": schema}
        case "chat":
            return {"type": "function", "function": {"name": name, "parameters": schema}}
        case "responses":
            return {"type": "function", "name": name, "parameters": schema, "strict": False}


# --- streams


def sse(*events: JsonObject) -> bytes:
    """Events that say in `type` what they are: Messages and Responses."""
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


def chunks(*values: Any) -> bytes:
    """Chunks of Chat Completions; a string goes as it is."""
    texts = (value if isinstance(value, str) else json.dumps(value) for value in values)
    return b"".join(f"data: {text}\n\n".encode() for text in texts)


def chunk(finish: str | None = None, **delta: Any) -> JsonObject:
    """A chunk of the first choice."""
    return {
        "id": "chatcmpl-1",
        "model": "gpt-x",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def call_delta(index: int, arguments: str = "", call_id: str | None = None, name: str = "") -> JsonObject:
    """An entry of `tool_calls` in a delta."""
    function: JsonObject = {"arguments": arguments}
    return {"index": index, "id": call_id, "function": function | ({"name": name} if name else {})}


def usage_chunk(**usage: Any) -> JsonObject:
    return {"id": "chatcmpl-1", "model": "gpt-x", "choices": [], "usage": usage}


def message_start(**usage: int) -> JsonObject:
    tokens = {"input_tokens": 3, "output_tokens": 1, **usage}
    return {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-x",
            "content": [],
            "stop_reason": None,
            "usage": tokens,
        },
    }


def block(index: int, content: JsonObject, *deltas: JsonObject) -> list[JsonObject]:
    """A content block of Messages from its start to its stop."""
    return [
        {"type": "content_block_start", "index": index, "content_block": content},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def text_block(index: int, text: str) -> list[JsonObject]:
    return block(index, {"type": "text", "text": ""}, {"type": "text_delta", "text": text})


def thinking_block(index: int, text: str, signature: str) -> list[JsonObject]:
    return block(
        index,
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking_delta", "thinking": text},
        {"type": "signature_delta", "signature": signature},
    )


def use_block(index: int, call_id: str, name: str, *fragments: str) -> list[JsonObject]:
    start = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
    return block(index, start, *({"type": "input_json_delta", "partial_json": text} for text in fragments))


def message_end(reason: str = "end_turn", **usage: int) -> list[JsonObject]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 9, **usage}},
        {"type": "message_stop"},
    ]


def item(index: int, value: JsonObject, *events: JsonObject) -> list[JsonObject]:
    """An output item of Responses from `added` to `done`; `value` is the whole item."""
    bare = {key: "" if key in ("arguments", "input") else given for key, given in value.items()}
    for key in ("content", "summary"):
        if key in bare:
            bare[key] = []
    bare.pop("encrypted_content", None)
    place = {"output_index": index, "item_id": value["id"]}
    return [
        {"type": "response.output_item.added", "output_index": index, "item": bare},
        *({**place, **event} for event in events),
        {"type": "response.output_item.done", "output_index": index, "item": value},
    ]


def message_item(index: int, text: str) -> list[JsonObject]:
    part = {"type": "output_text", "text": text, "annotations": []}
    value = {"id": f"msg_{index}", "type": "message", "role": "assistant", "content": [part]}
    delta = {"type": "response.output_text.delta", "content_index": 0, "delta": text}
    return item(index, value, delta)


def call_item(index: int, call_id: str, name: str, arguments: str, *fragments: str) -> list[JsonObject]:
    value = {
        "id": f"fc_{index}",
        "type": "function_call",
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }
    deltas = ({"type": "response.function_call_arguments.delta", "delta": text} for text in fragments)
    return item(index, value, *deltas)


def created() -> JsonObject:
    return {"type": "response.created", "response": {"id": "resp_1", "model": "gpt-x", "output": []}}


def completed(status: str = "completed", **fields: Any) -> JsonObject:
    response = {"id": "resp_1", "model": "gpt-x", "status": status, "output": [], **fields}
    return {"type": f"response.{status}", "response": response}


def streamed(translation: Translation, raw: bytes, *, ended: bool = True) -> bytes:
    """What the client of a stream gets; `ended`: the upstream closes after it."""
    translator = translation.stream()
    pieces = [*translator.feed(raw), *(translator.end() if ended else [])]
    return b"".join(pieces)


def read(raw: bytes) -> list[Any]:
    """The data of the events, decoded; `[DONE]` as it is."""
    return [event.data if event.data == "[DONE]" else json.loads(event.data) for event in Reader().feed(raw)]


def told(translation: Translation, raw: bytes, *, ended: bool = True) -> list[Any]:
    """The events that the client of a stream reads."""
    return read(streamed(translation, raw, ended=ended))


def whole(translation: Translation, raw: bytes) -> Any:
    """What a client that wants no stream gets from the same upstream's stream."""
    reply = translation.collect(raw)
    assert isinstance(reply, Reply), reply
    return json.loads(translation.encode(reply))


# --- what a client puts together from a stream


def message_of(events: list[Any]) -> JsonObject:
    """The message of a Messages stream; fails when a block is reopened or two are open at once."""
    content: list[Any] = []
    fragments: list[str] = []
    ended: JsonObject = {}
    is_open = False
    for event in events:
        match event["type"]:
            case "content_block_start":
                assert not is_open
                assert event["index"] == len(content)
                content.append(dict(event["content_block"]))
                is_open, fragments = True, []
            case "content_block_delta":
                assert is_open
                assert event["index"] == len(content) - 1
                _add(content[-1], event["delta"], fragments)
            case "content_block_stop":
                assert is_open
                is_open = False
                if fragments:
                    content[-1]["input"] = json.loads("".join(fragments))
            case "message_delta":
                ended = {**event["delta"], "usage": event["usage"]}
    return {"content": content, **ended}


def _add(open_block: JsonObject, delta: JsonObject, fragments: list[str]) -> None:
    match delta["type"]:
        case "text_delta":
            open_block["text"] += delta["text"]
        case "thinking_delta":
            open_block["thinking"] += delta["thinking"]
        case "signature_delta":
            open_block["signature"] = delta["signature"]
        case "input_json_delta":
            fragments.append(delta["partial_json"])


def choice_of(events: list[Any]) -> JsonObject:
    """The message of a Chat stream, with its `finish_reason`."""
    text, finish, calls = "", None, dict[int, JsonObject]()
    for event in events:
        for choice in event["choices"] if isinstance(event, dict) else ():
            delta = choice["delta"]
            text += delta.get("content") or ""
            finish = choice["finish_reason"] or finish
            for entry in delta.get("tool_calls", ()):
                if entry["index"] not in calls:
                    calls[entry["index"]] = {"id": entry["id"], **entry["function"]}
                else:
                    calls[entry["index"]]["arguments"] += entry["function"]["arguments"]
    return {"content": text, "finish_reason": finish, "tool_calls": [calls[index] for index in sorted(calls)]}
