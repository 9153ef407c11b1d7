"""A whole answer: the `message` object of the Messages API (reference, read 2026-11-22)."""

from collections.abc import Iterator
from typing import Any

from ccproxy.conversation.events import Failed, StopReason
from ccproxy.conversation.parts import JsonObject, Part, Reasoning, Refusal, Seal, Text, ToolCall
from ccproxy.conversation.reply import Reply
from ccproxy.conversation.usage import Usage
from ccproxy.formats import carrier
from ccproxy.formats.anthropic import stop
from ccproxy.formats.anthropic.encode_blocks import text_block
from ccproxy.formats.anthropic.upstream_errors import failed
from ccproxy.formats.anthropic.usage import UsageReader, to_wire
from ccproxy.formats.arguments import as_object, compact, unwrap_input, whole
from ccproxy.formats.codec import AnswerTo, Names
from ccproxy.formats.names import wire_id


def decode_reply(body: JsonObject, names: Names) -> Reply | Failed:
    """Blocks that we do not know are left out; an error object is a failure, and so is any other."""
    content = body.get("content")
    if not isinstance(content, list):
        return failed(body, None if "error" in body else 502)
    answer_id = _text(body, "id")
    parts = tuple(
        part for at, block in enumerate(content) if (part := _part(block, names, f"{answer_id}.{at}"))
    )
    reason = body.get("stop_reason")
    end = stop.decode(
        reason if isinstance(reason, str) else None, any(isinstance(part, ToolCall) for part in parts)
    )
    if end is None:
        return unknown_stop(reason)
    reader = UsageReader()
    reader.take(body.get("usage"))
    sequence = body.get("stop_sequence")
    return Reply(
        answer_id,
        _text(body, "model"),
        parts,
        end,
        reader.usage,
        sequence if isinstance(sequence, str) else None,
        explanation(body.get("stop_details")),
    )


def encode_reply(reply: Reply, to: AnswerTo) -> JsonObject:
    """A `message`. A call that was cut short by the length is left out: nobody could run it."""
    body = message(to, reply.usage)
    body["content"] = [
        block
        for part in reply.parts
        if not _is_cut(part, reply) and (shows_reasoning(to) or not isinstance(part, Reasoning))
        for block in _blocks(part)
    ]
    return {**body, **ending(reply.stop, reply.stop_sequence, reply.explanation)}


def message(to: AnswerTo, usage: Usage) -> JsonObject:
    """A message that has no content yet and has not ended."""
    return {
        "id": f"msg_{to.id}",
        "type": "message",
        "role": "assistant",
        "model": to.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": to_wire(usage),
    }


def ending(reason: StopReason, sequence: str | None, said: str | None) -> JsonObject:
    """`stop_reason`, `stop_sequence` and, for a refusal, `stop_details`."""
    end: JsonObject = {"stop_reason": stop.encode(reason), "stop_sequence": sequence}
    if reason == "refusal":
        end["stop_details"] = {"type": "refusal", "category": None, "explanation": said}
    return end


def shows_reasoning(to: AnswerTo) -> bool:
    """Not to a client that switched thinking off, nor where the settings hide it."""
    return to.reasoning != "off" and to.request.params.thinking.mode != "disabled"


def signature(text: str, seal: Seal | None) -> str:
    """Anthropic's own signature as it is, another provider's seal in a carrier, "" without one."""
    if seal is None:
        return ""
    return seal.value if seal.provider == "anthropic" else carrier.pack(seal, text)


def explanation(details: object) -> str | None:
    """What a refusal's `stop_details` say for people."""
    match details:
        case {"explanation": str(said)}:
            return said
    return None


def unknown_stop(reason: object) -> Failed:
    """An end that we cannot name is no regular end."""
    return Failed("api_error", f"The upstream ended its answer for a reason that is not known: {reason}.")


def _part(block: Any, names: Names, place: str) -> Part | None:
    match block:
        case {"type": "text", "text": str(text)} if text:
            return Text(text)
        case {"type": "thinking", "thinking": str(text)}:
            value = block.get("signature")
            return Reasoning(text, Seal("anthropic", value) if isinstance(value, str) and value else None)
        case {"type": "redacted_thinking", "data": str(data)}:
            return Reasoning("", Seal("anthropic", data, redacted=True))
        case {"type": "tool_use", "name": str(name)}:
            given, call_id = block.get("input"), block.get("id")
            arguments = compact(given if isinstance(given, dict) else {})
            name = names.original.get(name, name)
            custom = name in names.custom
            if custom:
                arguments = unwrap_input(arguments)
            return ToolCall(
                call_id if isinstance(call_id, str) and call_id else wire_id(place), name, arguments, custom
            )
    return None


def _blocks(part: Part) -> Iterator[JsonObject]:
    match part:
        case Text() | Refusal():
            if block := text_block(part.text):
                yield block | {"citations": None}
        case Reasoning(seal=Seal(provider="anthropic", redacted=True, value=value)):
            yield {"type": "redacted_thinking", "data": value}
        case Reasoning() if part.text or part.seal:
            yield {"type": "thinking", "thinking": part.text, "signature": signature(part.text, part.seal)}
        case ToolCall():
            arguments = {"input": part.arguments} if part.custom else as_object(part.arguments)
            yield {"type": "tool_use", "id": wire_id(part.id), "name": part.name, "input": arguments}


def _is_cut(part: Part, reply: Reply) -> bool:
    if not isinstance(part, ToolCall) or part.custom or reply.stop != "length" or not part.arguments.strip():
        return False
    return whole(part.arguments) is None


def _text(body: JsonObject, key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""
