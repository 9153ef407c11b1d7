"""A whole answer, from the wire and onto it (API reference, read 2026-11-22)."""

from collections.abc import Sequence

from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import JsonObject, Part, Reasoning, Refusal, Text, ToolCall
from ccproxy.conversation.reply import Collector, Reply
from ccproxy.formats.chat import reasoning
from ccproxy.formats.chat.answer import answer_id, refusal_of, wants_function_call
from ccproxy.formats.chat.stop import finish_reason
from ccproxy.formats.chat.stream_decoder import StreamDecoder
from ccproxy.formats.chat.tokens import write_usage
from ccproxy.formats.codec import AnswerTo, Names


def decode_reply(body: JsonObject, names: Names) -> Reply | Failed:
    """A message has the shape of one large delta, and is read as a stream of it."""
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not body.get("error") and not isinstance(choice, dict):
        return Failed("api_error", "The upstream answered without a choice.")
    chunk = dict(body)
    if isinstance(choice, dict):
        chunk["choices"] = [{**choice, "index": 0, "delta": choice.get("message")}]
    decoder, collector = StreamDecoder(names), Collector()
    for event in (*decoder.take(chunk), *decoder.finish()):
        collector.take(event)
    return collector.reply or collector.failure or Failed("api_error", "The upstream gave no answer.")


def encode_reply(reply: Reply, to: AnswerTo) -> JsonObject:
    """A `chat.completion` with one choice."""
    message = _message(reply, to)
    called = "tool_calls" in message or "function_call" in message
    finish = finish_reason(reply.stop, called)
    if finish == "tool_calls" and wants_function_call(to):
        finish = "function_call"
    choice: JsonObject = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    if reply.stop_sequence is not None:
        choice["stop_sequence"] = reply.stop_sequence
    body: JsonObject = {
        "id": answer_id(to),
        "object": "chat.completion",
        "created": to.created,
        "model": to.model,
        "choices": [choice],
    }
    if usage := write_usage(reply.usage):
        body["usage"] = usage
    return body


def _message(reply: Reply, to: AnswerTo) -> JsonObject:
    calls = [part for part in reply.parts if isinstance(part, ToolCall)]
    refusals = [part.text for part in reply.parts if isinstance(part, Refusal)]
    texts = [part.text for part in reply.parts if isinstance(part, Text)]
    refusal = "".join(refusals) or refusal_of(reply.stop, reply.explanation, any(texts))
    content = _content(reply.parts, to)
    message: JsonObject = {
        "role": "assistant",
        "content": content or (None if calls or refusal else ""),
        "refusal": refusal,
    }
    if to.reasoning == "reasoning_content":
        message |= _reasoning(reply.parts)
    if calls and wants_function_call(to):
        message["function_call"] = {"name": calls[0].name, "arguments": calls[0].arguments or "{}"}
    elif calls:
        message["tool_calls"] = [_call(call) for call in calls]
    return message


def _content(parts: Sequence[Part], to: AnswerTo) -> str:
    pieces = []
    for part in parts:
        if isinstance(part, Text):
            pieces.append(part.text)
        elif isinstance(part, Reasoning) and part.text and to.reasoning == "tags":
            pieces += [reasoning.OPEN_TAG, part.text, reasoning.CLOSE_TAG]
    return "".join(pieces)


def _reasoning(parts: Sequence[Part]) -> JsonObject:
    thoughts = [part for part in parts if isinstance(part, Reasoning)]
    fields: JsonObject = {}
    if text := "".join(thought.text for thought in thoughts):
        fields["reasoning_content"] = text
    sealed = [(thought.seal, thought.text) for thought in thoughts if thought.seal]
    if sealed:
        fields["reasoning_details"] = [
            reasoning.detail(seal, text, index) for index, (seal, text) in enumerate(sealed)
        ]
    return fields


def _call(call: ToolCall) -> JsonObject:
    if call.custom:
        return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}
    function = {"name": call.name, "arguments": call.arguments or "{}"}
    return {"id": call.id, "type": "function", "function": function}
