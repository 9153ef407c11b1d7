"""What a tool is asked to do, line by line: a command, a diff, or JSON. Nothing is left out.

The shapes of the tools' inputs are those of Claude Code 2.1 (its documentation and its requests, read
2026-11-22). An input of another shape is shown as JSON.
"""

from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

from ccproxy.cli.permission_request import Request, as_json
from ccproxy.cli.permission_text import Fragment, Line, in_lines

Entry = tuple[str, Line]
"""`+`, `-` or nothing, and the line."""

STYLES = {"+": "class:added", "-": "class:removed"}
LARGEST_DIFF = 4_000_000
"""Lines before times lines after, up to which it takes no noticeable time to find what is equal."""


def body(request: Request) -> list[Entry]:
    """The whole input, for people to read."""
    given = request.input
    if not isinstance(given, dict):
        return _json(given)
    match request.tool:
        case "Bash" if _texts(given, "command"):
            # first of all: nothing that is said about a command may push it off the screen
            return _apart(_text(given["command"], "class:command"), _rest(given, "command"))
        case "Edit" if _texts(given, "old_string", "new_string"):
            return _apart(_rest(given, "old_string", "new_string"), _edit(given))
        case "Write" if _texts(given, "content"):
            return _apart(_rest(given, "content"), _diff("", given["content"]))
        case "MultiEdit" if _edits(given.get("edits")):
            return _apart(_rest(given, "edits"), _many(given["edits"]))
    return _json(given)


def gutter(mark: str) -> Fragment:
    """What stands before a line."""
    return STYLES.get(mark, ""), f"{mark or ' '} "


def _texts(given: Mapping[str, Any], *names: str) -> bool:
    return all(isinstance(given.get(name), str) for name in names)


def _edits(found: Any) -> bool:
    return (
        isinstance(found, list)
        and bool(found)
        and all(isinstance(edit, dict) and _texts(edit, "old_string", "new_string") for edit in found)
    )


def _rest(given: Mapping[str, Any], *shown: str) -> Iterator[Entry]:
    """What else the input says, a `name: value` each."""
    for name, value in given.items():
        if name in shown:
            continue
        text = value if isinstance(value, str) else as_json(value)
        first, *more = in_lines(text)
        yield "", [*in_lines(f"{name}: ", "class:name")[0], *first]
        for line in more:
            yield "", [("", "    "), *line]


def _apart(above: Iterable[Entry], below: Iterable[Entry]) -> list[Entry]:
    """Both, with an empty line between them."""
    first, second = [*above], [*below]
    return [*first, ("", []), *second] if first and second else first + second


def _json(value: Any) -> list[Entry]:
    return list(_text(as_json(value)))


def _text(text: str, style: str = "") -> Iterator[Entry]:
    for line in in_lines(text, style):
        yield "", line


def _edit(edit: Mapping[str, Any]) -> Iterator[Entry]:
    return _diff(edit["old_string"], edit["new_string"])


def _many(edits: list[Mapping[str, Any]]) -> Iterator[Entry]:
    for number, edit in enumerate(edits, 1):
        if number > 1:
            yield "", []
        yield "", [("class:name", f"edit {number} of {len(edits)}")]
        yield from _rest(edit, "old_string", "new_string")
        yield from _edit(edit)


def _diff(old: str, new: str) -> Iterator[Entry]:
    """Every line of both: what goes, what comes, and what stays between."""
    before, after = old.split("\n") if old else [], new.split("\n") if new else []
    if len(before) * len(after) > LARGEST_DIFF:
        yield from _marked("-", before)
        yield from _marked("+", after)
        return
    for _, first, last, start, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if before[first:last] == after[start:end]:
            yield from _marked("", before[first:last])
        else:
            yield from _marked("-", before[first:last])
            yield from _marked("+", after[start:end])


def _marked(mark: str, lines: list[str]) -> Iterator[Entry]:
    for text in lines:
        for line in in_lines(text, STYLES.get(mark, "")):
            yield mark, line
