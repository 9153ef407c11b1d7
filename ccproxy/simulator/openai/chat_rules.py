"""What a Chat Completions request must not say, beyond the shapes of its fields."""

import re
from collections.abc import Sequence
from typing import Any

from ccproxy.simulator.openai.catalogue import Model, check_effort
from ccproxy.simulator.openai.chat_messages import (
    AssistantMessage,
    FunctionCall,
    ImagePart,
    Message,
    ToolMessage,
    UserMessage,
    texts,
)
from ccproxy.simulator.openai.chat_request import (
    AllowedChoice,
    ChatRequest,
    CustomChoice,
    CustomTool,
    FunctionChoice,
    FunctionTool,
    JsonObjectFormat,
    JsonSchemaFormat,
    Tool,
)
from ccproxy.simulator.openai.errors import ApiError, invalid_value, unsupported_parameter, unsupported_value
from ccproxy.simulator.openai.images import check_image
from ccproxy.simulator.openai.schemas import check_parameters, check_schema


def check(request: ChatRequest, model: Model) -> None:
    """Raises ApiError for the first rule that is broken."""
    check_effort(model, request.reasoning_effort, "reasoning_effort")
    _check_options(request, model)
    if model.reasons and request.reasoning_effort != "none":
        _check_reasoning(request)
    _check_tools(request)
    _check_format(request)
    _check_history(request.messages)


def _check_options(request: ChatRequest, model: Model) -> None:
    if request.stream_options is not None and not request.stream:
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise ApiError(400, message, param="stream_options")
    if request.top_logprobs is not None and not request.logprobs:
        message = "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled."
        raise ApiError(400, message, param="top_logprobs")
    if request.max_tokens is not None and request.max_completion_tokens is not None:
        message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        raise ApiError(400, message, param="max_tokens", code="invalid_parameter_combination")
    if "audio" in (request.modalities or ()) or request.audio is not None:
        raise unsupported_value("modalities", "audio", "Only 'text' is supported.")
    for name in ("max_tokens", "max_completion_tokens"):
        limit = getattr(request, name)
        if limit is not None and limit > model.output:
            message = (
                f"{name} is too large: {limit}. This model supports at most {model.output} completion tokens."
            )
            raise invalid_value(name, message)


def _check_reasoning(request: ChatRequest) -> None:
    if request.max_tokens is not None:
        raise unsupported_parameter("max_tokens", "Use 'max_completion_tokens' instead.")
    for name in ("stop", "logprobs", "top_logprobs", "logit_bias"):
        if getattr(request, name):
            raise unsupported_parameter(name)
    for name, default in (
        ("temperature", 1),
        ("top_p", 1),
        ("presence_penalty", 0),
        ("frequency_penalty", 0),
    ):
        value = getattr(request, name)
        if value is not None and value != default:
            raise unsupported_value(name, value, f"Only the default ({default}) value is supported.")


def _check_tools(request: ChatRequest) -> None:
    if request.tools is not None and (request.functions is not None or request.function_call is not None):
        message = "'functions' and 'function_call' cannot be used together with 'tools'."
        raise ApiError(400, message, param="functions")
    if request.tools is None:
        for name in ("tool_choice", "parallel_tool_calls"):
            if getattr(request, name) is not None:
                message = f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified."
                raise ApiError(400, message, param=name)
        return
    for index, tool in enumerate(request.tools):
        if isinstance(tool, FunctionTool):
            _check_function(tool, f"tools[{index}].function.parameters")
    for name in chosen_names(request):
        if name not in [tool_name(tool) for tool in request.tools]:
            message = f"Invalid value for 'tool_choice': tool '{name}' is not in 'tools'."
            raise ApiError(400, message, param="tool_choice")


def _check_function(tool: FunctionTool, param: str) -> None:
    function = tool.function
    check_parameters(function.parameters, strict=bool(function.strict), name=function.name, param=param)


def tool_name(tool: Tool) -> str:
    return tool.custom.name if isinstance(tool, CustomTool) else tool.function.name


def chosen_names(request: ChatRequest) -> list[str]:
    """The tools that `tool_choice` names."""
    match request.tool_choice:
        case FunctionChoice(function=named) | CustomChoice(custom=named):
            return [named.name]
        case AllowedChoice(allowed_tools=allowed):
            return [_allowed_name(tool) for tool in allowed.tools]
    return []


def _allowed_name(tool: dict[str, Any]) -> str:
    inner = tool.get(str(tool.get("type")))
    return str(inner.get("name")) if isinstance(inner, dict) else ""


def _check_format(request: ChatRequest) -> None:
    match request.response_format:
        case JsonObjectFormat():
            if not any("json" in text.lower() for m in request.messages for text in message_texts(m)):
                message = (
                    "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
                    "'json_object'."
                )
                raise ApiError(400, message, param="messages")
        case JsonSchemaFormat(json_schema=wanted):
            if wanted.schema_ is None:
                raise ApiError(
                    400,
                    "Missing required parameter: 'response_format.json_schema.schema'.",
                    param="response_format.json_schema.schema",
                    code="missing_required_parameter",
                )
            owner = f"response_format '{wanted.name}'"
            check_schema(
                wanted.schema_,
                strict=bool(wanted.strict),
                owner=owner,
                code="invalid_json_schema",
                param="response_format",
            )


def _check_history(messages: Sequence[Message]) -> None:
    """Calls are answered at once, by tool messages and by nothing else; answers have calls before them."""
    open_calls: list[str] = []
    answering = False
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        if isinstance(message, ToolMessage):
            if not answering:
                raise ApiError(
                    400,
                    "Invalid parameter: messages with role 'tool' must be a response to a preceding message "
                    "with 'tool_calls'.",
                    param=f"{where}.role",
                )
            if message.tool_call_id not in open_calls:
                text = f"Invalid parameter: 'tool_call_id' '{message.tool_call_id}' is not in 'tool_calls'."
                raise ApiError(400, text, param=f"{where}.tool_call_id")
            open_calls.remove(message.tool_call_id)
            continue
        _check_answered(open_calls, f"messages[{index - 1}].role")
        answering = isinstance(message, AssistantMessage) and bool(message.tool_calls)
        if isinstance(message, AssistantMessage):
            _check_assistant(message, where)
            open_calls = [call.id for call in message.tool_calls or ()]
        if isinstance(message, UserMessage):
            _check_parts(message, where)
    _check_answered(open_calls, "messages")


def _check_answered(open_calls: list[str], param: str) -> None:
    if open_calls:
        raise ApiError(
            400,
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. Without a response: {', '.join(open_calls)}",
            param=param,
        )


def _check_assistant(message: AssistantMessage, where: str) -> None:
    spoken = message.content is not None or message.refusal is not None or message.audio is not None
    if not spoken and not message.tool_calls and message.function_call is None:
        text = f"Invalid value for '{where}.content': expected a string, got null."
        raise ApiError(400, text, param=f"{where}.content")
    for number, call in enumerate(message.tool_calls or ()):
        name = call.function.name if isinstance(call, FunctionCall) else call.custom.name
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
            param = f"{where}.tool_calls[{number}].{call.type}.name"
            text = f"Invalid '{param}': string does not match pattern '^[a-zA-Z0-9_-]+$', or is too long."
            raise invalid_value(param, text)


def _check_parts(message: UserMessage, where: str) -> None:
    if isinstance(message.content, str):
        return
    for number, part in enumerate(message.content):
        if isinstance(part, ImagePart):
            check_image(part.image_url.url, f"{where}.content[{number}].image_url.url")


def message_texts(message: Message) -> tuple[str, ...]:
    return texts(message.content)
