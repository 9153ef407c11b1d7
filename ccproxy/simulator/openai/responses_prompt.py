"""A Responses request as the scenarios see it, and as it is counted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ccproxy.simulator import script
from ccproxy.simulator.openai import shells
from ccproxy.simulator.openai.catalogue import Model
from ccproxy.simulator.openai.chat_prompt import ANY_OBJECT
from ccproxy.simulator.openai.images import IMAGE_TOKENS
from ccproxy.simulator.openai.responses_items import (
    AdditionalTools,
    Compaction,
    CustomCall,
    CustomCallOutput,
    FunctionCall,
    FunctionCallOutput,
    InputImage,
    InputMessage,
    Item,
    OutputMessage,
    Reasoning,
    texts,
)
from ccproxy.simulator.openai.responses_request import (
    JsonObjectFormat,
    JsonSchemaFormat,
    ResponsesRequest,
    TokenCountRequest,
)
from ccproxy.simulator.openai.responses_rules import names
from ccproxy.simulator.openai.responses_tools import (
    WEB_SEARCH,
    AllowedChoice,
    CustomTool,
    FunctionTool,
    HostedChoice,
    NamedChoice,
    NamespaceTool,
    Tool,
)
from ccproxy.simulator.openai.sealed import unseal
from ccproxy.simulator.openai.usage import Segment, segment
from ccproxy.simulator.script import Prompt, ToolResult

SEARCH = script.Tool(
    "web_search",
    {"type": "object", "properties": {"query": {"const": "example query"}}, "required": ["query"]},
)
"""The one hosted tool that a scenario can call."""


@dataclass(slots=True)
class Offer:
    """The tools a scenario may call, which of them have a namespace, and which run at the provider."""

    tools: list[script.Tool] = field(default_factory=list)
    namespaces: dict[str, str] = field(default_factory=dict)
    hosted: frozenset[str] = frozenset()

    def add(self, tool: Tool, namespace: str | None = None) -> None:
        match tool:
            case NamespaceTool():
                for inner in tool.tools:
                    self.add(inner, tool.name)
            case FunctionTool():
                self._add(script.Tool(tool.name, tool.parameters or {}), namespace)
            case CustomTool():
                self._add(script.Tool(tool.name, None), namespace)

    def _add(self, tool: script.Tool, namespace: str | None) -> None:
        if tool.name in [known.name for known in self.tools]:
            return
        self.tools.append(tool)
        if namespace is not None:
            self.namespaces[tool.name] = namespace


def offer(request: TokenCountRequest, history: Sequence[Item]) -> Offer:
    """The client's tools, then web search; nothing with `none`, only the listed ones with `allowed_tools`."""
    found = Offer()
    tools = list(request.tools or ())
    for item in history:
        if isinstance(item, AdditionalTools):
            tools += item.tools
    if request.tool_choice == "none":
        return found
    for tool in tools:
        found.add(tool)
    if any(tool.type in WEB_SEARCH for tool in tools) and SEARCH.name not in names(tools):
        found.tools.append(SEARCH)
        found.hosted = frozenset({SEARCH.name})
    if isinstance(request.tool_choice, AllowedChoice):
        allowed = [tool.get("name", tool.get("type")) for tool in request.tool_choice.tools]
        found.tools = [tool for tool in found.tools if tool.name in allowed]
    return found


def to_prompt(request: ResponsesRequest, model: Model, history: Sequence[Item], offered: Offer) -> Prompt:
    """`history` is the whole conversation, `limit` the most tokens of the answer."""
    messages = [script.Message("system", (request.instructions,))] if request.instructions else []
    messages += [message for item in history if (message := _message(item)) is not None]
    return Prompt(
        model=model.id,
        messages=tuple(messages),
        tools=tuple(shells.first(offered.tools)),
        forced=_forced(request, offered),
        parallel=request.parallel_tool_calls is not False,
        thinking=model.reasons and request.effort != "none",
        json_schema=_schema(request),
        max_tokens=request.max_output_tokens,
    )


def _message(item: Item) -> script.Message | None:
    match item:
        case InputMessage(role="user"):
            return script.Message("user", texts(item.content))
        case InputMessage():
            return script.Message("system", texts(item.content))
        case OutputMessage():
            return script.Message("assistant", texts(item.content))
        case FunctionCallOutput() | CustomCallOutput():
            output = "".join(texts(item.output))
            return script.Message("user", results=(ToolResult(item.call_id, output),))
        case Compaction():
            return script.Message("assistant", (unseal("compaction", item.encrypted_content, "input"),))
    return None


def _forced(request: TokenCountRequest, offered: Offer) -> str | None:
    choice = request.tool_choice
    if isinstance(choice, NamedChoice):
        return choice.name
    if isinstance(choice, HostedChoice):
        return SEARCH.name if choice.type in WEB_SEARCH and offered.hosted else None
    required = choice == "required" or (isinstance(choice, AllowedChoice) and choice.mode == "required")
    return offered.tools[0].name if required and offered.tools else None


def _schema(request: TokenCountRequest) -> dict[str, Any] | None:
    match request.format:
        case JsonObjectFormat():
            return ANY_OBJECT
        case JsonSchemaFormat(schema_=schema):
            return schema
    return None


def segments(request: TokenCountRequest, history: Sequence[Item]) -> list[Segment]:
    """The prompt in the order in which it is cached: tools, instructions, one item after another."""
    found: list[Segment] = []
    for tool in request.tools or ():
        dumped = tool.model_dump_json(exclude_unset=True)
        found.append(segment(dumped.encode(), [dumped]))
    if request.instructions:
        found.append(segment(request.instructions.encode("utf-8", "surrogatepass"), [request.instructions]))
    return found + [_segment(item) for item in history]


def _segment(item: Item) -> Segment:
    """Ids and status do not reach the model, so they are no part of the cached prefix."""
    content = item.model_dump_json(exclude_unset=True, exclude={"id", "status", "type"}).encode()
    match item:
        case InputMessage() | OutputMessage():
            return segment(content, texts(item.content), _images(item.content))
        case FunctionCallOutput() | CustomCallOutput():
            return segment(content, texts(item.output), _images(item.output))
        case FunctionCall():
            return segment(content, [item.name, item.arguments])
        case CustomCall():
            return segment(content, [item.name, item.input])
        case Reasoning():
            sealed = item.encrypted_content
            return segment(content, [unseal("reasoning", sealed, "input")] if sealed else [])
    return segment(content, [content.decode()])


def _images(content: Any) -> int:
    if isinstance(content, str):
        return 0
    return IMAGE_TOKENS * sum(isinstance(part, InputImage) for part in content)
