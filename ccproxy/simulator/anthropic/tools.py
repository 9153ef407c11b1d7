"""Tools and tool choice of a request, as types. A tool without `type` is a client's own."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from ccproxy.simulator.anthropic.blocks import Cached, CitationsConfig, Shape

NAME_PATTERN = r"^[a-zA-Z0-9_-]{1,128}$"

type AllowedCaller = Literal[
    "direct", "code_execution_20250825", "code_execution_20260120", "code_execution_20260521"
]


class InputSchema(Shape):
    model_config = ConfigDict(extra="allow")
    type: Literal["object"]
    properties: dict[str, Any] | None = None
    required: list[str] | None = None


class AnyTool(Cached):
    name: str
    allowed_callers: list[AllowedCaller] | None = None
    defer_loading: bool | None = None
    strict: bool | None = None


class CustomTool(AnyTool):
    name: str = Field(pattern=NAME_PATTERN)
    input_schema: InputSchema
    type: Literal["custom"] | None = None
    description: str | None = None
    input_examples: list[dict[str, Any]] | None = None
    eager_input_streaming: bool | None = None


class ClientTool(AnyTool):
    """Defined by Anthropic, run by the client."""

    type: Literal[
        "bash_20241022",
        "bash_20250124",
        "text_editor_20241022",
        "text_editor_20250124",
        "text_editor_20250429",
        "text_editor_20250728",
        "memory_20250818",
    ]
    input_examples: list[dict[str, Any]] | None = None
    max_characters: int | None = None


class ComputerTool(AnyTool):
    type: Literal["computer_20241022", "computer_20250124", "computer_20251124"]
    display_width_px: int
    display_height_px: int
    display_number: int | None = None
    enable_zoom: bool | None = None
    input_examples: list[dict[str, Any]] | None = None


class UserLocation(Shape):
    type: Literal["approximate"]
    city: str | None = None
    region: str | None = None
    country: str | None = None
    timezone: str | None = None


class WebTool(AnyTool):
    type: Literal[
        "web_search_20250305",
        "web_search_20260209",
        "web_search_20260318",
        "web_fetch_20250910",
        "web_fetch_20260209",
        "web_fetch_20260309",
        "web_fetch_20260318",
    ]
    max_uses: int | None = Field(default=None, gt=0)
    allowed_domains: list[str] | None = None
    blocked_domains: list[str] | None = None
    user_location: UserLocation | None = None
    citations: CitationsConfig | None = None
    max_content_tokens: int | None = None
    response_inclusion: Literal["full", "excluded"] | None = None
    url_sources: dict[str, Any] | None = None
    use_cache: bool | None = None


class ServerTool(AnyTool):
    type: Literal[
        "code_execution_20250522",
        "code_execution_20250825",
        "code_execution_20260120",
        "code_execution_20260521",
        "tool_search_tool_regex",
        "tool_search_tool_regex_20251119",
        "tool_search_tool_bm25",
        "tool_search_tool_bm25_20251119",
    ]


class Toolset(Cached):
    """Several tools under one type; their calls name the toolset."""

    model_config = ConfigDict(extra="allow")
    type: Literal["computer_toolset_20260801", "browser_toolset_20260801", "advisor_20260301", "mcp_toolset"]


NAMES = {
    "bash": "bash",
    "text_editor_2024": "str_replace_editor",
    "text_editor_20250124": "str_replace_editor",
    "text_editor": "str_replace_based_edit_tool",
    "memory": "memory",
    "computer_2": "computer",
    "web_search": "web_search",
    "web_fetch": "web_fetch",
    "code_execution": "code_execution",
    "tool_search_tool_regex": "tool_search_tool_regex",
    "tool_search_tool_bm25": "tool_search_tool_bm25",
}
"""The fixed name of a tool, by the beginning of its type; the first match counts."""

SCHEMAS: dict[str, dict[str, Any]] = {
    "bash": {"required": ["command"], "properties": {"command": {"type": "string", "default": "echo hi"}}},
    "str_replace_editor": {
        "required": ["command", "path"],
        "properties": {"command": {"const": "view"}, "path": {"const": "/"}},
    },
    "str_replace_based_edit_tool": {
        "required": ["command", "path"],
        "properties": {"command": {"const": "view"}, "path": {"const": "/"}},
    },
    "memory": {
        "required": ["command", "path"],
        "properties": {"command": {"const": "view"}, "path": {"const": "/memories"}},
    },
    "computer": {"required": ["action"], "properties": {"action": {"const": "screenshot"}}},
}
"""Input of the tools that Anthropic defines and the client runs, by name: enough to call them."""


def _tag(tool: Any) -> str | None:
    kind = tool.get("type") if isinstance(tool, dict) else getattr(tool, "type", None)
    if kind is None or kind == "custom":
        return "custom"
    return _FAMILY.get(kind) if isinstance(kind, str) else None


def _family(model: type[Shape], tag: str) -> dict[str, str]:
    literal = model.model_fields["type"].annotation
    return dict.fromkeys(literal.__args__, tag)  # type: ignore[union-attr]


_FAMILY = {
    **_family(ClientTool, "client_tool"),
    **_family(ComputerTool, "computer_tool"),
    **_family(WebTool, "web_tool"),
    **_family(ServerTool, "server_tool"),
    **_family(Toolset, "toolset"),
}

type Tool = Annotated[
    Annotated[CustomTool, Tag("custom")]
    | Annotated[ClientTool, Tag("client_tool")]
    | Annotated[ComputerTool, Tag("computer_tool")]
    | Annotated[WebTool, Tag("web_tool")]
    | Annotated[ServerTool, Tag("server_tool")]
    | Annotated[Toolset, Tag("toolset")],
    Discriminator(_tag),
]


class AutoChoice(Shape):
    type: Literal["auto", "any"]
    disable_parallel_tool_use: bool | None = None


class NamedChoice(Shape):
    type: Literal["tool"]
    name: str
    disable_parallel_tool_use: bool | None = None


class NoChoice(Shape):
    type: Literal["none"]


type ToolChoice = Annotated[AutoChoice | NamedChoice | NoChoice, Field(discriminator="type")]
