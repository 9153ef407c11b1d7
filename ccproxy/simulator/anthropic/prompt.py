"""A Messages request, seen by a scenario."""

from ccproxy.simulator.anthropic.blocks import Block, TextBlock, ToolResultBlock
from ccproxy.simulator.anthropic.request import Conversation, EnabledThinking, MessagesRequest
from ccproxy.simulator.anthropic.thinking import is_on
from ccproxy.simulator.anthropic.tools import SCHEMAS, ClientTool, ComputerTool, CustomTool
from ccproxy.simulator.script import Message, Prompt, Tool, ToolResult


def to_prompt(request: MessagesRequest) -> Prompt:
    choice = request.tool_choice
    offered = () if choice is not None and choice.type == "none" else _tools(request)
    forced = None
    if choice is not None and choice.type == "tool":
        forced = choice.name
    elif choice is not None and choice.type == "any" and offered:
        forced = offered[0].name
    schema = request.output_config.format if request.output_config is not None else None
    schema = schema or request.output_format
    return Prompt(
        model=request.model,
        messages=tuple(
            Message(message.role, _texts(message.content), _results(message.content))
            for message in request.messages
        ),
        tools=offered,
        forced=forced,
        parallel=not getattr(choice, "disable_parallel_tool_use", None),
        thinking=is_on(request),
        must_think=isinstance(request.thinking, EnabledThinking),
        json_schema=schema.json_schema if schema is not None else None,
        max_tokens=request.max_tokens,
        stop_sequences=tuple(request.stop_sequences or ()),
    )


def _texts(content: list[Block]) -> tuple[str, ...]:
    return tuple(block.text for block in content if isinstance(block, TextBlock))


def _results(content: list[Block]) -> tuple[ToolResult, ...]:
    return tuple(
        ToolResult(block.tool_use_id, "\n".join(_texts_of(block)), bool(block.is_error))
        for block in content
        if isinstance(block, ToolResultBlock)
    )


def _texts_of(result: ToolResultBlock) -> list[str]:
    parts = result.content or []
    return [part.text if isinstance(part, TextBlock) else f"[{part.type}]" for part in parts]


def _tools(request: Conversation) -> tuple[Tool, ...]:
    """The tools a model can call and the client runs; those behind a tool search come last."""
    found: list[Tool] = []
    for tool in sorted(request.tools or [], key=lambda tool: bool(getattr(tool, "defer_loading", None))):
        if isinstance(tool, CustomTool):
            found.append(Tool(tool.name, tool.input_schema.model_dump(exclude_unset=True)))
        elif isinstance(tool, ClientTool | ComputerTool):
            found.append(Tool(tool.name, {"type": "object", **SCHEMAS[tool.name]}))
    return tuple(found)
