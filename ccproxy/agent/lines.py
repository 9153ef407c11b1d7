"""Claude Code's output, cut into lines: one JSON object each. No IO."""

import json
from typing import Any

import msgspec

from ccproxy.conversation.parts import JsonObject

LIMIT = 64 * 2**20
"""Bytes of the longest line: a tool result may hold images."""

_KEPT = 300
_decoder = msgspec.json.Decoder(JsonObject)


class LineTooLong(Exception):
    """A line has more bytes than `limit`."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"a line is longer than {limit} bytes")


class Lines:
    """Takes bytes cut anywhere. What is no JSON object is passed over: `skipped` counts those lines, and
    `last_skipped` is the beginning of the last one, for an error message. Blank lines do not count.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.skipped = 0
        self.last_skipped = ""
        self._limit = limit
        self._begun = bytearray()

    def feed(self, data: bytes) -> list[JsonObject]:
        """The objects whose lines end in this piece. Raises LineTooLong."""
        first, *more = data.split(b"\n")
        self._begun += first
        if len(self._begun) > self._limit:
            raise LineTooLong(self._limit)
        if not more:
            return []
        *whole, rest = [bytes(self._begun), *more]
        if max(map(len, more)) > self._limit:
            raise LineTooLong(self._limit)
        self._begun = bytearray(rest)
        return [found for line in whole if (found := self._parsed(line.strip())) is not None]

    def _parsed(self, line: bytes) -> JsonObject | None:
        if not line:
            return None
        try:
            return _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            if (lenient := _with_half_characters(line)) is not None:
                return lenient
            self.skipped += 1
            self.last_skipped = line[:_KEPT].decode(errors="replace")
            return None


def _with_half_characters(line: bytes) -> JsonObject | None:
    """JavaScript can cut a text within a character. The halves, which UTF-8 cannot say, become "?"."""
    try:
        value: Any = json.loads(line)
        clean = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
        return _decoder.decode(clean)
    except (ValueError, RecursionError, msgspec.DecodeError):
        return None
