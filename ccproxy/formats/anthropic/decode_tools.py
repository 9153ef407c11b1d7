"""Tools and tool choice of a Messages request (Messages API reference, read 2026-11-22)."""

from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.request import AnyTool, HostedTool, Tool, ToolChoice, WebSearch
from ccproxy.formats import reading
from ccproxy.formats.anthropic import client_tools
from ccproxy.formats.reading import optional

_KNOWN = frozenset(
    {"name", "description", "input_schema", "type", "strict"}
    # hints for Anthropic's servers; a tool whose loading is deferred is sent as any other
    | {"cache_control", "defer_loading", "allowed_callers", "input_examples", "eager_input_streaming"}
)


def tools(value: object, losses: list[Loss]) -> tuple[AnyTool, ...]:
    found: list[AnyTool] = []
    for index, item in enumerate(optional(reading.array, value, "tools") or []):
        path = f"tools.{index}"
        tool = reading.mapping(item, path)
        kind = optional(reading.text, tool.get("type"), f"{path}.type") or "custom"
        if kind == "custom":
            found.append(_own(tool, path, losses))
        elif kind.startswith("tool_search_tool"):
            losses.append(Loss(path, "All tools are offered at once, there is nothing to search for."))
        else:
            found.append(_defined(tool, kind, path))
    return tuple(found)


def tool_choice(value: object) -> tuple[ToolChoice | None, bool | None]:
    """The choice, and whether calls may run in parallel (None: not said)."""
    if value is None:
        return None, None
    choice = reading.mapping(value, "tool_choice")
    path = "tool_choice.disable_parallel_tool_use"
    alone = optional(reading.boolean, choice.get("disable_parallel_tool_use"), path)
    parallel = None if alone is None else not alone
    match reading.text(choice.get("type"), "tool_choice.type"):
        case "auto":
            return ToolChoice("auto"), parallel
        case "any":
            return ToolChoice("required"), parallel
        case "none":
            return ToolChoice("none"), None
        case "tool":
            return ToolChoice("tool", reading.text(choice.get("name"), "tool_choice.name")), parallel
    raise RequestError("tool_choice.type", "must be 'auto', 'any', 'tool' or 'none'")


def _own(tool: JsonObject, path: str, losses: list[Loss]) -> Tool:
    unknown = (key for key in tool if key not in _KNOWN)
    losses += [Loss(f"{path}.{key}", "Only Anthropic knows this field of a tool.") for key in unknown]
    name = reading.text(tool.get("name"), f"{path}.name")
    if not name:
        raise RequestError(f"{path}.name", "must not be empty")
    return Tool(
        name,
        optional(reading.text, tool.get("description"), f"{path}.description"),
        optional(reading.mapping, tool.get("input_schema"), f"{path}.input_schema"),
        optional(reading.boolean, tool.get("strict"), f"{path}.strict"),
        path=path,
    )


def _defined(tool: JsonObject, kind: str, path: str) -> AnyTool:
    """A tool that Anthropic defined: the client runs it, or the provider does."""
    if kind.startswith(("computer", "browser")):
        raise RequestError(f"{path}.type", f"{kind!r} works with Claude only: leave the tool out")
    if kind.startswith("web_search"):
        return _web_search(tool, path)
    if defined := client_tools.find(kind):
        name = optional(reading.text, tool.get("name"), f"{path}.name") or defined.name
        return Tool(name, defined.description, defined.schema, path=path)
    return HostedTool("anthropic", tool, path)


def _web_search(tool: JsonObject, path: str) -> WebSearch:
    location = optional(reading.mapping, tool.get("user_location"), f"{path}.user_location")
    return WebSearch(
        optional(reading.texts, tool.get("allowed_domains"), f"{path}.allowed_domains") or (),
        optional(reading.texts, tool.get("blocked_domains"), f"{path}.blocked_domains") or (),
        optional(reading.integer, tool.get("max_uses"), f"{path}.max_uses"),
        location,
        path,
    )
