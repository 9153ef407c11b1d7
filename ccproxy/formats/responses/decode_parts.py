"""Content parts of a Responses request (API reference, read 2026-11-22)."""

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import Audio, Document, Image, JsonObject, Media, Opaque, Part, Refusal, Text
from ccproxy.formats import media, reading


def decode_content(content: object, path: str) -> tuple[Part, ...]:
    """A string or an array of parts; empty texts are left out."""
    if isinstance(content, str):
        return (Text(content),) if content else ()
    if content is None:
        return ()
    parts = [
        decode_part(reading.mapping(value, f"{path}.{index}"), f"{path}.{index}")
        for index, value in enumerate(reading.array(content, path))
    ]
    return tuple(part for part in parts if not (isinstance(part, Text | Refusal) and not part.text))


def decode_part(part: JsonObject, path: str) -> Part:
    """One part; a type that we do not know is kept as it is."""
    kind = reading.text(part.get("type"), f"{path}.type")
    match kind:
        case "input_text" | "output_text" | "text" | "summary_text" | "reasoning_text":
            return Text(reading.text(part.get("text"), f"{path}.text"))
        case "refusal":
            return Refusal(reading.text(part.get("refusal"), f"{path}.refusal"))
        case "input_image":
            return _image(part, path)
        case "input_file":
            return _file(part, path)
        case "input_audio":
            return _audio(part, path)
        case _:
            return Opaque("responses", part)


def _image(part: JsonObject, path: str) -> Image:
    detail = reading.optional(reading.text, part.get("detail"), f"{path}.detail")
    file_id = reading.optional(reading.text, part.get("file_id"), f"{path}.file_id")
    if file_id:
        return Image(Media(file_id=file_id, provider="openai"), detail)
    return Image(
        media.from_url(reading.text(part.get("image_url"), f"{path}.image_url"), f"{path}.image_url"), detail
    )


def _file(part: JsonObject, path: str) -> Document:
    title = reading.optional(reading.text, part.get("filename"), f"{path}.filename")
    if file_id := reading.optional(reading.text, part.get("file_id"), f"{path}.file_id"):
        return Document(Media(file_id=file_id, provider="openai"), title=title)
    if url := reading.optional(reading.text, part.get("file_url"), f"{path}.file_url"):
        return Document(media.from_url(url, f"{path}.file_url"), title=title)
    where = f"{path}.file_data"
    data = reading.text(part.get("file_data"), where)
    if data[:5].lower() == "data:":
        found = media.from_data_url(data, where)
    else:
        found = media.from_base64(data, _type_by_name(title), where)
    text = media.plain_text(found)
    return Document(found, title=title) if text is None else Document(text=text, title=title)


def _type_by_name(title: str | None) -> str | None:
    name = (title or "").lower()
    if name.endswith(".pdf"):
        return "application/pdf"
    return "text/plain" if name.endswith((".txt", ".md")) else None


def _audio(part: JsonObject, path: str) -> Audio:
    where = f"{path}.input_audio"
    audio = reading.mapping(part.get("input_audio"), where)
    kind = reading.text(audio.get("format"), f"{where}.format")
    if kind not in ("wav", "mp3"):
        raise RequestError(f"{where}.format", "must be wav or mp3")
    return Audio(reading.text(audio.get("data"), f"{where}.data"), kind)
