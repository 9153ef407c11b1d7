"""Tools towards OpenAI's Responses API (API reference, read 2026-11-22)."""

from collections.abc import Sequence

from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.request import AnyTool, HostedTool, Tool, ToolChoice, WebSearch
from ccproxy.formats.names import Renamer


def encode_tools(tools: Sequence[AnyTool], names: Renamer) -> tuple[list[JsonObject], list[Loss]]:
    """Functions are flat here. Raises RequestError for a schema that is no object's."""
    values: list[JsonObject] = []
    losses: list[Loss] = []
    for tool in tools:
        match tool:
            case Tool(custom=True):
                values.append(_custom(tool, names))
            case Tool():
                values.append(_function(tool, names))
            case WebSearch():
                values.append(_search(tool, losses))
            case HostedTool(wire="responses"):
                values.append(tool.value)
            case HostedTool():
                kind = tool.value.get("type")
                losses.append(Loss(tool.path, f"OpenAI does not run the tool {kind}: it was left out."))
    return values, losses


def _function(tool: Tool, names: Renamer) -> JsonObject:
    value: JsonObject = {"type": "function", "name": names.wire(tool.name)}
    if tool.description:
        value["description"] = tool.description
    # without `strict` the server would try to be strict, which changes what optional properties mean
    return {**value, "parameters": object_schema(tool.schema, tool.path), "strict": tool.strict is True}


def object_schema(schema: JsonObject | None, path: str) -> JsonObject:
    """The schema of an object, which is all that a function's arguments may be."""
    schema = schema or {}
    if schema.get("type", "object") != "object":
        raise RequestError(path, "must have a schema of the type object")
    # OpenAI refuses an object of which it is not told the properties
    return {"type": "object", "properties": {}} | {k: v for k, v in schema.items() if k != "$schema"}


def _custom(tool: Tool, names: Renamer) -> JsonObject:
    value: JsonObject = {"type": "custom", "name": names.wire(tool.name)}
    if tool.description:
        value["description"] = tool.description
    if tool.grammar is not None:
        value["format"] = {"type": "grammar", "syntax": tool.syntax or "lark", "definition": tool.grammar}
    return value


def _search(tool: WebSearch, losses: list[Loss]) -> JsonObject:
    value: JsonObject = {"type": "web_search"}
    if tool.allowed_domains:
        value["filters"] = {"allowed_domains": list(tool.allowed_domains)}
    if tool.user_location:
        value["user_location"] = tool.user_location
    for name, said in (("blocked_domains", tool.blocked_domains), ("max_uses", tool.max_uses)):
        if said:
            losses.append(Loss(f"{tool.path}.{name}", "OpenAI's web search has no such limit."))
    return value


def encode_choice(choice: ToolChoice, tools: Sequence[AnyTool], names: Renamer) -> str | JsonObject:
    """Raises RequestError when a tool is asked for that OpenAI does not get."""
    if choice.allowed is not None:
        allowed = [_reference(name, tools, names) for name in choice.allowed]
        mode = "required" if choice.mode == "required" else "auto"
        return {"type": "allowed_tools", "mode": mode, "tools": allowed}
    if choice.mode == "tool":
        return _reference(choice.name or "", tools, names)
    return choice.mode


def _reference(name: str, tools: Sequence[AnyTool], names: Renamer) -> JsonObject:
    for tool in tools:
        if isinstance(tool, Tool) and tool.name == name:
            return {"type": "custom" if tool.custom else "function", "name": names.wire(name)}
        if isinstance(tool, WebSearch) and name == "web_search":
            return {"type": "web_search"}
        if isinstance(tool, HostedTool) and tool.value.get("name") == name:
            raise RequestError("tool_choice", f"the tool {name!r} does not run at OpenAI")
    return {"type": "function", "name": names.wire(name)}
