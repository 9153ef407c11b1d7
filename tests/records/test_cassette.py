"""Cassettes: what is written is read again, and what is broken is named by its line."""

import stat
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.records.cassette import CassetteError, Recorded, append, create, pieces, read, written

EVENTS = 'event: a\ndata: {"text": "grüß dich 🌍"}\n\n', "data: [DONE]\n\n"
STREAM = Recorded(
    "messages",
    "https://api.anthropic.com/v1/messages",
    200,
    [(0.012, EVENTS[0]), (0.5, EVENTS[1])],
    {"model": "claude-opus-4-8", "messages": [{"role": "user", "content": "zwei\nZeilen"}]},
    {"user-agent": "a client"},
    {"content-type": "text/event-stream"},
)
LIST = Recorded("models", "/api/v1/models", 200, [(0.0, '{"data": []}')])


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    path = tmp_path / "a.cassette"
    create(path)
    return path


def test_what_is_written_is_read_again(cassette: Path) -> None:
    append(cassette, STREAM)
    append(cassette, LIST)
    assert read(cassette) == [STREAM, LIST]
    assert STREAM.body == "".join(EVENTS)


def test_only_its_owner_may_read_it(cassette: Path) -> None:
    assert stat.S_IMODE(cassette.stat().st_mode) == 0o600


def test_a_person_can_read_it(cassette: Path) -> None:
    """One event a line, and letters as they are."""
    append(cassette, STREAM)
    lines = cassette.read_text().splitlines()
    assert lines[1] == '  "ccproxy_cassette": 1,'
    assert '    [0.5, "data: [DONE]\\n\\n"]' in lines
    assert any("grüß dich 🌍" in line for line in lines)


def test_a_file_that_is_there_stays(cassette: Path) -> None:
    append(cassette, LIST)
    with pytest.raises(CassetteError, match="is there already"):
        create(cassette)
    assert read(cassette) == [LIST]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="cannot be written: No such file"):
        create(tmp_path / "none" / "a.cassette")
    with pytest.raises(CassetteError, match="cannot be read: No such file"):
        read(tmp_path / "none" / "a.cassette")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no cassette"),
        (b'{"log": {}}', "is no cassette"),
        (b"\xff\xfe", "not a text in UTF-8"),
        (b'{"ccproxy_cassette": 2}', "version 2; this ccproxy reads version 1"),
        (b'{"ccproxy_cassette": 1}\n{"operation":\n', "line 3: this is no JSON"),
        (b'{"ccproxy_cassette": 1}\n\n[]', "line 3: an exchange is a JSON object"),
        (
            b'{"ccproxy_cassette": 1}\n{"operation": "chat", "path": "/", "answer": [], "status": "x"}',
            r"line 2: this is no exchange: Expected `int`, got `str` - at `\$.status`",
        ),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "broken"
    path.write_bytes(content)
    with pytest.raises(CassetteError, match=said):
        read(path)


def test_only_the_status_of_an_answer(cassette: Path) -> None:
    for status in (199, 600, 99999):
        cassette.write_text(f'{{"ccproxy_cassette": 1}}\n{written(replace(LIST, status=status))}')
        with pytest.raises(CassetteError, match=r"line 2: this is no exchange: .* `\$.status`"):
            read(cassette)


def test_an_editor_that_marks_utf_8(cassette: Path) -> None:
    append(cassette, LIST)
    cassette.write_text(cassette.read_text(), encoding="utf-8-sig")
    assert read(cassette) == [LIST]


def test_a_file_that_is_gone_stays_away(cassette: Path) -> None:
    cassette.unlink()
    with pytest.raises(FileNotFoundError):
        append(cassette, LIST)
    assert not cassette.exists()


def test_a_recording_that_broke_off(cassette: Path) -> None:
    append(cassette, LIST)
    text = written(STREAM)
    cassette.write_text(cassette.read_text() + text[: len(text) // 2])
    with pytest.raises(CassetteError, match=r"line \d+"):
        read(cassette)


@given(st.text(), st.lists(st.integers(0, 60), max_size=5))
def test_pieces_are_what_was_heard(text: str, cuts: list[int]) -> None:
    """However the bytes came, in the middle of a letter too."""
    data = text.encode("utf-8", "replace")
    edges = [0, *sorted(cuts), len(data)]
    heard = [(float(n), data[a:b]) for n, (a, b) in enumerate(pairwise(edges))]
    for events in (True, False):
        found = pieces(heard, events=events)
        assert "".join(piece for _, piece in found).encode() == data[: max(edges)]


def test_a_stream_is_kept_by_its_events() -> None:
    """Each with the time at which it was whole."""
    one, two = "".join(EVENTS)[:60].encode(), "".join(EVENTS)[60:].encode()
    first, second = (piece.encode() for piece in EVENTS)
    assert pieces([(0.1, first + second[:3]), (0.2, second[3:])], events=True) == [
        (0.1, EVENTS[0]),
        (0.2, EVENTS[1]),
    ]
    assert pieces([(0.1, one), (0.2, two)], events=False) == [(0.2, "".join(EVENTS))]


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        pieces([(0.0, b"\xff")], events=False)
    with pytest.raises(ValueError, match="utf-8"):
        pieces([(0.0, "ü".encode()[:1])], events=False)


def test_half_a_surrogate_pair(cassette: Path) -> None:
    """It is legal in JSON, and must not end the recording."""
    half = replace(STREAM, request={"model": "m", "messages": "\ud83d"})
    append(cassette, half)
    assert read(cassette) == [half]


def test_only_known_operations(cassette: Path) -> None:
    append(cassette, replace(LIST, operation="nothing"))  # type: ignore[arg-type]
    with pytest.raises(CassetteError, match=r"\$\.operation"):
        read(cassette)
