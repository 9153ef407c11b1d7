"""Token counts of a prompt and what the prompt cache makes of them.

A prompt is a row of segments (tools, then system blocks, then content blocks). A prefix that ends at a
`cache_control` mark is written when it is first seen in this process and read from then on. Unlike upstream
there is no minimum length, so that short prompts show cache figures too.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from ccproxy.simulator import tokens

LOOKBACK = 20  # segments before a mark that are searched for an earlier prefix, as upstream


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """`input` leaves out both cache numbers; `written_1h` is the part of `written` that lives an hour."""

    input: int
    read: int = 0
    written: int = 0
    written_1h: int = 0

    @property
    def total(self) -> int:
        return self.input + self.read + self.written


@dataclass(frozen=True, slots=True)
class _Segment:
    digest: bytes  # of everything up to here
    end: int  # tokens up to here
    ttl: str | None  # of the mark on it, if there is one


def count(raw: Mapping[str, Any]) -> int:
    """All prompt tokens of a request, given as plain JSON."""
    return sum(tokens.estimate(data) for data, _ in _segments(raw))


def measure(raw: Mapping[str, Any], seen: set[bytes]) -> PromptTokens:
    """The prompt tokens by class; marks the prefixes of this request as seen."""
    segments = _summed(raw)
    marks = [index for index, segment in enumerate(segments) if segment.ttl is not None]
    total = segments[-1].end if segments else 0
    if not marks:
        return PromptTokens(input=total)
    read = _longest_seen(segments, marks, seen)
    written_1h = 0
    done = read
    for index in marks:
        end = segments[index].end
        if end > done and segments[index].ttl == "1h":
            written_1h += end - done
        done = max(done, end)
    seen.update(segments[index].digest for index in marks)
    cached = segments[marks[-1]].end
    return PromptTokens(total - cached, read=read, written=cached - read, written_1h=written_1h)


def _longest_seen(segments: list[_Segment], marks: list[int], seen: set[bytes]) -> int:
    for mark in reversed(marks):
        for index in range(mark, max(mark - LOOKBACK, 0) - 1, -1):
            if segments[index].digest in seen:
                return segments[index].end
    return 0


def _summed(raw: Mapping[str, Any]) -> list[_Segment]:
    state = hashlib.sha256(str(raw.get("model")).encode())
    found: list[_Segment] = []
    end = 0
    for data, ttl in _segments(raw):
        state.update(len(data).to_bytes(8, "big") + data)
        end += tokens.estimate(data)
        found.append(_Segment(state.digest(), end, ttl))
    if raw.get("cache_control") and found:
        last = found[-1]
        found[-1] = _Segment(last.digest, last.end, last.ttl or raw["cache_control"].get("ttl") or "5m")
    return found


def _segments(raw: Mapping[str, Any]) -> Iterator[tuple[bytes, str | None]]:
    """Canonical bytes of each piece of the prompt, and the lifetime of the cache mark on it."""
    for tool in raw.get("tools") or []:
        yield _segment("tool", tool)
    for block in _blocks(raw.get("system")):
        yield _segment("system", block)
    for message in raw["messages"]:
        for block in _blocks(message["content"]):
            yield _segment(message["role"], block)


def _blocks(content: Any) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content or []


def _segment(place: str, block: dict[str, Any]) -> tuple[bytes, str | None]:
    mark = block.get("cache_control")
    plain = {key: value for key, value in block.items() if key != "cache_control"}
    return msgspec.json.encode([place, plain]), (mark.get("ttl") or "5m") if mark else None
