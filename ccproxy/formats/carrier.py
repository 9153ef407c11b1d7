"""Seals of one provider inside the fields that another provider's format has for its own.

A carrier is a tag, which says whose seal it is, and base64url without padding of a compact JSON object:

    cc1a.  Anthropic   {"k": "t" | "r", "s": signature or redacted data, "t": text of the thinking}
    cc1o.  OpenAI      {"id": id of the reasoning item or null, "e": encrypted content}
"""

import base64
import binascii
from typing import Any

import msgspec

from ccproxy.conversation.parts import JsonObject, Seal

ANTHROPIC = "cc1a."
OPENAI = "cc1o."


def pack(seal: Seal, text: str) -> str:
    """The carrier of a seal; `text` is the reasoning that it seals, which Anthropic wants back unchanged."""
    if seal.provider == "anthropic":
        return ANTHROPIC + _packed({"k": "r" if seal.redacted else "t", "s": seal.value, "t": text})
    return OPENAI + _packed({"id": seal.id, "e": seal.value})


def unpack(carried: str) -> tuple[Seal, str] | None:
    """The seal and the text that went with it; None when this is no carrier of ours.

    OpenAI's carrier has no text: it is "".
    """
    if carried.startswith(ANTHROPIC):
        match _unpacked(carried.removeprefix(ANTHROPIC)):
            case {"k": "t" | "r" as kind, "s": str(value), "t": str(text)}:
                return Seal("anthropic", value, redacted=kind == "r"), text
    if carried.startswith(OPENAI):
        match _unpacked(carried.removeprefix(OPENAI)):
            case {"id": str() | None as id, "e": str(value)}:
                return Seal("openai", value, id=id), ""
    return None


def is_tagged(carried: str) -> bool:
    """Whether it has a tag of ours: if it cannot be unpacked it is spoilt, and not a provider's own."""
    return carried.startswith((ANTHROPIC, OPENAI))


def _packed(value: JsonObject) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")


def _unpacked(packed: str) -> Any:
    try:
        padded = packed + "=" * (-len(packed) % 4)
        return msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return None
