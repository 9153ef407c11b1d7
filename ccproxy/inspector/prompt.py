"""A body as text that people edit: its settings, and each text of the conversation under a heading.

What is edited goes back into the body that it was taken from; all else there stays as it was written.
"""

import json
import re
from collections.abc import Mapping

from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.inspector.layout import as_object, items, mapping, string
from ccproxy.inspector.spans import Path, Span, dotted, replaced, spans

_REQUEST: dict[Wire, str] = {
    "anthropic": r"system(\.\d+\.text)?|messages\.\d+\.content(\.\d+(\..+)?\.(text|content))?",
    "chat": r"messages\.\d+\.content(\.\d+\.text)?",
    "responses": r"instructions|input|input\.\d+\.(content|output)(\.\d+\.text)?",
}
_ANSWER: dict[Wire, str] = {
    "anthropic": r"content\.\d+\.(text|input\..+)",
    "chat": r"choices\.\d+\.message\.(content|tool_calls\.\d+\.(function\.arguments|custom\.input))",
    "responses": r"output\.\d+\.(content\.\d+\.text|arguments|input)",
}
"""The paths of texts: what was said, the results of tools, and in answers what tools are called with."""

_TEXT = {wire: re.compile(f"{asked}|{_ANSWER[wire]}") for wire, asked in _REQUEST.items()}
_SETTING = re.compile(r"\w+")
_HEADING = re.compile(r"=== (\S+)(?: \([^)]*\))? ===")
_ESCAPED = re.compile(r"\\*=== .* ===")
END = "end"

_PICTURES: dict[str, str] = {
    chr(code): chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"
} | {"\x7f": "\u2421"}
"""Control characters, and what is shown for them: mitmproxy shows a dot, and editors make CRLF a LF."""


def prompt_text(wire: Wire, body: bytes) -> str:
    """The text to edit. ValueError for what is no JSON object in UTF-8."""
    text = _json(body)
    settings, texts = _parts(wire, text)
    value = as_object(text) or {}
    lines = [f"{name}: {text[span.start : span.end]}" for name, span in settings.items()]
    for name, span in texts.items():
        lines += ["", f"=== {name}{_who(value, span.path)} ===", _shown(_value(text, span))]
    return "\n".join([*lines, "", f"=== {END} ===", ""])


def changed_body(wire: Wire, body: bytes, edited: str) -> bytes:
    """The body with what was edited. ValueError when something cannot be put back."""
    text = _json(body)
    settings, texts = _parts(wire, text)
    head, sections = _sections(edited.replace("\r\n", "\n"))
    _same("heading", texts, sections)
    lines = dict(_setting(line) for line in head if line.strip())
    if len(lines) != sum(bool(line.strip()) for line in head):
        raise ValueError("A setting stands there twice.")
    _same("setting", settings, lines)
    changes = [(span, lines[name]) for name, span in settings.items()]
    for name, span in texts.items():
        before, after = _value(text, span), sections[name]
        if after != _shown(before):
            changes.append((span, json.dumps(_meant(after, before), ensure_ascii=False)))
    return replaced(text, sorted(changes, key=lambda change: change[0].start)).encode()


def _json(body: bytes) -> str:
    text = body.decode("utf-8")
    if as_object(text) is None:
        raise ValueError("This is no JSON object.")
    json.loads(text, object_pairs_hook=_named_once)
    return text


def _named_once(pairs: list[tuple[str, object]]) -> None:
    """Of a name that stands there twice nobody knows which one counts."""
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise ValueError(f"The name {name} stands twice in one object: this cannot be edited as text.")
        names.add(name)


def _parts(wire: Wire, text: str) -> tuple[dict[str, Span], dict[str, Span]]:
    """The settings and the texts, by their paths."""
    settings, texts = {}, {}
    for span in spans(text):
        name = dotted(span.path)
        if _TEXT[wire].fullmatch(name) and text[span.start] == '"' and _HEADING.fullmatch(f"=== {name} ==="):
            if _can_be_written(_value(text, span)):
                texts[name] = span
        elif _SETTING.fullmatch(name) and "\x7f" not in text[span.start : span.end]:
            settings[name] = span
    return settings, texts


def _value(text: str, span: Span) -> str:
    return str(json.loads(text[span.start : span.end]))


def _can_be_written(text: str) -> bool:
    """Not halves of surrogate pairs, which are legal in JSON."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _who(body: JsonObject, path: Path) -> str:
    """The role of the message that a text is in, or that it is a tool's result."""
    match path:
        case ("messages" | "input", int(index), *rest):
            item = mapping(items(body.get(str(path[0])))[index])
            block = items(item.get("content"))
            inner = mapping(block[rest[1]]) if len(rest) > 1 and isinstance(rest[1], int) and block else {}
            role = string(inner.get("type")) if "tool_result" in string(inner.get("type")) else ""
            role = role or string(item.get("role")) or string(item.get("type"))
            return f" ({role})" if role.isidentifier() else ""
    return ""


def _shown(text: str) -> str:
    """A text as it stands under its heading; lines that look like a heading begin with a backslash."""
    text = _exchanged(text, _PICTURES)
    return "\n".join(f"\\{line}" if _ESCAPED.fullmatch(line) else line for line in text.split("\n"))


def _meant(edited: str, before: str) -> str:
    """The text that stands under a heading; `before` tells which pictures stand for a control character.

    ValueError for a picture that stood for itself, too.
    """
    lines = edited.split("\n")
    text = "\n".join(line.removeprefix("\\") if _ESCAPED.fullmatch(line) else line for line in lines)
    back = {shown: char for char, shown in _PICTURES.items() if char in before}
    for shown in back:
        if shown in before and shown in text:
            raise ValueError(
                f"Some {shown} in this text are control characters, others are not: edit the JSON."
            )
    return _exchanged(text, back)


def _exchanged(text: str, characters: Mapping[str, str]) -> str:
    return text.translate({ord(char): other for char, other in characters.items()})


def _sections(edited: str) -> tuple[list[str], dict[str, str]]:
    """The lines above the first heading, and what stands under each; behind the end stands nothing."""
    head: list[str] = []
    found: dict[str, list[str]] = {}
    lines = head
    for line in edited.split("\n"):
        if heading := _HEADING.fullmatch(line):
            if heading[1] in found:
                raise ValueError(f"The heading {heading[1]} stands there twice.")
            lines = found[heading[1]] = []
        else:
            lines.append(line)
    if any(found.pop(END, ("missing",))):
        raise ValueError(f"The text has to end with the heading {END}.")
    return head, {name: "\n".join(_without_gap(lines)) for name, lines in found.items()}


def _without_gap(lines: list[str]) -> list[str]:
    """Without the empty line before the next heading."""
    return lines[:-1] if lines and not lines[-1] else lines


def _setting(line: str) -> tuple[str, str]:
    name, _, literal = line.partition(":")
    literal = literal.strip()
    try:
        (span,) = spans(literal)
    except ValueError:
        span = None
    if span is None or span.path or literal in ("NaN", "Infinity", "-Infinity"):
        raise ValueError(f"{name.strip()} has to be a number, true, false, null, or a text in quotes.")
    return name.strip(), literal


def _same(what: str, known: dict[str, Span], given: dict[str, str]) -> None:
    for name in sorted(known.keys() - given.keys()):
        raise ValueError(f"The {what} {name} is missing: nothing can be taken out or put in here.")
    for name in sorted(given.keys() - known.keys()):
        raise ValueError(f"The {what} {name} is none of this body's; such a line of a text begins with \\.")
