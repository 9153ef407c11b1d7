"""Tool names and call ids that every provider takes.

Both change what they must and nothing else, and depend on nothing but the request: the same history gives
the same names in every turn, so prompt caches hold and calls stay with their results.
"""

import hashlib
import re
from collections.abc import Collection, Iterable

from ccproxy.formats.codec import Names

_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_ILLEGAL = re.compile(r"[^a-zA-Z0-9_-]")


def wire_name(name: str, limit: int, taken: Collection[str]) -> str:
    """A legal name for a tool: itself if it is legal, else with `_` for what is illegal.

    A name that is too long, or that would become one of `taken`, ends in a part of its own hash instead,
    as long a part as it takes.
    """
    if is_legal(name, limit):
        return name
    cleaned = _ILLEGAL.sub("_", name)
    if cleaned and len(cleaned) <= limit and cleaned not in taken:
        return cleaned
    digest = _digest(name)
    for length in range(8, min(len(digest), limit - 1), 8):
        hashed = f"{cleaned[: limit - 1 - length]}_{digest[:length]}"
        if hashed not in taken:
            return hashed
    return digest[:limit]


def wire_id(call_id: str) -> str:
    """A legal id for a call: itself, or `call_` and a part of its hash."""
    return call_id if _ID.fullmatch(call_id) else f"call_{_digest(call_id)[:24]}"


def is_legal(name: str, limit: int) -> bool:
    """Whether a tool may have this name at a provider that takes `limit` characters."""
    return len(name) <= limit and _NAME.fullmatch(name) is not None


class Renamer:
    """Gives every tool of one request its name on the wire, and knows the way back.

    `known` are the names that the request uses: the legal ones among them are never given to another tool.
    """

    def __init__(self, limit: int, known: Iterable[str] = ()) -> None:
        self._limit = limit
        self._wire: dict[str, str] = {}
        self._taken = {name for name in known if is_legal(name, limit)}
        self._custom: set[str] = set()

    def wire(self, name: str, custom: bool = False) -> str:
        """The name on the wire; `custom` for a tool that takes text and goes as a function."""
        if custom:
            self._custom.add(name)
        if name not in self._wire:
            self._wire[name] = wire_name(name, self._limit, self._taken)
            self._taken.add(self._wire[name])
        return self._wire[name]

    def names(self) -> Names:
        """What the decoder of the answer needs."""
        changed = {wire: name for name, wire in self._wire.items() if wire != name}
        return Names(changed, frozenset(self._custom))


def _digest(value: str) -> str:
    # half of a surrogate pair is legal in JSON, and has no bytes of its own in UTF-8
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
