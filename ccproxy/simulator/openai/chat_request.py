"""The body of a Chat Completions request (official Python SDK 3.54.0 and API reference, read 2026-11-22)."""

from typing import Annotated, Any, Literal

from pydantic import Field, Tag

from ccproxy.simulator.openai.chat_messages import ContentText, Message
from ccproxy.simulator.openai.checking import Strict, mode_or_tagged, tagged, text_or

Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", max_length=64)]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
MetadataKey = Annotated[str, Field(max_length=64)]
MetadataValue = Annotated[str, Field(max_length=512)]
Metadata = Annotated[dict[MetadataKey, MetadataValue], Field(max_length=16)]


class FunctionSpec(Strict):
    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class FunctionTool(Strict):
    type: Literal["function"]
    function: FunctionSpec


class Grammar(Strict):
    definition: str
    syntax: Literal["lark", "regex"]


class GrammarFormat(Strict):
    type: Literal["grammar"]
    grammar: Grammar


class TextFormat(Strict):
    type: Literal["text"]


type CustomFormat = Annotated[
    Annotated[TextFormat, Tag(":text")] | Annotated[GrammarFormat, Tag(":grammar")],
    tagged("type", "text", "grammar"),
]


class CustomSpec(Strict):
    name: Name
    description: str | None = None
    format: CustomFormat | None = None


class CustomTool(Strict):
    type: Literal["custom"]
    custom: CustomSpec


type Tool = Annotated[
    Annotated[FunctionTool, Tag(":function")] | Annotated[CustomTool, Tag(":custom")],
    tagged("type", "function", "custom"),
]


class Named(Strict):
    name: str


class FunctionChoice(Strict):
    type: Literal["function"]
    function: Named


class CustomChoice(Strict):
    type: Literal["custom"]
    custom: Named


class AllowedTools(Strict):
    mode: Literal["auto", "required"]
    tools: Annotated[list[dict[str, Any]], Field(min_length=1)]


class AllowedChoice(Strict):
    type: Literal["allowed_tools"]
    allowed_tools: AllowedTools


type ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag(":mode")]
    | Annotated[FunctionChoice, Tag(":function")]
    | Annotated[CustomChoice, Tag(":custom")]
    | Annotated[AllowedChoice, Tag(":allowed_tools")],
    mode_or_tagged("type", "function", "custom", "allowed_tools"),
]


class JsonSchema(Strict):
    name: Name
    description: str | None = None
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    strict: bool | None = None


class JsonSchemaFormat(Strict):
    type: Literal["json_schema"]
    json_schema: JsonSchema


class JsonObjectFormat(Strict):
    type: Literal["json_object"]


type ResponseFormat = Annotated[
    Annotated[TextFormat, Tag(":text")]
    | Annotated[JsonObjectFormat, Tag(":json_object")]
    | Annotated[JsonSchemaFormat, Tag(":json_schema")],
    tagged("type", "text", "json_object", "json_schema"),
]


class StreamOptions(Strict):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class Audio(Strict):
    format: Literal["wav", "aac", "mp3", "flac", "opus", "pcm16"]
    voice: Any


class Prediction(Strict):
    type: Literal["content"]
    content: ContentText


class CacheOptions(Strict):
    mode: Literal["implicit", "explicit"] | None = None
    ttl: Literal["30m"] | None = None


class OldFunction(Strict):
    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None


class ChatRequest(Strict):
    model: str
    messages: Annotated[list[Message], Field(min_length=1)]
    audio: Audio | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    function_call: (
        Annotated[
            Annotated[Literal["none", "auto"], Tag(":text")] | Annotated[Named, Tag(":named")],
            text_or(":named"),
        ]
        | None
    ) = None
    functions: list[OldFunction] | None = None
    logit_bias: dict[str, Annotated[float, Field(ge=-100, le=100)]] | None = None
    logprobs: bool | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    metadata: Metadata | None = None
    modalities: list[Literal["text", "audio"]] | None = None
    moderation: dict[str, Any] | None = None
    n: Annotated[int, Field(ge=1, le=128)] | None = None
    parallel_tool_calls: bool | None = None
    prediction: Prediction | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: CacheOptions | None = None
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None
    reasoning_effort: Effort | None = None
    response_format: ResponseFormat | None = None
    safety_identifier: Annotated[str, Field(max_length=128)] | None = None
    seed: int | None = None
    service_tier: Literal["auto", "default", "flex", "scale", "priority", "fast"] | None = None
    stop: (
        Annotated[
            Annotated[str, Tag(":text")]
            | Annotated[list[str], Field(min_length=1, max_length=4), Tag(":many")],
            text_or(":many"),
        ]
        | None
    ) = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    tool_choice: ToolChoice | None = None
    tools: Annotated[list[Tool], Field(min_length=1, max_length=128)] | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    user: str | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    web_search_options: dict[str, Any] | None = None
