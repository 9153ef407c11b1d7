"""The body of a Responses request (official Python SDK 3.54.0 and API reference, read 2026-11-22)."""

from typing import Annotated, Any, Literal

from pydantic import Field, Tag

from ccproxy.simulator.openai.chat_request import Effort, Metadata
from ccproxy.simulator.openai.checking import Strict, tagged, text_or
from ccproxy.simulator.openai.responses_items import InputMessage, Item
from ccproxy.simulator.openai.responses_tools import Tool, ToolChoice

Include = Literal[
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
]


INTERNAL_ITEM_FIELDS = frozenset({"internal_chat_message_metadata_passthrough"})


class ReasoningConfig(Strict):
    effort: Effort | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None
    generate_summary: Literal["auto", "concise", "detailed"] | None = None
    context: Literal["auto", "current_turn", "all_turns"] | None = None
    mode: Literal["standard", "pro"] | None = None


class TextFormat(Strict):
    type: Literal["text"]


class JsonObjectFormat(Strict):
    type: Literal["json_object"]


class JsonSchemaFormat(Strict):
    type: Literal["json_schema"]
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", max_length=64)]
    schema_: Annotated[dict[str, Any], Field(alias="schema")]
    description: str | None = None
    strict: bool | None = None


type Format = Annotated[
    Annotated[TextFormat, Tag(":text")]
    | Annotated[JsonObjectFormat, Tag(":json_object")]
    | Annotated[JsonSchemaFormat, Tag(":json_schema")],
    tagged("type", "text", "json_object", "json_schema"),
]


class TextConfig(Strict):
    format: Format | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class StreamOptions(Strict):
    include_obfuscation: bool | None = None


class CacheOptions(Strict):
    mode: Literal["implicit", "explicit"] | None = None
    ttl: Literal["30m", "12h"] | None = None
    prewarm: bool | None = None
    comparison_response_id: str | None = None


class Conversation(Strict):
    id: str


class PromptTemplate(Strict):
    id: str
    version: str | None = None
    variables: dict[str, Any] | None = None


class ContextManagement(Strict):
    type: Literal["compaction"]
    compact_threshold: Annotated[int, Field(ge=1)] | None = None


type Input = Annotated[Annotated[str, Tag(":text")] | Annotated[list[Item], Tag(":items")], text_or(":items")]


class TokenCountRequest(Strict):
    """What `/responses/input_tokens` takes, and what every request that has a prompt is built on."""

    model: str | None = None
    input: Input | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    conversation: (
        Annotated[Annotated[str, Tag(":text")] | Annotated[Conversation, Tag(":object")], text_or(":object")]
        | None
    ) = None
    parallel_tool_calls: bool | None = None
    reasoning: ReasoningConfig | None = None
    text: TextConfig | None = None
    tool_choice: ToolChoice | None = None
    tools: list[Tool] | None = None
    truncation: Literal["auto", "disabled"] | None = None

    @property
    def items(self) -> list[Item]:
        """The input as items: a string is one message of the user."""
        if isinstance(self.input, str):
            return [InputMessage(role="user", content=self.input)]
        return list(self.input or [])

    @property
    def effort(self) -> str | None:
        return self.reasoning.effort if self.reasoning is not None else None

    @property
    def format(self) -> Format | None:
        return self.text.format if self.text is not None else None


class ResponsesRequest(TokenCountRequest):
    access_programs: dict[str, Any] | None = None
    background: bool | None = None
    background_options: dict[str, Any] | None = None
    client_metadata: dict[str, str] | None = None
    """Not in the reference: Codex CLI sends it with an API key as well (measured with 0.169)."""
    context_management: list[ContextManagement] | None = None
    image: dict[str, Any] | None = None
    include: list[Include] | None = None
    max_output_tokens: Annotated[int, Field(ge=16)] | None = None
    max_tool_calls: Annotated[int, Field(ge=1)] | None = None
    metadata: Metadata | None = None
    moderation: dict[str, Any] | None = None
    prompt: PromptTemplate | None = None
    prompt_cache_key: Annotated[str, Field(max_length=64)] | None = None
    prompt_cache_options: CacheOptions | None = None
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None
    safety_identifier: Annotated[str, Field(max_length=128)] | None = None
    service_tier: Literal["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"] | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    user: str | None = None

    @property
    def stored(self) -> bool:
        return self.store is not False


def without_internals(data: dict[str, Any]) -> dict[str, Any]:
    """The body without the fields that only Codex CLI's built-in provider puts into items."""
    items = data.get("input")
    if not isinstance(items, list):
        return data
    return data | {"input": [_cleaned(item) if isinstance(item, dict) else item for item in items]}


def _cleaned(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in INTERNAL_ITEM_FIELDS}


class CompactRequest(Strict):
    model: str
    input: Input | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    image: dict[str, Any] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: CacheOptions | None = None
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None
    service_tier: Literal["auto", "default", "fast", "flex", "priority"] | None = None
