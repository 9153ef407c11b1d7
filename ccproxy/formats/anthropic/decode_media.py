"""Images and documents of a request as parts (Messages API reference, read 2026-11-22)."""

from collections.abc import Iterable

from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import Document, Image, JsonObject, Media, Part, Text
from ccproxy.formats import media, reading


def image(block: JsonObject, path: str) -> Image:
    """An `image` block."""
    source = reading.mapping(block.get("source"), f"{path}.source")
    return Image(_media(source, f"{path}.source"))


class DocumentReader:
    """Reads `document` blocks."""

    def __init__(self, losses: list[Loss]) -> None:
        self._losses = losses

    def read(self, block: JsonObject, path: str) -> Iterable[Part]:
        """One document; one that is made of texts and images is its parts, with its title before them."""
        title = reading.optional(reading.text, block.get("title"), f"{path}.title")
        context = reading.optional(reading.text, block.get("context"), f"{path}.context")
        note_citations(block, path, self._losses)
        source, at = reading.mapping(block.get("source"), f"{path}.source"), f"{path}.source"
        match reading.text(source.get("type"), f"{at}.type"):
            case "text":
                text = reading.text(source.get("data"), f"{at}.data")
                return [Document(text=text, title=title, context=context)]
            case "content":
                return self._from_content(source.get("content"), title, context, f"{at}.content")
        return [Document(_media(source, at), title=title, context=context)]

    def _from_content(
        self, content: object, title: str | None, context: str | None, path: str
    ) -> Iterable[Part]:
        if isinstance(content, str):
            return [Document(text=content, title=title, context=context)]
        parts: list[Part] = []
        for index, value in enumerate(reading.array(content, path)):
            at = f"{path}.{index}"
            block = reading.mapping(value, at)
            match reading.text(block.get("type"), f"{at}.type"):
                case "text":
                    parts.append(Text(reading.text(block.get("text"), f"{at}.text")))
                case "image":
                    parts.append(image(block, at))
                case _:
                    raise RequestError(f"{at}.type", "must be 'text' or 'image'")
        texts = [part.text for part in parts if isinstance(part, Text)]
        if len(texts) == len(parts):
            return [Document(text="\n\n".join(texts), title=title, context=context)]
        self._losses.append(Loss(path, "The parts of the document went one by one.", "flattened"))
        return [Text(text) for text in (title, context) if text] + parts


def note_citations(block: JsonObject, path: str, losses: list[Loss]) -> None:
    """A loss when the answer shall cite this block."""
    match block.get("citations"):
        case {"enabled": True}:
            losses.append(Loss(f"{path}.citations", "Citations are not carried."))


def _media(source: JsonObject, path: str) -> Media:
    match reading.text(source.get("type"), f"{path}.type"):
        case "base64":
            media_type = reading.optional(reading.text, source.get("media_type"), f"{path}.media_type")
            data = reading.text(source.get("data"), f"{path}.data")
            return media.from_base64(data, media_type, f"{path}.data")
        case "url":
            return media.from_url(reading.text(source.get("url"), f"{path}.url"), f"{path}.url")
        case "file":
            file_id = reading.text(source.get("file_id"), f"{path}.file_id")
            return Media(file_id=file_id, provider="anthropic")
    raise RequestError(f"{path}.type", "is no kind of source that can be carried")
