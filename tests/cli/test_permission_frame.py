import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.cli.permission_frame import (
    Frame,
    Look,
    as_text,
    editor_foot,
    editor_head,
    gone_frame,
    help_frame,
    idle_frame,
    message_ask,
    request_frame,
)
from ccproxy.cli.permission_queue import Connected, Lost, Queue
from ccproxy.cli.permission_request import Request
from ccproxy.cli.permission_text import plain, width_of
from tests.support.asking import NOW, request

EDIT = request(
    "two",
    "Edit",
    {"file_path": "/home/me/a.py", "old_string": "a = 1\nb = 2", "new_string": "a = 1\nb = 3"},
)
URL = "http://127.0.0.1:8000"


def queue_of(*requests: Request) -> Queue:
    queue = Queue()
    queue.take(Connected(requests), NOW)
    return queue


def text_of(frame: Frame) -> list[str]:
    return list(as_text(frame.rows))


def test_a_command_in_eighty_columns() -> None:
    asked = request(given={"command": "touch x; echo hi", "description": "Make a file"})
    queue = queue_of(asked)
    assert text_of(request_frame(queue, asked, NOW, Look(80, 16))) == [
        " Permission                                                           1:45 left",
        " Bash",
        " in      /home/me",
        " session s-1",
        "─" * 80,
        "  touch x; echo hi",
        "",
        "  description: Make a file",
        *[""] * 6,
        "─" * 80,
        " a allow  d deny  s allow for this session  e edit  ? help  q quit",
    ]


def test_an_edit_behind_another_one_in_forty_columns() -> None:
    queue = queue_of(request("one"), EDIT, request("three"))
    queue.move(1)
    queue.tell(NOW, "Denied: Bash: rm -r /a/very/long/path/to/something", "bad")
    rows = text_of(request_frame(queue, EDIT, NOW + timedelta(seconds=100), Look(40, 15)))
    clock = f"{NOW.astimezone():%H:%M:%S}"
    assert rows == [
        " Permission 2 of 3            0:05 left",
        " Edit",
        " in      /home/me",
        " session s-1",
        "─" * 40,
        "  file_path: /home/me/a.py",
        "",
        "  a = 1",
        "- b = 2",
        "+ b = 3",
        "",
        "─" * 40,
        f" {clock} Denied: Bash: rm -r /a/very...",
        " a allow  d deny  s session  e edit",
        " n next  ? help  q quit",
    ]


def test_how_many_wait_is_said_in_words_where_there_is_room() -> None:
    queue = queue_of(request("one"), EDIT, request("three"))
    (header, *_) = text_of(request_frame(queue, request("one"), NOW, Look(80, 24)))
    assert header.startswith(" Permission 1 of 3, 2 more wait ")


@pytest.mark.parametrize(
    ("seconds", "shown", "style"),
    [
        (0, "1:45 left", "class:header"),
        (80, "0:25 left", "class:soon"),
        (99, "0:06 left", "class:now"),
        (200, "expires now", "class:now"),
    ],
)
def test_the_countdown(seconds: int, shown: str, style: str) -> None:
    asked = request()
    frame = request_frame(queue_of(asked), asked, NOW + timedelta(seconds=seconds), Look(80, 24))
    assert frame.rows[0][-1] == (style, f"{shown} ")


def test_a_long_one_scrolls_to_its_end_and_no_further() -> None:
    asked = request(given={"command": "\n".join(f"line {number}" for number in range(100))})
    queue = queue_of(asked)
    look = Look(80, 24)
    first = request_frame(queue, asked, NOW, look)
    assert text_of(first)[-2].endswith(f" lines 1-{first.page} of 100, more below: Space")
    second = request_frame(queue, asked, NOW, look, first.page)
    assert text_of(second)[5] == f"  line {first.page}"
    end = request_frame(queue, asked, NOW, look, 10**9)
    assert end.scroll == 100 - end.page
    assert text_of(end)[-3] == "  line 99"
    assert text_of(end)[-2].endswith(f" lines {end.scroll + 1}-100 of 100, the end")


def test_what_is_cut_goes_on_in_the_next_row_with_a_mark() -> None:
    asked = request(given={"command": "x" * 30})
    for solid, mark in ((True, "↪ "), (False, "> ")):
        rows = text_of(request_frame(queue_of(asked), asked, NOW, Look(20, 15, solid)))
        assert rows[5:7] == ["  " + "x" * 18, mark + "x" * 12]


def test_a_large_one_is_laid_out_once() -> None:
    asked = request(tool="Write", given={"file_path": "/x", "content": "some line of a file\n" * 100_000})
    queue = queue_of(asked)
    request_frame(queue, asked, NOW, Look(80, 24))
    started = time.monotonic()
    for scroll in range(20):
        request_frame(queue, asked, NOW, Look(80, 24), scroll)
    assert time.monotonic() - started < 1


def test_ascii_where_there_is_no_more() -> None:
    asked = request()
    assert "".join(text_of(request_frame(queue_of(asked), asked, NOW, Look(80, 24, solid=False)))).isascii()


