"""Where the values of a JSON text stand: one can be replaced, and all the rest stays as it was written."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

Path = tuple[str | int, ...]

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}:,]|[^\[\]{}:,"\s]+', re.DOTALL)


class Span(NamedTuple):
    """A text, a number, `true`, `false` or `null`: its path, and where its literal begins and ends."""

    path: Path
    start: int
    end: int


def spans(text: str) -> Iterator[Span]:
    """All values that hold no others, in order. ValueError for what is no JSON."""
    try:
        json.loads(text)
    except RecursionError:
        raise ValueError("The JSON is nested too deeply.") from None
    around: list[str | int | None] = []
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "{":
                around.append(None)
            case "[":
                around.append(0)
            case "}" | "]":
                around.pop()
            case ",":
                around[-1] = around[-1] + 1 if isinstance(around[-1], int) else None
            case ":":
                pass
            case literal if around and around[-1] is None:
                around[-1] = json.loads(literal)
            case _:
                yield Span(tuple(part for part in around if part is not None), *token.span())


def replaced(text: str, changes: Iterable[tuple[Span, str]]) -> str:
    """The text with other literals at these places, which are given in their order."""
    pieces, at = [], 0
    for span, literal in changes:
        pieces += [text[at : span.start], literal]
        at = span.end
    return "".join([*pieces, text[at:]])


def dotted(path: Path) -> str:
    """`messages.2.content`, as providers write paths in their errors."""
    return ".".join(map(str, path))
