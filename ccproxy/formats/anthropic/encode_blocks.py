"""Parts as content blocks (Messages API reference, read 2026-11-22)."""

from collections.abc import Iterable

from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import (
    Audio,
    Document,
    Image,
    JsonObject,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    SearchResult,
    Text,
    ToolCall,
    ToolResult,
)
from ccproxy.formats.arguments import as_object
from ccproxy.formats.media import IMAGES, plain_text
from ccproxy.formats.names import Renamer, wire_id

_PDF = "application/pdf"


class BlockWriter:
    """Writes the parts of one request; what is left out is added to `losses`."""

    def __init__(self, renamer: Renamer, losses: list[Loss]) -> None:
        self._renamer = renamer
        self._losses = losses

    def user(self, parts: Iterable[Part], path: str) -> list[JsonObject]:
        """Blank texts are left out: no block may be blank."""
        return [block for part in parts if (block := self._user_block(part, path))]

    def assistant(self, parts: Iterable[Part], path: str) -> list[JsonObject]:
        return [block for part in parts if (block := self._assistant_block(part, path))]

    def _user_block(self, part: Part, path: str) -> JsonObject | None:
        match part:
            case Text() | Refusal():
                return text_block(part.text)
            case Image():
                return {"type": "image", "source": _image_source(part.media, path)}
            case Document():
                return _document(part, path)
            case SearchResult():
                return _search_result(part)
            case ToolResult():
                return self._tool_result(part, path)
            case Audio():
                raise RequestError(path, "holds audio, which Claude does not take: send text instead")
            case Opaque():
                return _opaque(part, path)
        raise RequestError(path, f"holds a {type(part).__name__}, which only an assistant may say")

    def _assistant_block(self, part: Part, path: str) -> JsonObject | None:
        match part:
            case Text() | Refusal():
                return text_block(part.text)
            case Reasoning():
                return _thinking(part)
            case ToolCall():
                return self._tool_use(part)
            case Opaque():
                return _opaque(part, path)
        kind = type(part).__name__.lower()
        self._losses.append(Loss(path, f"An assistant's turn may not hold this kind of part: {kind}."))
        return None

    def _tool_use(self, call: ToolCall) -> JsonObject:
        name = self._renamer.wire(call.name, call.custom)
        arguments = {"input": call.arguments} if call.custom else as_object(call.arguments)
        return {"type": "tool_use", "id": wire_id(call.id), "name": name, "input": arguments}

    def _tool_result(self, result: ToolResult, path: str) -> JsonObject:
        block: JsonObject = {"type": "tool_result", "tool_use_id": wire_id(result.call_id)}
        content = self.user(result.parts, path)
        if len(content) == 1 and content[0]["type"] == "text":
            block["content"] = content[0]["text"]
        elif content:
            block["content"] = content
        if result.is_error:
            block["is_error"] = True
        return block


def text_block(text: str) -> JsonObject | None:
    """A block of text, or None when it would be blank."""
    return {"type": "text", "text": text} if text.strip() else None


def _thinking(part: Reasoning) -> JsonObject | None:
    """Only with a seal of Anthropic's own: any other would be refused, and is left out."""
    seal = part.seal
    if seal is None or seal.provider != "anthropic":
        return None
    if seal.redacted:
        return {"type": "redacted_thinking", "data": seal.value}
    return {"type": "thinking", "thinking": part.text, "signature": seal.value}


def _opaque(part: Opaque, path: str) -> JsonObject:
    if part.wire != "anthropic":
        raise RequestError(
            path, f"holds a part of type {part.value.get('type')!r}, which Claude does not know"
        )
    return part.value


def _image_source(media: Media, path: str) -> JsonObject:
    if media.data is not None and media.media_type not in IMAGES:
        kind = media.media_type or "of no known type"
        raise RequestError(path, f"holds an image that is {kind}: Claude takes JPEG, PNG, GIF and WebP")
    return _source(media, path)


def _document(part: Document, path: str) -> JsonObject | None:
    text = part.text if part.text is not None else plain_text(part.media) if part.media else ""
    block: JsonObject = {"type": "document"}
    if text is not None:
        if not text.strip():
            return None
        block["source"] = {"type": "text", "media_type": "text/plain", "data": text}
    elif media := part.media:
        if media.data is not None and media.media_type != _PDF:
            kind = media.media_type or "of no known type"
            raise RequestError(path, f"holds a document that is {kind}: Claude takes PDF and plain text")
        block["source"] = _source(media, path)
    said = {"title": part.title, "context": part.context}
    return block | {key: value for key, value in said.items() if value}


def _source(media: Media, path: str) -> JsonObject:
    if media.data is not None:
        return {"type": "base64", "media_type": media.media_type, "data": media.data}
    if media.url is not None:
        if not media.url.lower().startswith("https://"):
            raise RequestError(path, "holds an address that is not https, which Claude does not fetch")
        return {"type": "url", "url": media.url}
    if media.provider != "anthropic":
        raise RequestError(path, "names a file in another provider's store: send its content instead")
    return {"type": "file", "file_id": media.file_id}


def _search_result(part: SearchResult) -> JsonObject | None:
    content = [block for text in part.texts if (block := text_block(text))]
    if not content:
        return text_block(f"{part.title}\n{part.source}")
    return {"type": "search_result", "source": part.source, "title": part.title, "content": content}
