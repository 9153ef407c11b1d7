"""Where bytes are: `data:` URLs (RFC 2397), plain base64 and web addresses, as Media and back."""

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import Media

IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
"""The types of images that models look at, with any provider."""

_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_ALIASES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "application/x-pdf": "application/pdf"}
_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)


def from_url(url: str, path: str) -> Media:
    """What a client put where an address belongs. Raises RequestError for anything but data:, http(s):."""
    scheme = url[:8].lower()
    if scheme.startswith("data:"):
        return from_data_url(url, path)
    if scheme.startswith(("https://", "http://")):
        return Media(url=url)
    raise RequestError(path, "must be an https: address or a data: URL")


def from_data_url(url: str, path: str) -> Media:
    """`data:[type][;parameter]*[;base64],payload`; a payload that is not in base64 is put into it."""
    head, comma, payload = url[len("data:") :].partition(",")
    if not comma:
        raise RequestError(path, "is no data: URL: it has no comma")
    media_type, *parameters = (piece.strip() for piece in head.split(";"))
    if any(parameter.lower() == "base64" for parameter in parameters):
        # some clients percent-encode the + / = of base64, none of which is special here
        return from_base64(unquote_to_bytes(payload).decode("latin-1"), media_type, path)
    plain = unquote_to_bytes(payload)
    return from_base64(base64.b64encode(plain).decode(), media_type or "text/plain", path)


def from_base64(data: str, media_type: str | None, path: str) -> Media:
    """Base64 with or without white space; a missing type is read off the first bytes, where that works."""
    clean = "".join(data.split())
    if not _BASE64.fullmatch(clean):
        raise RequestError(path, "must be base64, and not empty")
    lowered = (media_type or "").strip().lower()
    return Media(_ALIASES.get(lowered, lowered) or _sniff(clean), data=clean)


def data_url(media: Media) -> str:
    """A base64 `data:` URL for media that hold their bytes."""
    return f"data:{media.media_type or 'application/octet-stream'};base64,{media.data}"


def plain_text(media: Media) -> str | None:
    """The text that media of a `text/*` type hold, None for all others."""
    if not media.data or not (media.media_type or "").startswith("text/"):
        return None
    try:
        return base64.b64decode(media.data).decode()
    except ValueError:
        return None


def _sniff(data: str) -> str | None:
    try:
        start = base64.b64decode(data[:32] + "=" * (-len(data[:32]) % 4))
    except binascii.Error:
        return None
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "image/webp"
    return next((media_type for magic, media_type in _MAGIC if start.startswith(magic)), None)
