"""A unified diff of two conversations: what is the same is folded away, and nothing is cut."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from ccproxy.inspector.layout import Lines

CONTEXT = 2
"""Unchanged lines that are shown around a change, besides the heading that it stands below."""

FOLDED = 4
"""Unchanged lines that are worth folding."""

_PLACE = re.compile(r"^(\S.*?)  \((?:messages|input|instructions)[.\d]*\)$")
"""A heading, which also says where its turn stands: each format counts the turns in its own way."""

_Line = tuple[str, str]
"""`-`, `+` or a blank, and the line."""


def differences(before: Sequence[str], after: Sequence[str]) -> Lines:
    """Lines that begin with `- ` (gone), `+ ` (new) or blanks; a run of unchanged ones becomes its count.

    No lines where nothing differs.
    """
    merged = _merged(before, after)
    if all(mark == " " for mark, _ in merged):
        return
    seen = _seen(merged)
    folded: list[str] = []
    for number, (mark, line) in enumerate(merged):
        if number not in seen:
            folded.append(line)
            continue
        yield from _fold(folded)
        folded = []
        yield f"{mark} {line}".rstrip()
    yield from _fold(folded)


def _merged(before: Sequence[str], after: Sequence[str]) -> list[_Line]:
    old, new = [_key(line) for line in before], [_key(line) for line in after]
    lines: list[_Line] = []
    for _, i1, i2, j1, j2 in SequenceMatcher(None, old, new).get_opcodes():
        if old[i1:i2] == new[j1:j2]:
            lines += [(" ", line) for line in before[i1:i2]]
        else:
            lines += [("-", line) for line in before[i1:i2]]
            lines += [("+", line) for line in after[j1:j2]]
    return lines


def _key(line: str) -> str:
    """What counts of a line."""
    place = _PLACE.match(line)
    return place[1] if place else line


def _seen(lines: Sequence[_Line]) -> set[int]:
    """The changes, what is around them, and the heading above each."""
    seen: set[int] = set()
    heading = None
    for number, (mark, line) in enumerate(lines):
        if line and not line.startswith(" "):
            heading = number
        if mark != " ":
            seen.update(range(max(0, number - CONTEXT), min(len(lines), number + CONTEXT + 1)))
            if heading is not None:
                seen.add(heading)
    return seen


def _fold(lines: Sequence[str]) -> Lines:
    if len(lines) >= FOLDED:
        yield f"  … {len(lines)} unchanged lines"
    else:
        yield from (f"  {line}".rstrip() for line in lines)
