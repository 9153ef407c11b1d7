"""The messages of a request, from the wire (API reference, read 2026-11-22)."""

import hashlib
from collections import Counter
from collections.abc import Sequence

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from ccproxy.conversation.request import Turn
from ccproxy.formats.arguments import compact
from ccproxy.formats.chat import reasoning
from ccproxy.formats.chat.decode_content import decode_content, decode_texts
from ccproxy.formats.reading import array, mapping, optional, text

TOOL_ERROR = "[tool error] "
"""What a result that is an error begins with: Chat Completions has no flag for it."""

_ROLES = "system, developer, user, assistant, tool and function"


def decode_messages(value: object) -> tuple[tuple[Text, ...], tuple[Turn, ...]]:
    """What stands before the history, and the history.

    `system` and `developer` messages at the start become system text, later ones turns where they stand.
    Messages that say nothing are left out.
    """
    messages = [mapping(item, f"messages.{i}") for i, item in enumerate(array(value, "messages"))]
    roles = [text(message.get("role"), f"messages.{i}.role") for i, message in enumerate(messages)]
    leading = next((i for i, role in enumerate(roles) if role not in ("system", "developer")), len(roles))
    system = [
        part
        for i, message in enumerate(messages[:leading])
        for part in decode_texts(message.get("content"), f"messages.{i}.content")
    ]
    turns = _Turns()
    for i in range(leading, len(messages)):
        turns.take(roles[i], messages[i], f"messages.{i}")
    if not turns.done:
        raise RequestError("messages", "must hold at least one message that is not a system message")
    return tuple(system), tuple(turns.done)


class _Turns:
    def __init__(self) -> None:
        self.done: list[Turn] = []
        # calls and results of the deprecated kind have no id: they pair by name and count
        self._calls: Counter[str] = Counter()
        self._results: Counter[str] = Counter()

    def take(self, role: str, message: JsonObject, path: str) -> None:
        content = message.get("content")
        match role:
            case "system" | "developer":
                self._add(Turn("system", decode_texts(content, f"{path}.content"), path))
            case "user":
                self._add(Turn("user", decode_content(content, f"{path}.content"), path))
            case "assistant":
                self._add(Turn("assistant", self._assistant(message, path), path))
            case "tool":
                call_id = text(message.get("tool_call_id"), f"{path}.tool_call_id")
                self._add(Turn("user", (_result(call_id, content, path),), path))
            case "function":
                name = text(message.get("name"), f"{path}.name")
                self._results[name] += 1
                call_id = _function_id(name, self._results[name])
                self._add(Turn("user", (_result(call_id, content, path),), path))
            case _:
                raise RequestError(f"{path}.role", f"must be one of {_ROLES}, not {role!r}")

    def _add(self, turn: Turn) -> None:
        if turn.parts:
            self.done.append(turn)

    def _assistant(self, message: JsonObject, path: str) -> tuple[Part, ...]:
        if message.get("audio") is not None:
            raise RequestError(f"{path}.audio", "is kept by another provider: send its transcript as content")
        content = optional(decode_content, message.get("content"), f"{path}.content") or ()
        refusal = optional(text, message.get("refusal"), f"{path}.refusal")
        calls: list[Part] = [
            _call(item, f"{path}.tool_calls.{i}")
            for i, item in enumerate(optional(array, message.get("tool_calls"), f"{path}.tool_calls") or ())
        ]
        if (function := optional(mapping, message.get("function_call"), f"{path}.function_call")) is not None:
            name, arguments = _function(function, f"{path}.function_call")
            self._calls[name] += 1
            calls.append(ToolCall(_function_id(name, self._calls[name]), name, arguments))
        return (*_thought(message, content), *((Refusal(refusal),) if refusal else ()), *calls)


def _thought(message: JsonObject, content: Sequence[Part]) -> tuple[Part, ...]:
    """The content with the reasoning before it: sealed if the client brought it back, else as text."""
    tagged: tuple[Reasoning, ...] = ()
    if content and isinstance(content[0], Text):
        tagged, rest = reasoning.without_tags(content[0].text)
        content = (*((Text(rest),) if rest else ()), *content[1:])
    return (*reasoning.thoughts(message), *tagged, *content)


def _call(item: object, path: str) -> ToolCall:
    call = mapping(item, path)
    call_id = text(call.get("id"), f"{path}.id")
    if (custom := optional(mapping, call.get("custom"), f"{path}.custom")) is not None:
        name = text(custom.get("name"), f"{path}.custom.name")
        return ToolCall(call_id, name, text(custom.get("input"), f"{path}.custom.input"), custom=True)
    name, arguments = _function(mapping(call.get("function"), f"{path}.function"), f"{path}.function")
    return ToolCall(call_id, name, arguments)


def _function(function: JsonObject, path: str) -> tuple[str, str]:
    arguments = function.get("arguments")
    # some clients send the object itself, or nothing for a call without arguments
    if isinstance(arguments, dict):
        arguments = _compact(arguments, f"{path}.arguments")
    return (
        text(function.get("name"), f"{path}.name"),
        optional(text, arguments, f"{path}.arguments") or "{}",
    )


def _compact(arguments: JsonObject, path: str) -> str:
    try:
        return compact(arguments)
    except (RecursionError, ValueError):
        raise RequestError(path, "is nested too deeply or holds too large a number") from None


def _result(call_id: str, content: object, path: str) -> ToolResult:
    parts = optional(decode_content, content, f"{path}.content") or ()
    first = parts[0] if parts else None
    if isinstance(first, Text) and first.text.startswith(TOOL_ERROR):
        rest = first.text.removeprefix(TOOL_ERROR)
        return ToolResult(call_id, (*((Text(rest),) if rest else ()), *parts[1:]), is_error=True)
    return ToolResult(call_id, parts)


def _function_id(name: str, ordinal: int) -> str:
    digest = hashlib.sha256(f"{name}:{ordinal}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"call_{digest[:24]}"
