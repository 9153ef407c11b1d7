"""Tools and the choice among them, onto the wire (API reference, read 2026-11-22)."""

from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.request import AnyTool, HostedTool, Request, Tool, ToolChoice
from ccproxy.formats.names import Renamer

NAME_LIMIT = 64


def encode_tools(request: Request, renamer: Renamer) -> tuple[JsonObject, list[Loss]]:
    """The fields `tools`, `tool_choice` and `parallel_tool_calls`; none of them when no tool is left.

    Raises RequestError when a tool is asked for that is not among them.
    """
    losses: list[Loss] = []
    tools = [encoded for tool in request.tools if (encoded := _tool(tool, renamer, losses))]
    choice = request.tool_choice
    if choice and choice.mode in ("required", "tool"):
        _check_choice(choice, request.tools)
    if not tools:
        if choice and choice.mode in ("required", "tool"):
            raise RequestError("tool_choice", "asks for a tool, and there is none")
        return {}, losses
    fields: JsonObject = {"tools": tools}
    if choice:
        fields["tool_choice"] = _choice(choice, request.tools, renamer)
    if request.params.parallel_tool_calls is not None:
        fields["parallel_tool_calls"] = request.params.parallel_tool_calls
    return fields, losses


def object_schema(schema: JsonObject, path: str) -> JsonObject:
    """A schema as a function's parameters: an object at its root, without `$schema`."""
    kind = schema.get("type", "object")
    if kind != "object":
        raise RequestError(path, f"must have a schema of the type object, not {kind!r}")
    kept = {name: value for name, value in schema.items() if name != "$schema"}
    return {"type": "object", "properties": {}} | kept


def _tool(tool: AnyTool, renamer: Renamer, losses: list[Loss]) -> JsonObject | None:
    if isinstance(tool, HostedTool) and _is_kept(tool):
        return tool.value
    if not isinstance(tool, Tool):
        losses.append(Loss(tool.path, "Chat Completions has no tools that the provider runs."))
        return None
    function: JsonObject = {"name": renamer.wire(tool.name, tool.custom)}
    if description := _description(tool, losses):
        function["description"] = description
    if tool.custom:
        function["parameters"] = {
            "type": "object",
            "properties": {"input": {"type": "string"}},
            "required": ["input"],
            "additionalProperties": False,
        }
    elif tool.schema is not None:
        function["parameters"] = object_schema(tool.schema, tool.path)
    if tool.strict and not tool.custom:
        function["strict"] = True
    return {"type": "function", "function": function}


def _description(tool: Tool, losses: list[Loss]) -> str | None:
    if not tool.grammar:
        return tool.description
    losses.append(Loss(tool.path, "A grammar cannot be enforced; it went into the description.", "grammar"))
    grammar = f"The input must match this {tool.syntax or ''} grammar:".replace("  ", " ")
    return "\n\n".join(piece for piece in (tool.description, f"{grammar}\n{tool.grammar}") if piece)


def _check_choice(choice: ToolChoice, tools: tuple[AnyTool, ...]) -> None:
    lost = [tool for tool in tools if not _is_kept(tool)]
    names = {tool.name for tool in tools if isinstance(tool, Tool)}
    if choice.mode == "tool":
        is_left = choice.name in names
    elif choice.allowed is not None:
        is_left = not names.isdisjoint(choice.allowed)
    else:
        is_left = len(lost) < len(tools)
    if lost and not is_left:
        path = lost[0].path
        raise RequestError(path, "is run by its provider and must not be left out when it is asked for")


def _is_kept(tool: AnyTool) -> bool:
    return isinstance(tool, Tool) or (isinstance(tool, HostedTool) and tool.wire == "chat")


def _choice(choice: ToolChoice, tools: tuple[AnyTool, ...], renamer: Renamer) -> object:
    if choice.mode == "tool" and choice.name is not None:
        return {"type": "function", "function": {"name": renamer.wire(choice.name)}}
    if choice.allowed is None or choice.mode not in ("auto", "required"):
        return choice.mode
    ours = {tool.name for tool in tools if isinstance(tool, Tool)}
    allowed = [
        {"type": "function", "function": {"name": renamer.wire(name)}}
        for name in choice.allowed
        if name in ours
    ]
    if not allowed:
        return "none"
    return {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode, "tools": allowed}}
