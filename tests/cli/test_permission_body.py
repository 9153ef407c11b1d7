import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.cli.permission_body import body
from ccproxy.cli.permission_text import plain
from tests.support.asking import request

texts = st.text(st.sampled_from("ab\n"), max_size=20)


def told(tool: str, given_: Any) -> list[str]:
    return [f"{mark or ' '} {plain(line)}".rstrip() for mark, line in body(request(tool=tool, given=given_))]


def test_a_command_comes_before_what_is_said_about_it() -> None:
    given_ = {"description": "Look\naround", "command": "ls\npwd", "timeout": 5, "more": {"a": [1]}}
    assert told("Bash", given_) == [
        *("  ls", "  pwd", ""),
        *("  description: Look", "      around", "  timeout: 5"),
        *("  more: {", '        "a": [', "          1", "        ]", "      }"),
    ]


def test_a_diff() -> None:
    given_ = {"file_path": "/x", "old_string": "a\nb\nc", "new_string": "a\nB\nc\n", "replace_all": True}
    assert told("Edit", given_) == [
        *("  file_path: /x", "  replace_all: true", ""),
        *("  a", "- b", "+ B", "  c", "+"),
    ]


def test_a_new_file_and_an_empty_one() -> None:
    assert told("Write", {"file_path": "/x", "content": "a\nb"}) == ["  file_path: /x", "", "+ a", "+ b"]
    assert told("Write", {"file_path": "/x", "content": ""}) == ["  file_path: /x"]


def test_several_edits() -> None:
    edits = [
        {"old_string": "a", "new_string": "b"},
        {"old_string": "c", "new_string": "", "replace_all": True},
    ]
    assert told("MultiEdit", {"file_path": "/x", "edits": edits}) == [
        *("  file_path: /x", "", "  edit 1 of 2", "- a", "+ b", ""),
        *("  edit 2 of 2", "  replace_all: true", "- c"),
    ]


@pytest.mark.parametrize(
    ("tool", "given_"),
    [
        ("WebFetch", {"url": "https://example.com", "prompt": "a\nb"}),
        ("Bash", {"command": ["ls"]}),
        ("Edit", {"file_path": "/x", "old_string": "a"}),
        ("MultiEdit", {"file_path": "/x", "edits": []}),
        ("MultiEdit", {"file_path": "/x", "edits": ["a"]}),
        ("Bash", "ls"),
        ("Other", None),
    ],
)
def test_everything_else_is_json(tool: str, given_: Any) -> None:
    found = request(tool=tool)
    entries = body(
        type(found)(**{**{name: getattr(found, name) for name in found.__slots__}, "input": given_})
    )
    assert json.loads("\n".join(plain(line) for _, line in entries)) == given_


@given(texts, texts)
def test_a_diff_has_all_of_both(old: str, new: str) -> None:
    entries = body(request(tool="Edit", given={"old_string": old, "new_string": new}))
    assert "\n".join(plain(line) for mark, line in entries if mark != "+") == old
    assert "\n".join(plain(line) for mark, line in entries if mark != "-") == new


def test_a_large_diff_takes_no_time() -> None:
    old, new = "\n".join(["same", "x"] * 20_000), "\n".join(["same", "y"] * 20_000)
    started = time.monotonic()
    entries = body(request(tool="Edit", given={"old_string": old, "new_string": new}))
    assert len(entries) == 80_000
    assert time.monotonic() - started < 5


def test_escapes_are_shown_in_every_part() -> None:
    bad = "\x1b]0;pwned\x07"
    for tool, given_ in (
        ("Bash", {"command": bad, bad: bad}),
        ("Edit", {"file_path": bad, "old_string": bad, "new_string": bad + bad}),
        ("Write", {"file_path": bad, "content": bad}),
        ("MultiEdit", {"edits": [{"old_string": bad, "new_string": bad, bad: [bad]}], bad: 1}),
        ("Other", {bad: [bad]}),
    ):
        told_ = "".join(told(tool, given_))
        assert "pwned" in told_
        assert told_.isprintable()
