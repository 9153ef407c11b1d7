"""A request: the history, the tools, and how to answer."""

from dataclasses import dataclass, field
from typing import Literal

from ccproxy.conversation.parts import JsonObject, Part, Text, Wire

Role = Literal["user", "assistant", "system"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]

EFFORTS: tuple[Effort, ...] = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""From the least to the most."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said. `path` is where it stood in the client's request, for losses.

    A `system` turn is one in the middle of the history; what stands before the history is `Request.system`.
    """

    role: Role
    parts: tuple[Part, ...]
    path: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the client runs. `schema` is None when the client gave none.

    `custom` tools take any text instead of JSON; `grammar` then says which, in the language `syntax` (`lark`
    or `regex`). `namespace` is the group that the client keeps the tool in; `name` then is
    `<namespace>__<the client's name>`.
    """

    name: str
    description: str | None = None
    schema: JsonObject | None = None
    strict: bool | None = None
    custom: bool = False
    grammar: str | None = None
    syntax: str | None = None
    namespace: str | None = None
    path: str = ""


@dataclass(frozen=True, slots=True)
class WebSearch:
    """The provider's own web search; `others` names the options that only the client's provider has."""

    allowed_domains: tuple[str, ...] = ()
    blocked_domains: tuple[str, ...] = ()
    max_uses: int | None = None
    user_location: JsonObject | None = None
    path: str = ""
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostedTool:
    """Another tool that the provider runs, as the client wrote it."""

    wire: Wire
    value: JsonObject
    path: str = ""


AnyTool = Tool | WebSearch | HostedTool


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """`name` is set for `tool`; `allowed` restricts the tools to those of these names."""

    mode: Literal["auto", "none", "required", "tool"]
    name: str | None = None
    allowed: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """Structured output: a JSON schema, or any JSON object when `schema` is None."""

    schema: JsonObject | None
    name: str | None = None
    description: str | None = None
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class Thinking:
    """How the client wants the model to think.

    `budget` is in tokens and set for `enabled` only; `summary` asks for the reasoning to be shown.
    """

    mode: Literal["enabled", "adaptive", "disabled"] | None = None
    budget: int | None = None
    effort: Effort | None = None
    summary: str | None = None


@dataclass(frozen=True, slots=True)
class Params:
    """How to answer. None means that the client did not say."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    stream: bool = False
    include_usage: bool = False
    parallel_tool_calls: bool | None = None
    thinking: Thinking = Thinking()
    output: OutputFormat | None = None
    verbosity: str | None = None
    service_tier: str | None = None
    cache_key: str | None = None
    user: str | None = None
    safety_identifier: str | None = None
    metadata: JsonObject | None = None
    store: bool | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request.

    `others` holds what the client said and no other format can carry, by its path in the client's request:
    an encoder of the same wire format puts it back, any other turns each into a loss. `echo` holds, as the
    client wrote them, the fields that answers of its format repeat.
    """

    wire: Wire
    model: str
    turns: tuple[Turn, ...]
    system: tuple[Text, ...] = ()
    tools: tuple[AnyTool, ...] = ()
    tool_choice: ToolChoice | None = None
    params: Params = Params()
    others: JsonObject = field(default_factory=dict)
    echo: JsonObject = field(default_factory=dict, compare=False)
