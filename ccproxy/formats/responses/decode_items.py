"""The items of a Responses input, as turns (API reference, read 2026-11-22)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import (
    JsonObject,
    Part,
    Reasoning,
    Refusal,
    Seal,
    Text,
    ToolCall,
    ToolResult,
)
from ccproxy.conversation.request import AnyTool, Role, Turn
from ccproxy.formats import carrier, reading
from ccproxy.formats.responses.decode_parts import decode_content
from ccproxy.formats.responses.decode_tools import decode_tools
from ccproxy.formats.responses.namespaces import flat
from ccproxy.formats.responses.text import ERROR_PREFIX

_ROLES: dict[str, Role] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
}

_HOSTED = frozenset(
    (
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "computer_call",
        "computer_call_output",
        "local_shell_call",
        "local_shell_call_output",
        "shell_call",
        "shell_call_output",
        "apply_patch_call",
        "apply_patch_call_output",
        "mcp_list_tools",
        "mcp_call",
        "mcp_approval_request",
        "mcp_approval_response",
        "tool_search_call",
        "program",
        "program_output",
    )
)
"""What OpenAI's own tools leave in a history; both halves of a pair are here, so nothing is left dangling."""

_SERVER_SIDE = {
    "item_reference": "refers to an item that OpenAI keeps; send the item itself",
    "compaction": "holds a history that only OpenAI can read; start a new conversation",
    "compaction_trigger": "asks for a compaction that only OpenAI can do",
}


@dataclass(slots=True)
class Draft:
    """A turn that may still grow."""

    role: Role
    parts: list[Part]
    path: str

    def turn(self) -> Turn:
        return Turn(self.role, tuple(self.parts), self.path)


@dataclass(slots=True)
class Items:
    """What an input says: its turns, the tools that it brings, and later changes to how to answer."""

    turns: list[Draft] = field(default_factory=list)
    tools: list[AnyTool] = field(default_factory=list)
    updates: list[tuple[JsonObject, str]] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)


def decode_items(value: object) -> Items:
    """A string, which is what the user says, or an array of items."""
    found = Items()
    if isinstance(value, str):
        found.turns.append(Draft("user", list(decode_content(value, "input")), "input"))
        return found
    for index, item in enumerate(reading.array(value, "input")):
        _take(found, reading.mapping(item, f"input.{index}"), f"input.{index}")
    return found


def _take(found: Items, item: JsonObject, path: str) -> None:
    kind = _kind(item, path)
    match kind:
        case "message":
            _message(found.turns, item, path)
        case "reasoning":
            _reasoning(found, item, path)
        case "function_call" | "custom_tool_call":
            _said(found.turns, _call(item, path, custom=kind == "custom_tool_call"), path)
        case "function_call_output" | "custom_tool_call_output":
            _answered(found.turns, _result(item, path, custom=kind == "custom_tool_call_output"), path)
        case "additional_tools" | "tool_search_output":
            found.tools.extend(decode_tools(item.get("tools"), f"{path}.tools"))
        case "configuration_update":
            found.updates.append((item, path))
        case _ if kind in _HOSTED:
            found.losses.append(Loss(path, f"A {kind} of OpenAI's own tools was left out."))
        case _ if kind in _SERVER_SIDE:
            raise RequestError(path, f"{kind} {_SERVER_SIDE[kind]}")
        case _:
            raise RequestError(f"{path}.type", f"{kind!r} is not known here and cannot be carried")


def _kind(item: JsonObject, path: str) -> str:
    kind = reading.optional(reading.text, item.get("type"), f"{path}.type")
    if kind is not None:
        return kind
    # an easy message leaves its type out, and so does a reference, which is an id and nothing else
    return "item_reference" if "id" in item and "role" not in item else "message"


def _message(turns: list[Draft], item: JsonObject, path: str) -> None:
    name = reading.text(item.get("role"), f"{path}.role")
    role = _ROLES.get(name)
    if role is None:
        raise RequestError(f"{path}.role", "must be user, assistant, system or developer")
    if item.get("content") is None:
        raise RequestError(f"{path}.content", "is missing")
    parts = list(decode_content(item["content"], f"{path}.content"))
    last = turns[-1] if turns else None
    if role == "assistant" and last and last.role == "assistant":
        # two messages in a row are two turns; reasoning goes with what comes after it
        thoughts: list[Part] = []
        while last.parts and isinstance(last.parts[-1], Reasoning):
            thoughts.insert(0, last.parts.pop())
        if not last.parts:
            turns.pop()
            path = last.path
        parts = thoughts + parts
    turns.append(Draft(role, parts, path))


def _said(turns: list[Draft], part: Part, path: str) -> None:
    if turns and turns[-1].role == "assistant":
        turns[-1].parts.append(part)
    else:
        turns.append(Draft("assistant", [part], path))


def _answered(turns: list[Draft], part: ToolResult, path: str) -> None:
    last = turns[-1] if turns else None
    if last and last.role == "user" and last.parts and isinstance(last.parts[-1], ToolResult):
        last.parts.append(part)
    else:
        turns.append(Draft("user", [part], path))


def _call(item: JsonObject, path: str, custom: bool) -> ToolCall:
    name = reading.text(item.get("name"), f"{path}.name")
    namespace = reading.optional(reading.text, item.get("namespace"), f"{path}.namespace")
    written = "input" if custom else "arguments"
    return ToolCall(
        reading.text(item.get("call_id"), f"{path}.call_id"),
        flat(namespace, name),
        reading.text(item.get(written), f"{path}.{written}"),
        custom,
    )


def _result(item: JsonObject, path: str, custom: bool) -> ToolResult:
    call_id = reading.text(item.get("call_id"), f"{path}.call_id")
    if item.get("output") is None:
        raise RequestError(f"{path}.output", "is missing")
    parts = decode_content(item["output"], f"{path}.output")
    first = parts[0] if parts else None
    if isinstance(first, Text) and first.text.startswith(ERROR_PREFIX):
        parts = _without_prefix(first, parts[1:])
        return ToolResult(call_id, parts, is_error=True, custom=custom)
    return ToolResult(call_id, parts, custom=custom)


def _without_prefix(first: Text, rest: tuple[Part, ...]) -> tuple[Part, ...]:
    text = first.text.removeprefix(ERROR_PREFIX)
    return (Text(text), *rest) if text else rest


def _reasoning(found: Items, item: JsonObject, path: str) -> None:
    summary = _texts(decode_content(item.get("summary"), f"{path}.summary"))
    text = summary or _texts(decode_content(item.get("content"), f"{path}.content"))
    sealed = reading.optional(reading.text, item.get("encrypted_content"), f"{path}.encrypted_content")
    seal: Seal | None = None
    if sealed and (carried := carrier.unpack(sealed)):
        seal, text = carried[0], carried[1] or text
    elif sealed and carrier.is_tagged(sealed):
        found.losses.append(Loss(path, "The reasoning came back changed and was left out."))
        return
    elif sealed:
        seal = Seal("openai", sealed, id=reading.optional(reading.text, item.get("id"), f"{path}.id"))
    if seal or text:
        _said(found.turns, Reasoning(text, seal), path)


def _texts(parts: Sequence[Part]) -> str:
    return "\n\n".join(part.text for part in parts if isinstance(part, Text | Refusal))
