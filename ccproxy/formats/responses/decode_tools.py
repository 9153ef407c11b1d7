"""The tools of a Responses request, and the choice between them (API reference, read 2026-11-22)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.request import AnyTool, HostedTool, Tool, ToolChoice, WebSearch
from ccproxy.formats import reading
from ccproxy.formats.responses.namespaces import flat

SEARCHES = ("web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11")


def decode_tools(value: object, path: str, namespace: str | None = None) -> tuple[AnyTool, ...]:
    """Every tool in order; those of a namespace stand where the namespace stood."""
    tools: list[AnyTool] = []
    for index, item in enumerate(reading.optional(reading.array, value, path) or ()):
        tools.extend(_decode_tool(reading.mapping(item, f"{path}.{index}"), f"{path}.{index}", namespace))
    return tuple(tools)


def _decode_tool(tool: JsonObject, path: str, namespace: str | None) -> tuple[AnyTool, ...]:
    kind = reading.text(tool.get("type"), f"{path}.type")
    match kind:
        case "function":
            return (_function(tool, path, namespace),)
        case "custom":
            return (_custom(tool, path, namespace),)
        case "namespace" if namespace is None:
            return _namespace(tool, path)
        case _ if kind in SEARCHES:
            return (_search(tool, path),)
    return (HostedTool("responses", tool, path),)


def _namespace(space: JsonObject, path: str) -> tuple[AnyTool, ...]:
    tools = decode_tools(space.get("tools"), f"{path}.tools", _name(space, path))
    about = reading.optional(reading.text, space.get("description"), f"{path}.description")
    first = tools[0] if tools else None
    if not about or not isinstance(first, Tool):
        return tools
    # what is said of the whole group is part of the prompt; it goes in front of the first tool's text
    described = f"{about}\n\n{first.description}" if first.description else about
    return replace(first, description=described), *tools[1:]


def _function(tool: JsonObject, path: str, namespace: str | None) -> Tool:
    return Tool(
        flat(namespace, _name(tool, path)),
        reading.optional(reading.text, tool.get("description"), f"{path}.description"),
        reading.optional(reading.mapping, tool.get("parameters"), f"{path}.parameters"),
        reading.optional(reading.boolean, tool.get("strict"), f"{path}.strict"),
        namespace=namespace,
        path=path,
    )


def _custom(tool: JsonObject, path: str, namespace: str | None) -> Tool:
    where = f"{path}.format"
    form = reading.optional(reading.mapping, tool.get("format"), where) or {}
    grammar = form.get("type") == "grammar"
    return Tool(
        flat(namespace, _name(tool, path)),
        reading.optional(reading.text, tool.get("description"), f"{path}.description"),
        custom=True,
        grammar=reading.text(form.get("definition"), f"{where}.definition") if grammar else None,
        syntax=reading.text(form.get("syntax"), f"{where}.syntax") if grammar else None,
        namespace=namespace,
        path=path,
    )


def _name(tool: JsonObject, path: str) -> str:
    if name := reading.text(tool.get("name"), f"{path}.name"):
        return name
    raise RequestError(f"{path}.name", "must not be empty")


def _search(tool: JsonObject, path: str) -> WebSearch:
    where = f"{path}.filters"
    filters = reading.optional(reading.mapping, tool.get("filters"), where) or {}
    return WebSearch(
        reading.optional(reading.texts, filters.get("allowed_domains"), f"{where}.allowed_domains") or (),
        reading.optional(reading.texts, filters.get("blocked_domains"), f"{where}.blocked_domains") or (),
        user_location=reading.optional(reading.mapping, tool.get("user_location"), f"{path}.user_location"),
        path=path,
        others=tuple(name for name, value in tool.items() if _is_own(name, value)),
    )


def _is_own(name: str, value: object) -> bool:
    """Whether it is an option of OpenAI's web search alone, and not the default."""
    if name == "external_web_access":
        return value is False
    return name not in ("type", "filters", "user_location") and value is not None


def decode_choice(value: object, tools: Sequence[AnyTool]) -> ToolChoice | None:
    """None when the client did not say. Raises RequestError for a hosted tool that nobody else can run."""
    if value is None:
        return None
    if isinstance(value, str):
        return ToolChoice(_mode(value, "tool_choice"))
    choice = reading.mapping(value, "tool_choice")
    kind = reading.text(choice.get("type"), "tool_choice.type")
    if kind == "allowed_tools":
        mode = reading.text(choice.get("mode"), "tool_choice.mode")
        entries = reading.array(choice.get("tools"), "tool_choice.tools")
        allowed = [
            _named(reading.mapping(entry, f"tool_choice.tools.{index}"), f"tool_choice.tools.{index}", tools)
            for index, entry in enumerate(entries)
        ]
        return ToolChoice(_mode(mode, "tool_choice.mode"), allowed=tuple(allowed))
    return ToolChoice("tool", _named(choice, "tool_choice", tools))


def _mode(value: str, path: str) -> Literal["auto", "none", "required"]:
    match value:
        case "auto" | "none" | "required":
            return value
    raise RequestError(path, "must be auto, none, required or an object")


def _named(choice: JsonObject, path: str, tools: Sequence[AnyTool]) -> str:
    kind = reading.text(choice.get("type"), f"{path}.type")
    if kind in SEARCHES:
        return "web_search"
    if kind not in ("function", "custom"):
        raise RequestError(path, f"the tool {kind!r} runs at OpenAI only")
    name = reading.text(choice.get("name"), f"{path}.name")
    namespace = reading.optional(reading.text, choice.get("namespace"), f"{path}.namespace")
    wanted = flat(namespace, name)
    ours = [tool for tool in tools if isinstance(tool, Tool)]
    if any(tool.name == wanted for tool in ours):
        return wanted
    # a choice may name a tool of a namespace without the namespace
    return next((tool.name for tool in ours if flat(tool.namespace, name) == tool.name), wanted)
