"""Content parts of a request, onto the wire (API reference, read 2026-11-22)."""

from collections.abc import Iterable
from typing import Any

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
from ccproxy.formats.media import IMAGES, data_url


def encode_content(parts: Iterable[Part], path: str, losses: list[Loss]) -> list[JsonObject]:
    """A user's parts. Raises RequestError for a part that Chat Completions has no form for."""
    return [value for part in parts for value in (_context(part), _part(part, path, losses)) if value]


def collapsed(parts: list[JsonObject]) -> Any:
    """A single text as a plain string, which every server understands."""
    return parts[0]["text"] if len(parts) == 1 and set(parts[0]) == {"type", "text"} else parts


def as_text(part: Part) -> str | None:
    """The part as text where that loses nothing."""
    match part:
        case Text() | Refusal():
            return part.text
        case Document(text=str(text)):
            return "\n\n".join(piece for piece in (part.title, part.context, text) if piece)
        case SearchResult():
            return "\n".join((part.title, part.source, *part.texts))
    return None


def _part(part: Part, path: str, losses: list[Loss]) -> JsonObject | None:
    if (text := as_text(part)) is not None:
        return {"type": "text", "text": text} if text else None
    match part:
        case Image():
            image: JsonObject = {"url": _address(part.media, path)}
            return {
                "type": "image_url",
                "image_url": image | ({"detail": part.detail} if part.detail else {}),
            }
        case Document():
            return _document(part, path, losses)
        case Audio():
            return {"type": "input_audio", "input_audio": {"data": part.data, "format": part.format}}
        case Opaque(wire="chat"):
            return part.value
        case Opaque():
            kind = str(part.value.get("type"))
            raise RequestError(path, f"has a part of the type {kind!r}, which Chat Completions does not know")
        case Reasoning() | ToolCall() | ToolResult():
            losses.append(Loss(path, "A part that has no place in a user's turn."))
    return None


def _context(part: Part) -> JsonObject | None:
    """What was said about a file, which goes before it: a file has no place for it."""
    match part:
        case Document(media=Media(), context=str(context)) if context:
            return {"type": "text", "text": context}
    return None


def _document(document: Document, path: str, losses: list[Loss]) -> JsonObject:
    media = document.media or Media()
    if media.url:
        losses.append(Loss(path, "Chat Completions takes no address of a document.", "text"))
        name = f"{document.title}: " if document.title else ""
        return {"type": "text", "text": f"[document {name}{media.url}]"}
    if media.file_id:
        return {"type": "file", "file": {"file_id": _own_file(media, path)}}
    name = document.title or "document.pdf"
    return {"type": "file", "file": {"filename": name, "file_data": data_url(media)}}


def _address(media: Media, path: str) -> str:
    if media.url:
        return media.url
    if media.file_id:
        raise RequestError(path, "has an image by its file id: send it as base64 or by its address")
    if media.media_type not in IMAGES:
        kind = media.media_type or "no known type"
        raise RequestError(path, f"has an image of {kind}: send JPEG, PNG, GIF or WebP")
    return data_url(media)


def _own_file(media: Media, path: str) -> str | None:
    if media.provider == "openai":
        return media.file_id
    raise RequestError(path, "has a file of another provider's store: send it as base64")
