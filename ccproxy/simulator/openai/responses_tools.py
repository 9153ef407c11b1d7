"""The tools of a Responses request, and the choice between them."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, Tag

from ccproxy.simulator.openai.checking import Strict, choosing, tag, tagged

Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", max_length=64)]


class FunctionTool(Strict):
    type: Literal["function"]
    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    defer_loading: bool | None = None
    output_schema: dict[str, Any] | None = None
    allowed_callers: list[Literal["direct", "programmatic"]] | None = None
    async_: Annotated[bool | None, Field(alias="async")] = None


class TextFormat(Strict):
    type: Literal["text"]


class GrammarFormat(Strict):
    type: Literal["grammar"]
    definition: str
    syntax: Literal["lark", "regex"]


type CustomFormat = Annotated[
    Annotated[TextFormat, Tag(":text")] | Annotated[GrammarFormat, Tag(":grammar")],
    tagged("type", "text", "grammar"),
]


class CustomTool(Strict):
    type: Literal["custom"]
    name: Name
    description: str | None = None
    format: CustomFormat | None = None
    defer_loading: bool | None = None
    allowed_callers: list[Literal["direct", "programmatic"]] | None = None
    async_: Annotated[bool | None, Field(alias="async")] = None


type ClientTool = Annotated[
    Annotated[FunctionTool, Tag(":function")] | Annotated[CustomTool, Tag(":custom")],
    tagged("type", "function", "custom"),
]


class NamespaceTool(Strict):
    type: Literal["namespace"]
    name: Name
    description: str
    tools: list[ClientTool]


class HostedTool(Strict):
    """A tool that the provider runs; only its type matters here."""

    model_config = ConfigDict(extra="allow")
    type: str


WEB_SEARCH = ("web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11")
HOSTED = (
    *WEB_SEARCH,
    "file_search",
    "code_interpreter",
    "image_generation",
    "mcp",
    "computer",
    "computer_use_preview",
    "local_shell",
    "shell",
    "apply_patch",
    "tool_search",
    "programmatic_tool_calling",
)


def _choose(value: Any) -> str | None:
    kind = tag(value, "type")
    if kind in HOSTED:
        return "hosted"
    return kind if kind in ("function", "custom", "namespace") else None


type Tool = Annotated[
    Annotated[FunctionTool, Tag(":function")]
    | Annotated[CustomTool, Tag(":custom")]
    | Annotated[NamespaceTool, Tag(":namespace")]
    | Annotated[HostedTool, Tag(":hosted")],
    choosing(_choose, "type", ("function", "custom", "namespace", *HOSTED)),
]


class NamedChoice(Strict):
    type: Literal["function", "custom"]
    name: str
    namespace: str | None = None


class AllowedChoice(Strict):
    type: Literal["allowed_tools"]
    mode: Literal["auto", "required"]
    tools: Annotated[list[dict[str, Any]], Field(min_length=1)]


class HostedChoice(Strict):
    model_config = ConfigDict(extra="allow")
    type: str


_CHOICES = {"function": "named", "custom": "named", "allowed_tools": "allowed_tools"}


def _choose_choice(value: Any) -> str | None:
    if isinstance(value, str):
        return "mode"
    kind = tag(value, "type")
    return "hosted" if kind in HOSTED else _CHOICES.get(str(kind))


type ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag(":mode")]
    | Annotated[NamedChoice, Tag(":named")]
    | Annotated[AllowedChoice, Tag(":allowed_tools")]
    | Annotated[HostedChoice, Tag(":hosted")],
    choosing(_choose_choice, "type", (*_CHOICES, *HOSTED)),
]
