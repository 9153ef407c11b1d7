"""The screen as rows of text, for any size: no terminal, no clock."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from textwrap import wrap

from ccproxy.cli.permission_body import body, gutter
from ccproxy.cli.permission_queue import Notice, Queue
from ccproxy.cli.permission_request import Request
from ccproxy.cli.permission_text import Line, cropped, has_hidden, in_one_line, plain, width_of, wrapped

MANY_COLUMNS = 76
LEAST_BODY = 5
"""Rows of what is asked that must be seen; what stands around it makes room."""

NOTICES = {"good": "class:good", "bad": "class:bad", "gone": "class:gone", "plain": ""}
WRITTEN_OUT = "Characters that would not be seen are written out, such as \\x1b."
KEYS = (
    ("a", "allow", "allow"),
    ("d", "deny", "deny"),
    ("s", "session", "allow for this session"),
    ("e", "edit", "edit"),
    ("n", "next", "next"),
    ("?", "help", "help"),
    ("q", "quit", "quit"),
)
HELP = (
    ("a", "allow it, this once"),
    ("d", "deny it; you may say why, and the model reads that"),
    ("s", "allow it, and for the rest of this session the same command, or this tool if it is not Bash"),
    ("e", "edit the input, and allow it as edited"),
    ("n, p", "look at the next one, at the one before (also Tab, Right, Left)"),
    ("", ""),
    ("Up, Down", "a line (also k, j)"),
    ("Space, b", "a screen (also Page Down, Page Up)"),
    ("g, G", "the beginning, the end (also Home, End)"),
    ("?", "this help"),
    ("q", "quit; what waits, waits on (also Ctrl-C)"),
    ("Ctrl-Z", "put this into the background"),
    ("- and +", "in front of a line: it goes, it comes"),
    ("\\x1b", "in another colour: a character that would not be seen, or that a terminal would obey"),
    ("", ""),
    ("", "What is decided elsewhere or expires leaves by itself, and a line says so."),
    ("", "What came less than half a second ago cannot be allowed: look first."),
)
HELP_INDENT = 10


@dataclass(frozen=True, slots=True)
class Look:
    """What the terminal can show; `solid` is whether it can draw more than ASCII."""

    width: int
    height: int
    solid: bool = True


@dataclass(frozen=True, slots=True)
class Frame:
    """Exactly as many rows as there is height; `scroll` and `page` count rows of the body."""

    rows: list[Line]
    scroll: int
    page: int


def request_frame(
    queue: Queue,
    request: Request,
    now: datetime,
    look: Look,
    scroll: int = 0,
    *,
    hint: str = "",
    with_keys: bool = True,
) -> Frame:
    """A request, with how to answer it. A `hint` takes the place of the last notice."""
    rows, hidden = _body_rows(request, look.width, look.solid)
    about: list[Line] = [[("class:tool", f" {cropped(request.tool, look.width - 1)}")]]
    if hidden:
        about.append([("class:warning", cropped(f" {WRITTEN_OUT}", look.width))])
    about.append(_named("in", request.cwd or "(not told)", look.width, keep_end=True))
    about.append(_named("session", request.session or "(not told)", look.width))
    several = len(queue.waiting) > 1
    fitting = [key for key in KEYS if (key[0] != "n" or several) and (key[0] != "s" or request.session)]
    keys = _keys(fitting, look.width) if with_keys else []
    header = _request_header(queue, request, now, look.width)
    return _laid_out(queue, look, header, about, rows, keys, scroll, hint=hint)


@lru_cache(maxsize=8)
def _body_rows(request: Request, width: int, solid: bool) -> tuple[list[Line], bool]:
    """What is asked, in rows, and whether something anywhere in the request had to be written out."""
    entries = body(request)
    again = "\u21aa " if solid else "> "
    rows = [
        row for mark, line in entries for row in wrapped(line, width, gutter(mark), (gutter(mark)[0], again))
    ]
    facts = [in_one_line(text) for text in (request.tool, request.cwd, request.session)]
    return rows, has_hidden([*facts, *(line for _, line in entries)])


def idle_frame(queue: Queue, address: str, look: Look, scroll: int = 0) -> Frame:
    """Nothing waits: what happened so far, the last at the bottom; `scroll` counts from there."""
    rows = [
        row
        for notice in queue.notices
        for row in wrapped(_notice(notice), look.width, ("", " "), ("", "   "))
    ]
    header = _header("Nothing waits", "", "class:header", look.width)
    about: list[Line] = [[("", cropped(f" Requests to {address} come here.", look.width))]]
    keys = _keys([key for key in KEYS if key[0] in "?q"], look.width)
    return _laid_out(queue, look, header, about, rows, keys, scroll, notice=False, at_end=True)


def help_frame(queue: Queue, look: Look, scroll: int = 0) -> Frame:
    room = max(look.width - 2, HELP_INDENT + 10)
    rows: list[Line] = []
    for key, text in HELP:
        first, after = (f"{key:<{HELP_INDENT}}", " " * HELP_INDENT) if key else ("", "")
        written = wrap(text, room, initial_indent=first, subsequent_indent=after)
        rows += [[("", f" {line}")] for line in written or [""]]
    keys = _keys([("any other key", "back", "back")], look.width)
    return _laid_out(
        queue, look, _header("Help", "", "class:header", look.width), [], rows, keys, scroll, notice=False
    )


def gone_frame(queue: Queue, look: Look) -> Frame:
    """A request has left while somebody was writing: it takes a key to go on, so that none is misdirected."""
    why = queue.notices[-1].text if queue.notices else ""
    rows = [*wrapped([("class:gone", cropped(why, 400))], look.width, ("", " "), ("", " ")), []]
    rows += wrapped([("", "What you wrote was not sent.")], look.width, ("", " "), ("", " "))
    keys = _keys([("Enter", "go on", "go on")], look.width)
    header = _header("It has gone", "", "class:header", look.width)
    return _laid_out(queue, look, header, [], rows, keys, 0, notice=False)


def editor_head(queue: Queue, request: Request, now: datetime, look: Look) -> list[Line]:
    """What stands above the editor: two rows."""
    title = cropped(f" {request.tool}: edit the input (JSON)", look.width)
    return [_request_header(queue, request, now, look.width), [("class:tool", title)]]


def editor_foot(problem: str, look: Look) -> list[Line]:
    """What stands below it: two rows."""
    said: Line = [("class:bad", cropped(f" {problem}", look.width))] if problem else [_rule("", look)[0]]
    keys = (
        ("Ctrl-S", "allow", "allow with this input"),
        ("Esc", "back", "back, without an answer (your text is kept)"),
    )
    return [said, _keys(keys, look.width)[0]]


def message_ask(look: Look) -> Line:
    """The line above the message to a denial."""
    text = " Why? The model reads it.  Enter: deny (with or without)  Esc: back"
    return [
        (
            "class:warning",
            cropped(text if look.width >= MANY_COLUMNS else " Why?  Enter: deny  Esc: back", look.width),
        )
    ]


def _laid_out(
    queue: Queue,
    look: Look,
    bar: Line,
    about: list[Line],
    body_rows: list[Line],
    keys: list[Line],
    scroll: int,
    *,
    notice: bool = True,
    hint: str = "",
    at_end: bool = False,
) -> Frame:
    """All of it in the height that there is: in a low terminal the least important rows are left out."""
    header = [bar]
    if not queue.connected:
        header.append([("class:bad", cropped(f" {queue.trouble}", look.width))])
    last = [_cut(_notice(queue.notices[-1]), look.width)] if notice and queue.notices else []
    if hint:
        last = [[("class:warning", cropped(f" {hint}", look.width))]]
    rules = 2
    while look.height - len(header) - len(about) - len(last) - len(keys) - rules < LEAST_BODY:
        if len(about) > 1:
            about.pop()
        elif len(keys) > 1:
            keys.pop()
        elif last:
            last.pop()
        elif rules > 1:
            rules -= 1
        else:
            break
    page = max(look.height - len(header) - len(about) - len(last) - len(keys) - rules, 1)
    furthest = max(len(body_rows) - page, 0)
    scroll = furthest - min(scroll, furthest) if at_end else min(scroll, furthest)
    seen = body_rows[scroll : scroll + page]
    upper = [_rule("", look)] if rules > 1 else []
    lower = [_rule(_place(scroll, len(seen), len(body_rows), look.width), look)]
    blank: list[Line] = [[("", "")]] * (page - len(seen))
    rows = [*header, *about, *upper, *seen, *blank, *lower, *last, *keys]
    return Frame(rows[: look.height], furthest - scroll if at_end else scroll, page)


def _request_header(queue: Queue, request: Request, now: datetime, width: int) -> Line:
    total = len(queue.waiting)
    title = f"Permission {queue.position} of {total}" if total > 1 else "Permission"
    if total > 1 and width >= MANY_COLUMNS:
        title += f", {total - 1} more {'wait' if total > 2 else 'waits'}"
    text, style = _countdown(queue.left(request, now))
    return _header(title, text, style, width)


def _header(left: str, right: str, style: str, width: int) -> Line:
    """A bar over the whole width."""
    room = width - width_of(right) - 2
    left = cropped(left, max(room - 1, 0))
    return [("class:header", f" {left:<{max(room, 0)}}"), (style, f"{right} "[: max(width, 0)])]


def _countdown(left: timedelta | None) -> tuple[str, str]:
    """The time that is left, and its colour."""
    if left is None:
        return "", "class:header"
    seconds = int(left.total_seconds())
    style = "class:header" if seconds >= 30 else "class:soon" if seconds >= 10 else "class:now"
    return f"{clock(left)} left" if seconds else "expires now", style


def clock(left: timedelta) -> str:
    """Minutes and seconds."""
    seconds = int(left.total_seconds())
    return f"{seconds // 60}:{seconds % 60:02}"


def _named(name: str, value: str, width: int, *, keep_end: bool = False) -> Line:
    label = f" {name:<8}"
    return [("class:name", label), ("", cropped(value, width - len(label), keep_end=keep_end))]


def _notice(notice: Notice) -> Line:
    text = cropped(notice.text, 200)
    return [("class:name", f"{notice.at.astimezone():%H:%M:%S} "), (NOTICES[notice.kind], text)]


def _cut(line: Line, width: int) -> Line:
    """A notice in one row."""
    (first, *_) = line
    return [(first[0], f" {first[1]}"), (line[1][0], cropped(line[1][1], width - len(first[1]) - 1))]


def _rule(text: str, look: Look) -> Line:
    stroke = "\u2500" if look.solid else "-"
    label = f" {text} "[: look.width] if text else ""
    return [("class:rule", stroke * (look.width - len(label)) + label)]


def _place(scroll: int, seen: int, total: int, width: int) -> str:
    if seen >= total:
        return ""
    if width < MANY_COLUMNS // 2:
        return f"{scroll + 1}-{scroll + seen} of {total}"
    more = "more below: Space" if scroll + seen < total else "the end"
    return f"lines {scroll + 1}-{scroll + seen} of {total}, {more}"


def _keys(keys: Iterable[tuple[str, str, str]], width: int) -> list[Line]:
    """The keys with their meaning, in as many rows as they need."""
    rows: list[Line] = [[]]
    for key, short, long in keys:
        piece: Line = [("", " "), ("class:key", key), ("", f" {long if width >= MANY_COLUMNS else short} ")]
        if rows[-1] and width_of(plain(rows[-1])) + width_of(plain(piece)) > width:
            rows.append([])
        rows[-1].extend(piece)
    return rows


def as_text(rows: Iterable[Line]) -> Iterator[str]:
    """The rows without their styles."""
    return (plain(row).rstrip() for row in rows)
