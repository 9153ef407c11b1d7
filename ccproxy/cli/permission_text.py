"""Text of strangers as a terminal may show it: every character is seen, none is obeyed.

What a tool is asked to do comes from a model, and from whatever that model has read. A terminal would obey
escape sequences in it; zero-width characters and changes of direction would make it read as something else.
Both are written out, as `\\x1b` or `\\u202e`, in a style of their own.
"""

import unicodedata
from collections.abc import Iterator

from prompt_toolkit.utils import get_cwidth

Fragment = tuple[str, str]
"""A style of the screen and a text: the shape that prompt_toolkit draws."""

Line = list[Fragment]

HIDDEN = "class:hidden"
"""The style of a character that is written out."""

TAB = 4
MOST_MARKS = 2
"""So many accents on one letter are somebody's language; more of them draw over the lines around."""

_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_BLANK = frozenset(
    # a blank or nothing at all on the screen, though Unicode counts them among letters, marks and symbols
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
)


def unseen(character: str) -> bool:
    """Whether a terminal would obey it, or show nothing, or a blank that is none."""
    if " " <= character <= "~":
        return False
    category = unicodedata.category(character)
    if category in _UNSEEN or character in _BLANK or category == "Zs":
        return True
    code = ord(character)
    # variation selectors: a text can be hidden in a row of them
    return 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF


def written_out(character: str) -> str:
    """An unseen character as an escape in ASCII."""
    code = ord(character)
    named = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(character)
    if named:
        return named
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def in_one_line(text: str, style: str = "") -> Line:
    """All of a text on one line: its line breaks are written out, too."""
    if text.isascii() and text.isprintable():
        return [(style, text)]
    line: Line = []
    run: list[str] = []
    run_style = style
    column = marks = 0
    for character in text:
        if " " <= character <= "~":
            shown, kind, marks = character, style, 0
        else:
            marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
            if character == "\t":
                shown, kind = " " * (TAB - column % TAB), style
            elif unseen(character) or marks > MOST_MARKS:
                shown, kind = written_out(character), HIDDEN
            else:
                shown, kind = character, style
        if kind != run_style and run:
            line.append((run_style, "".join(run)))
            run = []
        run_style = kind
        run.append(shown)
        column += width_of(shown)
    return [*line, (run_style, "".join(run))]


def in_lines(text: str, style: str = "") -> list[Line]:
    """A text line by line; an empty one has one empty line."""
    return [in_one_line(line, style) for line in text.split("\n")]


def plain(line: Line) -> str:
    """A line without its styles."""
    return "".join(text for _, text in line)


def has_hidden(lines: list[Line]) -> bool:
    """Whether some character had to be written out."""
    return any(style == HIDDEN for line in lines for style, _ in line)


def width_of(text: str) -> int:
    """Columns that a text takes; a letter of Chinese takes two."""
    return len(text) if text.isascii() else sum(get_cwidth(character) for character in text)


def wrapped(line: Line, width: int, gutter: Fragment, again: Fragment) -> Iterator[Line]:
    """A line cut to rows of a width, with a gutter in front: `again` where it goes on."""
    room = max(width - width_of(gutter[1]), 1)
    row: Line = [gutter]
    column = 0
    for style, text in line:
        start = 0
        if column + len(text) <= room and text.isascii():
            row.append((style, text))
            column += len(text)
            continue
        for position, character in enumerate(text):
            columns = width_of(character)
            if column and column + columns > room:
                row.append((style, text[start:position]))
                yield row
                row, start, column = [again], position, 0
                room = max(width - width_of(again[1]), 1)
            column += columns
        row.append((style, text[start:]))
    yield row


def cropped(text: str, width: int, *, keep_end: bool = False) -> str:
    """One line of a stranger's text in a width, with `...` where something is left out."""
    shown = plain(in_one_line(text))
    if width_of(shown) <= width:
        return shown
    room = max(width - 3, 0)
    kept = ""
    for character in reversed(shown) if keep_end else shown:
        if width_of(kept) + width_of(character) > room:
            break
        kept += character
    return f"...{kept[::-1]}"[:width] if keep_end else f"{kept}..."[:width]
