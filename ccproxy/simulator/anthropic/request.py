"""The bodies of `POST /v1/messages` and `POST /v1/messages/count_tokens`, as types, and how they are read."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails, from_json

from ccproxy.simulator.anthropic.blocks import Blocks, CacheControl, Shape, TextBlocks
from ccproxy.simulator.anthropic.errors import ApiError, invalid
from ccproxy.simulator.anthropic.tools import Tool, ToolChoice
from ccproxy.simulator.encodings import DecodedTooLarge, InvalidEncoding, UnsupportedEncoding, decode

MAX_BODY = 32 * 1024 * 1024

type Effort = Literal["low", "medium", "high", "xhigh", "max"]


class MessageOutputConfig(Shape):
    effort: Effort | None = None


class Message(Shape):
    role: Literal["user", "assistant", "system"]
    content: Blocks
    output_config: MessageOutputConfig | None = None
    clear_at: Literal["next_user_message", "never"] | None = None


class BlockBinding(Shape):
    prefix_mismatch_behavior: Literal["error", "drop_block"] | None = None


class ShownThinking(Shape):
    display: Literal["summarized", "omitted", "updates"] | None = None
    block_binding: BlockBinding | None = None


class EnabledThinking(ShownThinking):
    type: Literal["enabled"]
    budget_tokens: int = Field(ge=1024)


class AdaptiveThinking(ShownThinking):
    type: Literal["adaptive"]


class PlainThinking(Shape):
    type: Literal["disabled", "between_tools"]


type Thinking = Annotated[EnabledThinking | AdaptiveThinking | PlainThinking, Field(discriminator="type")]


class JsonFormat(Shape):
    type: Literal["json_schema"]
    json_schema: dict[str, Any] = Field(alias="schema")


class TaskBudget(Shape):
    type: Literal["tokens"]
    total: int
    remaining: int | None = None


class OutputConfig(Shape):
    effort: Effort | None = None
    format: JsonFormat | None = None
    task_budget: TaskBudget | None = None


class Metadata(Shape):
    user_id: str | None = None


class Diagnostics(Shape):
    previous_message_id: str | None = None


class McpServer(Shape):
    type: Literal["url"]
    name: str
    url: str
    authorization_token: str | None = None
    tool_configuration: dict[str, Any] | None = None


class Edit(Shape):
    type: Literal["clear_tool_uses_20250919", "clear_thinking_20251015", "compact_20260112"]
    keep: dict[str, Any] | Literal["all"] | None = None
    trigger: dict[str, Any] | None = None
    clear_at_least: dict[str, Any] | None = None
    clear_tool_inputs: bool | list[str] | None = None
    exclude_tools: list[str] | None = None
    instructions: str | None = None
    pause_after_compaction: bool | None = None


class ContextManagement(Shape):
    edits: list[Edit] = Field(default_factory=list)


def _container(value: Any) -> Any:
    return {"id": value} if isinstance(value, str) else value


class Container(Shape):
    id: str | None = None
    skills: list[dict[str, Any]] | None = None


class Conversation(Shape):
    """What `messages` and `count_tokens` have in common."""

    model: str = Field(min_length=1)
    messages: list[Message] = Field(max_length=100_000)
    system: TextBlocks | None = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    speed: Literal["standard", "fast"] | None = None
    cache_control: CacheControl | None = None
    mcp_servers: list[McpServer] | None = None
    context_management: ContextManagement | None = None
    output_format: JsonFormat | None = None
    compaction: dict[str, Any] | None = None


class CountRequest(Conversation):
    pass


class MessagesRequest(Conversation):
    max_tokens: int = Field(ge=0)
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = Field(default=None, ge=0, le=1)
    top_p: float | None = Field(default=None, ge=0, le=1)
    top_k: int | None = Field(default=None, ge=0)
    metadata: Metadata | None = None
    service_tier: Literal["auto", "standard_only"] | None = None
    container: Annotated[Container | None, BeforeValidator(_container)] = None
    inference_geo: str | None = None
    diagnostics: Diagnostics | None = None
    billing_policy: dict[str, Any] | None = None
    fallbacks: list[dict[str, Any]] | Literal["default"] | None = None
    fallback_credit_token: str | dict[str, Any] | None = None
    thread: dict[str, Any] | None = None
    safeguards: Any = None


def read[R: Conversation](
    body: bytes, content_encoding: str | None, shape: type[R]
) -> tuple[R, dict[str, Any]]:
    """The request, checked against `shape`, and the same as plain JSON. Raises `ApiError`."""
    value = _json(_plain(body, content_encoding))
    if not isinstance(value, dict):
        raise invalid("The request body must be a JSON object.")
    try:
        return shape.model_validate(value), value
    except ValidationError as error:
        raise invalid(_describe(error.errors(include_url=False)[0])) from None


def _plain(body: bytes, content_encoding: str | None) -> bytes:
    if len(body) > MAX_BODY:
        raise ApiError(413)
    try:
        return decode(body, content_encoding, MAX_BODY)
    except UnsupportedEncoding as error:
        raise invalid(
            f"content-encoding {error} is not supported", "request_body_encoding_unsupported"
        ) from None
    except InvalidEncoding:
        raise invalid("The request body could not be decoded.", "request_body_encoding_invalid") from None
    except DecodedTooLarge:
        raise ApiError(413, code="request_body_too_large_after_decoding") from None


def _json(body: bytes) -> Any:
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise invalid(f"The request body is not valid JSON: {error}") from None


def _describe(error: ErrorDetails) -> str:
    """`messages.0.content.1.tool_result.foo: Extra inputs are not permitted`"""
    where = ".".join(str(step) for step in error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    return f"{where}: {message}"