def test_hidden_characters_are_pointed_out() -> None:
    asked = request(given={"command": "ls\x1b[2J"}, cwd="/tmp\x1b[1A", session_id="s\r", tool_name="B\x9bash")
    rows = text_of(request_frame(queue_of(asked), asked, NOW, Look(80, 24)))
    assert rows[1:5] == [
        " B\\x9bash",
        " Characters that would not be seen are written out, such as \\x1b.",
        " in      /tmp\\x1b[1A",
        " session s\\r",
    ]
    assert "\\u001b" in rows[7]


def test_without_a_session_nothing_can_be_allowed_for_it() -> None:
    asked = request(session_id=None, cwd=None)
    rows = text_of(request_frame(queue_of(asked), asked, NOW, Look(80, 24)))
    assert rows[2:4] == [" in      (not told)", " session (not told)"]
    assert "session" not in rows[-1]


def test_a_hint_stands_where_the_notice_was() -> None:
    asked = request()
    queue = queue_of(asked)
    queue.tell(NOW, "Denied: Bash: x")
    rows = text_of(request_frame(queue, asked, NOW, Look(80, 24), hint="Look first."))
    assert rows[-2] == " Look first."
    assert "Denied" not in "".join(rows)


def test_a_lost_connection_is_seen_everywhere() -> None:
    queue = queue_of(EDIT)
    queue.take(Lost("The proxy does not answer.", 1), NOW)
    said = " The proxy does not answer. Trying again every 1 s."
    assert text_of(request_frame(queue, EDIT, NOW, Look(80, 24)))[1] == said
    assert text_of(idle_frame(queue, URL, Look(80, 24)))[1] == said
    assert text_of(help_frame(queue, Look(80, 24)))[1] == said


def test_nothing_waits() -> None:
    queue = queue_of()
    for number in range(30):
        queue.tell(NOW, f"Denied: Bash: {number}")
    frame = idle_frame(queue, URL, Look(60, 10))
    clock = f"{NOW.astimezone():%H:%M:%S}"
    assert text_of(frame) == [
        " Nothing waits",
        f" Requests to {URL} come here.",
        "─" * 60,
        *(f" {clock} Denied: Bash: {number}" for number in range(25, 30)),
        "──────────────────────────────── lines 26-30 of 30, the end",
        " ? help  q quit",
    ]
    back = idle_frame(queue, URL, Look(60, 10), 10**9)
    assert (text_of(back)[3], back.scroll) == (f" {clock} Denied: Bash: 0", 25)


def test_help_fits_a_usual_terminal() -> None:
    rows = text_of(help_frame(queue_of(), Look(80, 24)))
    assert any(row.startswith(" s         allow it, and for the rest") for row in rows)
    assert "more below" not in "".join(rows)
    assert "more below" in "".join(text_of(help_frame(queue_of(), Look(40, 15))))


def test_one_that_has_gone_while_somebody_wrote() -> None:
    queue = queue_of()
    queue.tell(NOW, "Expired, nobody answered in time: Bash: x", "gone")
    rows = text_of(gone_frame(queue, Look(80, 24)))
    assert rows[2:5] == [
        " Expired, nobody answered in time: Bash: x",
        "",
        " What you wrote was not sent.",
    ]
    assert rows[-1] == " Enter go on"


def test_around_what_is_written() -> None:
    queue = queue_of(EDIT)
    assert list(as_text(editor_head(queue, EDIT, NOW, Look(80, 24)))) == [
        " Permission                                                           1:45 left",
        " Edit: edit the input (JSON)",
    ]
    foot = list(as_text(editor_foot("Line 1, column 2: Expecting value.", Look(80, 24))))
    assert foot == [
        " Line 1, column 2: Expecting value.",
        " Ctrl-S allow with this input  Esc back, without an answer (your text is kept)",
    ]
    assert plain(message_ask(Look(30, 10))) == " Why?  Enter: deny  Esc: back"


@given(
    st.integers(1, 120),
    st.integers(1, 40),
    st.integers(0, 50),
    st.text(st.characters(), max_size=200),
    st.booleans(),
)
def test_every_size_is_kept_to(width: int, height: int, scroll: int, text: str, lost: bool) -> None:
    asked = request(tool=text or "x", given={"command": text, text: text}, cwd=text, session_id=text)
    queue = queue_of(asked, request("two"))
    queue.tell(NOW, text)
    if lost:
        queue.take(Lost("The proxy does not answer.", 1), NOW)
    look = Look(width, height)
    for frame in (
        request_frame(queue, asked, NOW, look, scroll),
        request_frame(queue, asked, NOW, look, scroll, with_keys=False, hint=text),
        idle_frame(queue, URL, look, scroll),
        help_frame(queue, look, scroll),
        gone_frame(queue, look),
    ):
        assert len(frame.rows) == height
        assert frame.page >= 1
        if width >= 24:
            assert all(width_of(plain(row)) <= width for row in frame.rows)
