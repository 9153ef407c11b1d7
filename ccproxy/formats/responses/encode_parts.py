"""Content parts towards OpenAI's Responses API (API reference, read 2026-11-22)."""

from collections.abc import Iterable

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import (
    Audio,
    Document,
    Image,
    JsonObject,
    Media,
    Opaque,
    Part,
    Refusal,
    SearchResult,
    Text,
    ToolResult,
)
from ccproxy.formats import media
from ccproxy.formats.responses import text

_DETAILS = ("auto", "low", "high", "original")


def encode_input(parts: Iterable[Part], path: str) -> list[JsonObject]:
    """What a user or a developer says. Raises RequestError for what OpenAI cannot be given."""
    return [value for part in parts for value in (_context(part), _input(part, path)) if value]


def encode_output(result: ToolResult, path: str) -> str | list[JsonObject]:
    """What a tool gave back: a text, or a list when there is more in it than text."""
    values = encode_input(result.parts, path)
    prefix = text.ERROR_PREFIX if result.is_error else ""
    if all(value.get("type") == "input_text" for value in values):
        return prefix + "\n".join(value["text"] for value in values)
    if prefix:
        values.insert(0, {"type": "input_text", "text": prefix.strip()})
    return values


def _input(part: Part, path: str) -> JsonObject | None:
    match part:
        case Text() | Refusal():
            return _text(part.text)
        case Image():
            return _image(part, path)
        case Document():
            return _document(part, path)
        case SearchResult():
            return _text(text.of_search_result(part))
        case Audio():
            return {"type": "input_audio", "input_audio": {"data": part.data, "format": part.format}}
        case Opaque(wire="responses"):
            return part.value
        case Opaque():
            raise unknown(part, path)
    raise RequestError(path, f"holds a {type(part).__name__} where OpenAI takes none")


def unknown(part: Opaque, path: str) -> RequestError:
    return RequestError(path, f"holds a part of type {part.value.get('type')!r}, which OpenAI does not know")


def _text(value: str) -> JsonObject | None:
    return {"type": "input_text", "text": value} if value else None


def _image(image: Image, path: str) -> JsonObject:
    where = image.media
    detail = image.detail if image.detail in _DETAILS else "auto"
    if where.file_id:
        return {"type": "input_image", "file_id": _file_id(where, path), "detail": detail}
    if where.data and where.media_type not in media.IMAGES:
        raise RequestError(
            path, f"holds an image of the type {where.media_type}; send JPEG, PNG, GIF or WebP"
        )
    url = where.url or media.data_url(where)
    return {"type": "input_image", "image_url": url, "detail": detail}


def _context(part: Part) -> JsonObject | None:
    """What was said about a file, which goes before it: a file has no place for it."""
    match part:
        case Document(media=Media(), context=str(context)):
            return _text(context)
    return None


def _document(document: Document, path: str) -> JsonObject | None:
    where = document.media
    if where is None:
        return _text(text.of_document(document))
    if where.file_id:
        return {"type": "input_file", "file_id": _file_id(where, path)}
    if where.url:
        return {"type": "input_file", "file_url": where.url}
    name = document.title or ("document.pdf" if where.media_type in (None, "application/pdf") else "document")
    return {"type": "input_file", "filename": name, "file_data": media.data_url(where)}


def _file_id(where: Media, path: str) -> str | None:
    if where.provider == "openai":
        return where.file_id
    raise RequestError(path, "names a file that another provider keeps; send its content")
