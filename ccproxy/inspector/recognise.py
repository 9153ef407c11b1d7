"""Which format a body is in: by where it went, and by what it looks like.

A flow's request is as the upstream got it, but its answer may be in either format: streams as the upstream
sent them, whole answers as the client read them. So an answer is recognised by its own look first.
"""

from itertools import islice

from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.formats.sse import Reader
from ccproxy.inspector.layout import as_object, items, mapping, string

_ENDINGS: tuple[tuple[str, Wire], ...] = (
    ("/messages", "anthropic"),
    ("/messages/count_tokens", "anthropic"),
    ("/chat/completions", "chat"),
    ("/responses", "responses"),
    ("/responses/compact", "responses"),
    ("/responses/input_tokens", "responses"),
)

LOOKED_AT = 8
"""Events at the start of a stream that may have to be read: comments and keep-alives come first."""


def wire_of_path(path: str) -> Wire | None:
    """The format of what a path takes, on any host and behind any prefix."""
    path = path.partition("?")[0].rstrip("/")
    return next((wire for ending, wire in _ENDINGS if path.endswith(ending)), None)


def wire_of_request(path: str, body: bytes) -> Wire | None:
    """The format of a request, None for a body that is none. Without a telling path its look decides."""
    value = as_object(body)
    if value is None:
        return None
    wire = wire_of_path(path)
    if wire == "responses":
        return "responses" if "input" in value or "prompt" in value or "model" in value else None
    if isinstance(value.get("messages"), list):
        return wire or _messages_or_chat(value)
    return "responses" if wire is None and "model" in value and "input" in value else None


def wire_of_answer(path: str, body: bytes) -> Wire | None:
    """The format of an answer, a stream or an error; None for what is none."""
    if body.lstrip()[:1] == b"{":
        value = as_object(body)
        return None if value is None else _of_object(value, wire_of_path(path))
    for event in islice(Reader().feed(body), LOOKED_AT):
        value = as_object(event.data)
        if value is not None and (wire := _of_event(value, wire_of_path(path))):
            return wire
    return None


def _messages_or_chat(value: JsonObject) -> Wire:
    turns = [mapping(turn) for turn in items(value["messages"])]
    if any(turn.get("role") in ("developer", "tool") or "tool_calls" in turn for turn in turns):
        return "chat"
    if "system" in value or any("input_schema" in mapping(tool) for tool in items(value.get("tools"))):
        return "anthropic"
    return "anthropic" if "max_tokens" in value and turns[:1] and turns[0].get("role") != "system" else "chat"


def _of_object(value: JsonObject, path: Wire | None) -> Wire | None:
    kind = string(value.get("object"))
    if value.get("type") in ("message", "error"):
        return "anthropic"
    if kind == "chat.completion" or isinstance(value.get("choices"), list):
        return "chat"
    if kind.startswith("response"):
        return "responses"
    return path if "error" in value or "input_tokens" in value else None


def _of_event(value: JsonObject, path: Wire | None) -> Wire | None:
    kind = string(value.get("type"))
    if kind in ("message_start", "message_delta", "message_stop") or kind.startswith("content_block_"):
        return "anthropic"
    if kind.startswith("response."):
        return "responses"
    if isinstance(value.get("choices"), list):
        return "chat"
    return path if kind == "error" or "error" in value else None
