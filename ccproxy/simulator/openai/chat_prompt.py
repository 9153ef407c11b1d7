"""A Chat Completions request as the scenarios see it, and as it is counted."""

import json
from typing import Any

from ccproxy.simulator import script
from ccproxy.simulator.openai.catalogue import Model
from ccproxy.simulator.openai.chat_messages import (
    AssistantMessage,
    CustomCall,
    FunctionCall,
    FunctionMessage,
    ImagePart,
    Message,
    ToolMessage,
    UserMessage,
)
from ccproxy.simulator.openai.chat_request import (
    AllowedChoice,
    ChatRequest,
    FunctionTool,
    JsonObjectFormat,
    JsonSchemaFormat,
    Named,
    Tool,
)
from ccproxy.simulator.openai.chat_rules import chosen_names, message_texts, tool_name
from ccproxy.simulator.openai.images import IMAGE_TOKENS
from ccproxy.simulator.openai.usage import Segment, segment
from ccproxy.simulator.script import Prompt, ToolResult

ANY_OBJECT = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
"""What an answer follows when it has to be JSON and nothing says which."""


def to_prompt(request: ChatRequest, model: Model) -> Prompt:
    tools = _offered(request)
    stop = request.stop or ()
    return Prompt(
        model=request.model,
        messages=tuple(_message(message) for message in request.messages),
        tools=tools,
        forced=_forced(request, tools),
        parallel=request.parallel_tool_calls is not False and request.functions is None,
        thinking=model.reasons and request.reasoning_effort != "none",
        json_schema=_schema(request),
        max_tokens=request.max_completion_tokens or request.max_tokens,
        stop_sequences=(stop,) if isinstance(stop, str) else tuple(stop),
    )


def _message(message: Message) -> script.Message:
    texts = message_texts(message)
    if isinstance(message, ToolMessage):
        return script.Message("user", results=(ToolResult(message.tool_call_id, "".join(texts)),))
    if isinstance(message, FunctionMessage):
        return script.Message("user", results=(ToolResult(message.name, message.content or ""),))
    if isinstance(message, UserMessage):
        return script.Message("user", texts)
    return script.Message("assistant" if isinstance(message, AssistantMessage) else "system", texts)


def _offered(request: ChatRequest) -> tuple[script.Tool, ...]:
    """The tools that may be called: none of them with `none`, only the listed ones with `allowed_tools`."""
    if request.functions is not None and request.function_call != "none":
        return tuple(script.Tool(f.name, f.parameters or {}) for f in request.functions)
    if request.tool_choice == "none":
        return ()
    tools = tuple(_tool(tool) for tool in request.tools or ())
    if isinstance(request.tool_choice, AllowedChoice):
        allowed = chosen_names(request)
        return tuple(tool for tool in tools if tool.name in allowed)
    return tools


def _tool(tool: Tool) -> script.Tool:
    if isinstance(tool, FunctionTool):
        return script.Tool(tool.function.name, tool.function.parameters or {})
    return script.Tool(tool.custom.name, None)


def _forced(request: ChatRequest, tools: tuple[script.Tool, ...]) -> str | None:
    if isinstance(request.function_call, Named):
        return request.function_call.name
    choice = request.tool_choice
    if choice == "required" or (
        isinstance(choice, AllowedChoice) and choice.allowed_tools.mode == "required"
    ):
        return tools[0].name
    return forced_name(request)


def forced_name(request: ChatRequest) -> str | None:
    """The one tool that `tool_choice` demands by its name."""
    named = chosen_names(request)
    return None if isinstance(request.tool_choice, AllowedChoice) or not named else named[0]


def _schema(request: ChatRequest) -> dict[str, Any] | None:
    match request.response_format:
        case JsonObjectFormat():
            return ANY_OBJECT
        case JsonSchemaFormat(json_schema=wanted):
            return wanted.schema_
    return None


def segments(request: ChatRequest) -> list[Segment]:
    """The prompt in the order in which it is cached: tools first, then one message after another."""
    tools = [tool_name(tool) for tool in request.tools or ()] + [f.name for f in request.functions or ()]
    found = [_segment([*(request.tools or ()), *(request.functions or ())], [])] if tools else []
    return found + [_of_message(message) for message in request.messages]


def _of_message(message: Message) -> Segment:
    texts = list(message_texts(message))
    images = 0
    if isinstance(message, UserMessage) and not isinstance(message.content, str):
        images = sum(isinstance(part, ImagePart) for part in message.content)
    if isinstance(message, AssistantMessage):
        for call in message.tool_calls or ():
            texts += _call_texts(call)
    dumped = message.model_dump_json(exclude_unset=True).encode()
    return segment(dumped, texts, images * IMAGE_TOKENS)


def _call_texts(call: FunctionCall | CustomCall) -> tuple[str, str]:
    if isinstance(call, FunctionCall):
        return call.function.name, call.function.arguments
    return call.custom.name, call.custom.input


def _segment(models: list[Any], texts: list[str]) -> Segment:
    dumped = json.dumps([model.model_dump(exclude_unset=True) for model in models], ensure_ascii=False)
    return segment(dumped.encode("utf-8", "surrogatepass"), [*texts, dumped])
