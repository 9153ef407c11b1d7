import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.agent.lines import Lines, LineTooLong
from ccproxy.conversation.parts import JsonObject

objects = st.dictionaries(
    st.text(max_size=5), st.text(max_size=20) | st.integers(-9, 9) | st.none(), max_size=4
)


@given(
    st.lists(objects, max_size=5), st.integers(1, 9), st.sampled_from(["\n", "\r\n", "\n\n"]), st.booleans()
)
def test_cut_anywhere(said: list[JsonObject], size: int, end: str, ascii_only: bool) -> None:
    text = "".join(json.dumps(line, ensure_ascii=ascii_only) + end for line in said)
    data = text.encode("utf-8", "replace")
    lines = Lines()
    found = [line for start in range(0, len(data), size) for line in lines.feed(data[start : start + size])]
    assert found == said
    assert lines.skipped == 0


def test_what_is_no_object_is_passed_over_and_remembered() -> None:
    lines = Lines()
    assert lines.feed(b'hello\n[1]\n"a"\n\xff\n{"a":1}\n{"b":\n \n') == [{"a": 1}]
    assert lines.skipped == 5
    assert lines.last_skipped == '{"b":'


def test_half_a_character() -> None:
    assert Lines().feed(b'{"text":"a\\ud83d","ok":"\\ud83d\\ude00"}\n') == [
        {"text": "a?", "ok": "\U0001f600"}
    ]


def test_blanks_where_it_is_cut_are_kept() -> None:
    lines = Lines()
    assert lines.feed(b'{"text":"a ') == []
    assert lines.feed(b' b"}\n') == [{"text": "a  b"}]


def test_a_long_line() -> None:
    long = {"text": "x" * 2**20}
    assert Lines().feed(json.dumps(long).encode() + b"\n") == [long]


@pytest.mark.parametrize(
    "pieces", [[b"x" * 11], [b"x" * 6, b"x" * 6], [b"{}\n" + b"x" * 11], [b"{}\n", b"x" * 11]]
)
def test_too_long(pieces: list[bytes]) -> None:
    lines = Lines(limit=10)
    with pytest.raises(LineTooLong, match="10 bytes"):
        list(map(lines.feed, pieces))


def test_the_limit_is_for_each_line() -> None:
    assert len(Lines(limit=10).feed(b"{}\n" * 20)) == 20
