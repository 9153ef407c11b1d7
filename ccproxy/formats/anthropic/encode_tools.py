"""Tools and tool choice as Anthropic takes them (tool use guide, read 2026-11-22)."""

from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.request import AnyTool, HostedTool, Request, Tool, ToolChoice, WebSearch
from ccproxy.formats.anthropic.encode_turns import calls
from ccproxy.formats.anthropic.schemas import closed, input_schema
from ccproxy.formats.names import Renamer

NAME_LIMIT = 128
WEB_SEARCH = "web_search"


def renamer(request: Request) -> Renamer:
    """Knows every name that the request uses."""
    names = [tool.name for tool in request.tools if isinstance(tool, Tool)]
    return Renamer(NAME_LIMIT, [*names, *(call.name for call in calls(request))])


def tools(request: Request, facts: ModelFacts, names: Renamer, losses: list[Loss]) -> list[JsonObject]:
    """`tools`, each name once. A history with calls needs some even when the client offers none."""
    choice = request.tool_choice or ToolChoice("auto")
    found: dict[str, JsonObject] = {}
    for tool in request.tools:
        if choice.allowed is not None and _name(tool) not in choice.allowed:
            continue
        if (written := _tool(tool, choice, facts, names, losses)) is None:
            continue
        name = str(written.get("name", tool.path))
        if name in found:
            losses.append(Loss(tool.path, f"There is another tool named {name!r}."))
        else:
            found[name] = written
    return list(found.values())


def tools_of_history(request: Request, names: Renamer) -> list[JsonObject]:
    """A tool for each name that was called, to be known and not to be used."""
    wire = dict.fromkeys(names.wire(call.name, call.custom) for call in calls(request))
    return [{"name": name, "input_schema": {"type": "object", "properties": {}}} for name in wire]


def tool_choice(request: Request, offered: list[JsonObject], names: Renamer) -> JsonObject | None:
    """`tool_choice`. Raises RequestError when a call is asked for that cannot be made."""
    choice = request.tool_choice
    if not offered:
        if choice and choice.mode in ("required", "tool"):
            raise RequestError("tool_choice", "asks for a tool call, and there is no tool to call")
        return None
    written = _choice(choice, offered, names) if choice else None
    if request.params.parallel_tool_calls is False and (written or {}).get("type") != "none":
        written = {**(written or {"type": "auto"}), "disable_parallel_tool_use": True}
    return written


def _choice(choice: ToolChoice, offered: list[JsonObject], names: Renamer) -> JsonObject:
    match choice.mode:
        case "auto":
            return {"type": "auto"}
        case "none":
            return {"type": "none"}
        case "required":
            return {"type": "any"}
    name = names.wire(choice.name or "")
    if all(tool.get("name") != name for tool in offered):
        raise RequestError("tool_choice", f"asks for the tool {choice.name!r}, which is not among the tools")
    return {"type": "tool", "name": name}


def _tool(
    tool: AnyTool, choice: ToolChoice, facts: ModelFacts, names: Renamer, losses: list[Loss]
) -> JsonObject | None:
    match tool:
        case Tool():
            return _function(tool, facts, names, losses)
        case WebSearch():
            return _web_search(tool, losses)
        case HostedTool() if tool.wire == "anthropic":
            return tool.value
        case HostedTool():
            if choice.mode == "tool" and choice.name in (tool.value.get("type"), tool.value.get("name")):
                raise RequestError("tool_choice", f"asks for {choice.name!r}, which Claude does not have")
            losses.append(Loss(tool.path, f"Claude has no tool of type {tool.value.get('type')!r}."))
            return None


def _function(tool: Tool, facts: ModelFacts, names: Renamer, losses: list[Loss]) -> JsonObject:
    written: JsonObject = {"name": names.wire(tool.name, tool.custom)}
    if description := _description(tool, losses):
        written["description"] = description
    if tool.custom:
        written["input_schema"] = {
            "type": "object",
            "properties": {"input": {"type": "string"}},
            "required": ["input"],
        }
        return written
    written["input_schema"] = input_schema(tool.schema, tool.path, losses)
    if tool.strict and facts.structured:
        written |= {"input_schema": closed(written["input_schema"]), "strict": True}
    return written


def _description(tool: Tool, losses: list[Loss]) -> str | None:
    if not tool.grammar:
        return tool.description
    losses.append(Loss(tool.path, "Claude cannot be held to a grammar; it is told of it.", "described"))
    kind = f"{tool.syntax} grammar" if tool.syntax else "grammar"
    told = f"The input must follow this {kind}:\n{tool.grammar}"
    return f"{tool.description}\n\n{told}" if tool.description else told


def _web_search(tool: WebSearch, losses: list[Loss]) -> JsonObject:
    written: JsonObject = {"type": "web_search_20250305", "name": WEB_SEARCH}
    if tool.max_uses is not None:
        written["max_uses"] = tool.max_uses
    if tool.allowed_domains:
        written["allowed_domains"] = list(tool.allowed_domains)
    if tool.blocked_domains and tool.allowed_domains:
        losses.append(Loss(f"{tool.path}.blocked_domains", "Claude takes allowed or blocked domains."))
    elif tool.blocked_domains:
        written["blocked_domains"] = list(tool.blocked_domains)
    if tool.user_location is not None:
        written["user_location"] = tool.user_location
    losses += [
        Loss(f"{tool.path}.{name}", "Claude's web search has nothing like it.") for name in tool.others
    ]
    return written


def _name(tool: AnyTool) -> str:
    match tool:
        case Tool():
            return tool.name
        case WebSearch():
            return WEB_SEARCH
    return str(tool.value.get("name") or tool.value.get("type"))
