import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.cli.permission_text import (
    HIDDEN,
    cropped,
    has_hidden,
    in_lines,
    in_one_line,
    plain,
    unseen,
    width_of,
    wrapped,
)

GUTTER = ("", "  ")
AGAIN = ("", "> ")
texts = st.text(st.characters(), max_size=60)


@given(texts)
def test_nothing_comes_out_that_a_terminal_would_obey(text: str) -> None:
    for line in in_lines(text):
        for character in plain(line):
            assert unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co")
            assert not unseen(character)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b2J", r"\x9b2J"),
        ("a\rb", r"a\rb"),
        ("\x7f\x00\x08", r"\x7f\x00\x08"),
        ("a\u202eb", r"a\u202eb"),
        ("a\u200bb", r"a\u200bb"),
        ("rm\u00a0x", r"rm\xa0x"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("x\ufe0f", r"x\ufe0f"),
        ("\u3164", r"\u3164"),
        ("e\u0301\u0301\u0301\u0301", "e\u0301\u0301" + r"\u0301\u0301"),
        ("naïve 漢字 ✓", "naïve 漢字 ✓"),
    ],
)
def test_what_would_not_be_seen_is_written_out(text: str, shown: str) -> None:
    (line,) = in_lines(text, "class:x")
    assert plain(line) == shown
    assert has_hidden([line]) == (text != shown)


def test_a_character_that_is_written_out_differs_from_the_same_text() -> None:
    assert in_one_line("\x1bx", "s") == [(HIDDEN, r"\x1b"), ("s", "x")]
    assert in_one_line(r"\x1bx", "s") == [("s", r"\x1bx")]


def test_lines_and_tabs() -> None:
    assert [plain(line) for line in in_lines("a\n\tb\nab\tc\n")] == ["a", "    b", "ab  c", ""]
    assert plain(in_one_line("a\nb")) == r"a\nb"


@given(texts, st.integers(4, 30))
def test_rows_have_their_width_and_lose_nothing(text: str, width: int) -> None:
    line = in_one_line(text)
    rows = [plain(row) for row in wrapped(line, width, GUTTER, AGAIN)]
    assert "".join(row[2:] for row in rows) == plain(line)
    assert all(width_of(row) <= width for row in rows)
    assert [row[:2] for row in rows] == ["  ", *["> "] * (len(rows) - 1)]


def test_wide_letters_are_not_cut_in_half() -> None:
    rows = [plain(row) for row in wrapped(in_one_line("漢字漢字"), 7, GUTTER, AGAIN)]
    assert rows == ["  漢字", "> 漢字"]


def test_cropping() -> None:
    assert cropped("abc", 3) == "abc"
    assert cropped("abcdefgh", 6) == "abc..."
    assert cropped("/home/me/project", 10, keep_end=True) == "...project"
    assert cropped("abc\x1b[m\n", 20) == r"abc\x1b[m\n"
    assert cropped("abcdefgh", 2) == ".."
    assert width_of(cropped("漢字漢字漢字", 8)) <= 8
