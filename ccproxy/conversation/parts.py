"""What a turn is made of."""

from dataclasses import dataclass
from typing import Any, Literal

Provider = Literal["anthropic", "openai"]
Wire = Literal["anthropic", "chat", "responses"]
JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text, never empty in a request that is sent."""

    text: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an assistant said instead of an answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Media:
    """Where bytes are: in base64 with their media type, at an https address, or in a provider's file store.

    Exactly one of `data`, `url` and `file_id` is set. `data` is base64 without white space.
    """

    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    provider: Provider | None = None


@dataclass(frozen=True, slots=True)
class Image:
    media: Media
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A PDF or a plain text; a text stands in `text`, everything else in `media`."""

    media: Media | None = None
    text: str | None = None
    title: str | None = None
    context: str | None = None


@dataclass(frozen=True, slots=True)
class Audio:
    data: str
    format: str


@dataclass(frozen=True, slots=True)
class SearchResult:
    source: str
    title: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`arguments` is the JSON text as the model wrote it; for a custom tool (`custom`) any text."""

    id: str
    name: str
    arguments: str
    custom: bool = False


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The answer to the call with this id; `parts` are texts, images, documents and search results."""

    call_id: str
    parts: tuple["Part", ...]
    is_error: bool = False
    custom: bool = False


@dataclass(frozen=True, slots=True)
class Seal:
    """What a provider needs back to trust its own reasoning: a signature, redacted data or encrypted content.

    Opaque, and of use to that provider only. `id` is the id of the item that it came in, where there is one.
    """

    provider: Provider
    value: str
    redacted: bool = False
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What the model thought. Without a seal no provider takes it back."""

    text: str
    seal: Seal | None = None


@dataclass(frozen=True, slots=True)
class Opaque:
    """A part that we do not understand, as it came; it goes back to the same wire format only."""

    wire: Wire
    value: JsonObject


Part = Text | Refusal | Image | Document | Audio | SearchResult | ToolCall | ToolResult | Reasoning | Opaque
