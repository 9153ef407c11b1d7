"""The messages of a Chat Completions request: roles, content parts, tool calls."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, Tag

from ccproxy.simulator.openai.checking import Strict, tagged, text_or


class CacheBreakpoint(Strict):
    mode: Literal["explicit"]
    ttl: Literal["30m", "12h"] | None = None


class TextPart(Strict):
    type: Literal["text"]
    text: str
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class RefusalPart(Strict):
    type: Literal["refusal"]
    refusal: str


class ImageUrl(Strict):
    url: str
    detail: Literal["auto", "low", "high", "original"] | None = None


class ImagePart(Strict):
    type: Literal["image_url"]
    image_url: ImageUrl
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class InputAudio(Strict):
    data: str
    format: Literal["wav", "mp3"]


class AudioPart(Strict):
    type: Literal["input_audio"]
    input_audio: InputAudio
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class File(Strict):
    file_id: str | None = None
    file_data: str | None = None
    filename: str | None = None


class FilePart(Strict):
    type: Literal["file"]
    file: File
    prompt_cache_breakpoint: CacheBreakpoint | None = None


type OnlyText = Annotated[Annotated[TextPart, Tag(":text")], tagged("type", "text")]
type UserPart = Annotated[
    Annotated[TextPart, Tag(":text")]
    | Annotated[ImagePart, Tag(":image_url")]
    | Annotated[AudioPart, Tag(":input_audio")]
    | Annotated[FilePart, Tag(":file")],
    tagged("type", "text", "image_url", "input_audio", "file"),
]
type AssistantPart = Annotated[
    Annotated[TextPart, Tag(":text")] | Annotated[RefusalPart, Tag(":refusal")],
    tagged("type", "text", "refusal"),
]
type ContentText = Annotated[
    Annotated[str, Tag(":text")] | Annotated[list[TextPart], Field(min_length=1), Tag(":parts")],
    text_or(":parts"),
]
type ContentUser = Annotated[
    Annotated[str, Tag(":text")] | Annotated[list[UserPart], Field(min_length=1), Tag(":parts")],
    text_or(":parts"),
]
type ContentAssistant = Annotated[
    Annotated[str, Tag(":text")] | Annotated[list[AssistantPart], Field(min_length=1), Tag(":parts")],
    text_or(":parts"),
]


class Function(Strict):
    name: str
    arguments: str


class FunctionCall(Strict):
    id: str
    type: Literal["function"]
    function: Function


class Custom(Strict):
    name: str
    input: str


class CustomCall(Strict):
    id: str
    type: Literal["custom"]
    custom: Custom


type Call = Annotated[
    Annotated[FunctionCall, Tag(":function")] | Annotated[CustomCall, Tag(":custom")],
    tagged("type", "function", "custom"),
]


class DeveloperMessage(Strict):
    role: Literal["developer"]
    content: ContentText
    name: str | None = None


class SystemMessage(Strict):
    role: Literal["system"]
    content: ContentText
    name: str | None = None


class UserMessage(Strict):
    role: Literal["user"]
    content: ContentUser
    name: str | None = None


class AudioReference(Strict):
    id: str


class AssistantMessage(Strict):
    role: Literal["assistant"]
    content: ContentAssistant | None = None
    refusal: str | None = None
    name: str | None = None
    audio: AudioReference | None = None
    tool_calls: Annotated[list[Call], Field(min_length=1, max_length=128)] | None = None
    function_call: Function | None = None
    annotations: list[dict[str, object]] | None = None
    """Not an input in the reference, but the API takes its own messages back as they are."""


class ToolMessage(Strict):
    role: Literal["tool"]
    content: ContentText
    tool_call_id: str


class FunctionMessage(Strict):
    role: Literal["function"]
    content: str | None
    name: str


type Message = Annotated[
    Annotated[DeveloperMessage, Tag(":developer")]
    | Annotated[SystemMessage, Tag(":system")]
    | Annotated[UserMessage, Tag(":user")]
    | Annotated[AssistantMessage, Tag(":assistant")]
    | Annotated[ToolMessage, Tag(":tool")]
    | Annotated[FunctionMessage, Tag(":function")],
    tagged("role", "system", "assistant", "user", "function", "tool", "developer"),
]


def texts(
    content: str | Sequence[TextPart | RefusalPart | ImagePart | AudioPart | FilePart] | None,
) -> tuple[str, ...]:
    """The texts of a message's content, in order."""
    if content is None:
        return ()
    if isinstance(content, str):
        return (content,)
    found = (part.text if isinstance(part, TextPart) else getattr(part, "refusal", None) for part in content)
    return tuple(text for text in found if text is not None)
