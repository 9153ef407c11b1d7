from hypothesis import given
from hypothesis import strategies as st

from ccproxy.formats.sse import Reader, ServerSentEvent, written


def read(*chunks: bytes) -> list[ServerSentEvent]:
    reader = Reader()
    return [event for chunk in chunks for event in reader.feed(chunk)]


def test_fields_comments_and_joined_lines() -> None:
    stream = b": hello\nevent: a\ndata: 1\ndata:2\nid: 7\n\nevent: no data\n\ndata\n\n"
    assert read(stream) == [ServerSentEvent("a", "1\n2"), ServerSentEvent("", "")]


def test_one_space_after_the_colon_is_not_data() -> None:
    assert read(b"data:  x\n\n") == [ServerSentEvent("", " x")]


def test_a_byte_order_mark_is_skipped_once() -> None:
    assert read(b"\xef\xbb", b"\xbfdata: x\n\n", b"\xef\xbb\xbfdata: y\n\n") == [ServerSentEvent("", "x")]


def test_an_event_without_its_blank_line_is_none() -> None:
    assert read(b"data: x\n") == []


def test_a_lone_cr_ends_an_event_at_once() -> None:
    assert read(b"data: x\r\r") == [ServerSentEvent("", "x")]
    assert read(b"data: x\r", b"", b"\ndata: y\n\n") == [ServerSentEvent("", "x\ny")]
    assert read(b"data: x\r\n\r", b"\ndata: y\n\n") == [ServerSentEvent("", "x"), ServerSentEvent("", "y")]


texts = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)
events = st.lists(st.tuples(texts, st.lists(texts, min_size=1, max_size=3)), max_size=5)


@given(events, st.sampled_from(["\n", "\r", "\r\n"]), st.booleans(), st.data())
def test_cutting_anywhere_changes_nothing(
    written: list[tuple[str, list[str]]], end: str, bom: bool, data: st.DataObject
) -> None:
    text = "".join(
        f"event: {name}{end}" + "".join(f"data: {line}{end}" for line in lines) + end
        for name, lines in written
    )
    stream = (b"\xef\xbb\xbf" if bom else b"") + text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert read(*chunks) == [ServerSentEvent(name, "\n".join(lines)) for name, lines in written]


@given(st.text("ab_."), st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"])))
def test_what_is_written_is_read_again(name: str, data: str) -> None:
    assert read(written(name, data)) == [ServerSentEvent(name, data)]
