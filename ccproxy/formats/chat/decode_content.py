"""Content parts of a request, from the wire (API reference, read 2026-11-22)."""

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
    Text,
)
from ccproxy.formats.media import from_base64, from_data_url, from_url, plain_text
from ccproxy.formats.reading import mapping, optional, text


def decode_content(value: object, path: str) -> tuple[Part, ...]:
    """A string or an array of parts; empty texts are left out. A part of an unknown type becomes Opaque."""
    if isinstance(value, str):
        return (Text(value),) if value else ()
    if not isinstance(value, list):
        raise RequestError(path, "must be a string or an array of content parts")
    parts = [_part(item, f"{path}.{index}") for index, item in enumerate(value)]
    return tuple(part for part in parts if part not in (Text(""), Refusal("")))


def decode_texts(value: object, path: str) -> tuple[Text, ...]:
    """The same where only text may stand: one Text for each part."""
    parts = decode_content(value, path)
    texts = tuple(part for part in parts if isinstance(part, Text))
    if len(texts) != len(parts):
        raise RequestError(path, "may hold text only")
    return texts


def _part(item: object, path: str) -> Part:
    part = mapping(item, path)
    match text(part.get("type"), f"{path}.type"):
        case "text":
            return Text(text(part.get("text"), f"{path}.text"))
        case "refusal":
            return Refusal(text(part.get("refusal"), f"{path}.refusal"))
        case "image_url":
            return _image(part.get("image_url"), f"{path}.image_url")
        case "input_audio":
            audio = mapping(part.get("input_audio"), f"{path}.input_audio")
            return Audio(
                text(audio.get("data"), f"{path}.input_audio.data"),
                text(audio.get("format"), f"{path}.input_audio.format"),
            )
        case "file":
            return _file(mapping(part.get("file"), f"{path}.file"), f"{path}.file")
        case _:
            return Opaque("chat", part)


def _image(value: object, path: str) -> Image:
    # many clients give the address alone instead of the object
    if isinstance(value, str):
        return Image(from_url(value, path))
    image = mapping(value, path)
    url = text(image.get("url"), f"{path}.url")
    return Image(from_url(url, f"{path}.url"), optional(text, image.get("detail"), f"{path}.detail"))


def _file(file: JsonObject, path: str) -> Part:
    title = optional(text, file.get("filename"), f"{path}.filename")
    if (file_id := optional(text, file.get("file_id"), f"{path}.file_id")) is not None:
        return Document(Media(file_id=file_id, provider="openai"), title=title)
    data = text(file.get("file_data"), f"{path}.file_data")
    if data[:5].lower() == "data:":
        media = from_data_url(data, f"{path}.file_data")
    else:
        media = from_base64(data, None, f"{path}.file_data")
    if (plain := plain_text(media)) is not None:
        return Document(text=plain, title=title)
    return Image(media) if (media.media_type or "").startswith("image/") else Document(media, title=title)
