"""Tools and the choice among them, from the wire (API reference, read 2026-11-22)."""

from typing import Literal

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.request import AnyTool, HostedTool, Tool, ToolChoice
from ccproxy.formats.reading import array, boolean, mapping, optional, text


def decode_tools(body: JsonObject) -> tuple[AnyTool, ...]:
    """`tools`, and the deprecated `functions`; a tool of an unknown type is one that the provider runs."""
    tools = optional(array, body.get("tools"), "tools") or ()
    functions = optional(array, body.get("functions"), "functions") or ()
    return (
        *(_tool(mapping(item, f"tools.{i}"), f"tools.{i}") for i, item in enumerate(tools)),
        *(_function(item, f"functions.{i}", f"functions.{i}") for i, item in enumerate(functions)),
    )


def decode_choice(body: JsonObject, tools: tuple[AnyTool, ...]) -> ToolChoice | None:
    """`tool_choice`, or the deprecated `function_call`. Without tools no call can be asked for."""
    path = "tool_choice" if body.get("tool_choice") is not None else "function_call"
    choice = optional(_choice, body.get(path), path)
    if choice and choice.mode in ("required", "tool") and not tools:
        raise RequestError(path, "asks for a tool, but there are no tools")
    return choice


def _tool(tool: JsonObject, path: str) -> AnyTool:
    kind = optional(text, tool.get("type"), f"{path}.type")
    if kind == "function" or (kind is None and "function" in tool):
        return _function(tool.get("function"), f"{path}.function", path)
    if kind == "custom":
        return _custom(mapping(tool.get("custom"), f"{path}.custom"), f"{path}.custom", path)
    text(kind, f"{path}.type")
    return HostedTool("chat", tool, path)


def _function(value: object, path: str, tool_path: str) -> Tool:
    function = mapping(value, path)
    return Tool(
        _name(function, path),
        optional(text, function.get("description"), f"{path}.description"),
        optional(mapping, function.get("parameters"), f"{path}.parameters"),
        optional(boolean, function.get("strict"), f"{path}.strict"),
        path=tool_path,
    )


def _custom(custom: JsonObject, path: str, tool_path: str) -> Tool:
    grammar: JsonObject = {}
    shape = optional(mapping, custom.get("format"), f"{path}.format") or {}
    if shape.get("type") == "grammar":
        grammar = mapping(shape.get("grammar"), f"{path}.format.grammar")
    return Tool(
        _name(custom, path),
        optional(text, custom.get("description"), f"{path}.description"),
        custom=True,
        grammar=optional(text, grammar.get("definition"), f"{path}.format.grammar.definition"),
        syntax=optional(text, grammar.get("syntax"), f"{path}.format.grammar.syntax"),
        path=tool_path,
    )


def _name(value: JsonObject, path: str) -> str:
    if name := text(value.get("name"), f"{path}.name"):
        return name
    raise RequestError(f"{path}.name", "must not be empty")


def _choice(value: object, path: str) -> ToolChoice:
    match value:
        case "auto" | "none" | "required":
            return ToolChoice(value)
        case str():
            raise RequestError(path, f"must be none, auto, required or an object, not {value!r}")
    choice = mapping(value, path)
    if "name" in choice and "type" not in choice:
        return ToolChoice("tool", _name(choice, path))
    match kind := text(choice.get("type"), f"{path}.type"):
        case "function" | "custom":
            return ToolChoice("tool", _name(mapping(choice.get(kind), f"{path}.{kind}"), f"{path}.{kind}"))
        case "allowed_tools":
            return _allowed(mapping(choice.get("allowed_tools"), f"{path}.{kind}"), f"{path}.{kind}")
    raise RequestError(f"{path}.type", f"must be function, custom or allowed_tools, not {kind!r}")


def _allowed(allowed: JsonObject, path: str) -> ToolChoice:
    mode: Literal["auto", "required"]
    match allowed.get("mode"):
        case "auto" | "required" as mode:
            pass
        case _:
            raise RequestError(f"{path}.mode", "must be auto or required")
    names = []
    for i, item in enumerate(array(allowed.get("tools"), f"{path}.tools")):
        tool = mapping(item, f"{path}.tools.{i}")
        kind = "custom" if tool.get("type") == "custom" else "function"
        inner = f"{path}.tools.{i}.{kind}"
        names.append(_name(mapping(tool.get(kind), inner), inner))
    return ToolChoice(mode, allowed=tuple(names))
