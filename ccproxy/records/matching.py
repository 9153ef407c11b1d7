"""Finds the recorded answer to a request; where there is none, the recorded request that is nearest to it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ccproxy.conversation.parts import JsonObject
from ccproxy.records.cassette import Recorded
from ccproxy.records.meaning import meaning
from ccproxy.routes import Operation

SHOWN = 3
"""Differences that a client is told; the log has more."""

AROUND = 24
"""Characters of a text that are shown before the first one that differs."""

LONG = 72
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place in which two requests differ; a side is None where it has nothing there."""

    path: str
    recorded: Any
    asked: Any

    def __str__(self) -> str:
        one, two = self.recorded, self.asked
        if isinstance(one, str) and isinstance(two, str):
            start = max(0, _first_difference(one, two) - AROUND)
            return f"{self.path}: {_text(one, start)} -> {_text(two, start)}"
        return f"{self.path}: {_value(one)} -> {_value(two)}"


@dataclass(frozen=True, slots=True)
class Nearest:
    """The recorded request that differs least: its number in the file, from 1, and where it differs.

    `path` is where the other one was sent, written as in `Recorded`.
    """

    number: int
    recorded: Recorded
    path: str
    differences: list[Difference]


class Tape:
    """A cassette at work: a request's answers come in their recorded order, and the last one repeats."""

    def __init__(self, recorded: Sequence[Recorded]) -> None:
        self.recorded = recorded
        self._meanings = [meaning(one.request) if one.request is not None else {} for one in recorded]
        self._numbers: dict[str, list[int]] = {}
        self._given: dict[str, int] = {}
        for number, (one, wanted) in enumerate(zip(recorded, self._meanings, strict=True), 1):
            self._numbers.setdefault(_key(one.operation, one.path, wanted), []).append(number)

    def find(self, operation: Operation, path: str, request: JsonObject | None) -> int | None:
        """The number of the answer that is next for this request, None when nothing like it was recorded.

        `path` counts where there is no body.
        """
        key = _key(operation, path, meaning(request) if request is not None else {})
        numbers = self._numbers.get(key)
        if numbers is None:
            return None
        turn = self._given.get(key, 0)
        self._given[key] = turn + 1
        return numbers[min(turn, len(numbers) - 1)]

    def nearest(self, operation: Operation, path: str, request: JsonObject) -> Nearest | None:
        """The recorded request of the same kind that differs in the fewest places; of equals the first."""
        asked = meaning(request)
        found = [
            Nearest(number, one, path, list(differences(self._meanings[number - 1], asked)))
            for number, one in enumerate(self.recorded, 1)
            if one.operation == operation
        ]
        return min(found, key=lambda one: _distance(one.differences), default=None)


def differences(recorded: Any, asked: Any, path: str = "") -> Iterator[Difference]:
    """Every place in which two meanings differ."""
    if isinstance(recorded, dict) and isinstance(asked, dict):
        for name in [*recorded, *(name for name in asked if name not in recorded)]:
            inner = f"{path}.{name}" if path else name
            yield from differences(recorded.get(name), asked.get(name), inner)
    elif isinstance(recorded, list) and isinstance(asked, list):
        for number in range(max(len(recorded), len(asked))):
            one, two = (side[number] if number < len(side) else None for side in (recorded, asked))
            yield from differences(one, two, f"{path}[{number}]")
    elif recorded != asked:
        yield Difference(path, recorded, asked)


def told(nearest: Nearest | None, shown: int | None = SHOWN) -> str:
    """The nearest request and the difference, in a few lines; `shown` differences of them, None for all."""
    if nearest is None:
        return "Nothing of this kind was recorded."
    model = (nearest.recorded.request or {}).get("model")
    lines = [f"The nearest is number {nearest.number} ({model}); recorded -> asked:"]
    lines += [f"  {one}" for one in nearest.differences[:shown]]
    if shown is not None and len(nearest.differences) > shown:
        lines.append(f"  and {len(nearest.differences) - shown} more")
    if nearest.path != nearest.recorded.path:
        # clients ask in another way there
        lines.append(f"  sent to: {_way(nearest.recorded.path)} -> {_way(nearest.path)}")
    return "\n".join(lines)


def _way(path: str) -> str:
    return f"{path} ({'HTTPS_PROXY' if '://' in path else 'base URL'})"


def _key(operation: Operation, path: str, wanted: JsonObject) -> str:
    return json.dumps([operation, wanted] if wanted else [operation, path], sort_keys=True)


def _distance(found: Sequence[Difference]) -> int:
    """A turn that only one of the two has weighs more than one that reads differently."""
    return sum(1 if one.recorded is not None and one.asked is not None else 3 for one in found)


def _first_difference(one: str, two: str) -> int:
    pairs = zip(one, two, strict=False)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(one), len(two)))


def _text(text: str, start: int) -> str:
    cut = text[start : start + LONG]
    before, after = "…" if start else "", "…" if start + LONG < len(text) else ""
    return before + json.dumps(cut, ensure_ascii=False) + after


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONG else text[:LONG] + "…"
