"""How conversations look, in every format and kind; and that nothing that was said is left out."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import Wire
from ccproxy.conversation.reply import Reply
from ccproxy.formats.codec import AnswerTo, Names
from ccproxy.formats.sse import Reader, written
from ccproxy.inspector.conversation import conversation_text, frame_text
from ccproxy.translation import CODECS, Translation
from tests.golden.cases import HERE, request_cases, translate_nothing
from tests.inspector.golden_cases import HERE as OURS
from tests.inspector.golden_cases import cases, expected, text_of
from tests.laws.hostile import disorder, spoilt

REQUESTS = sorted({case.given: case.source for case in request_cases()}.items())
STREAMS = sorted(
    (path, wire)
    for wire in CODECS
    for path in (HERE / "streams" / wire).glob("*.sse")
    if ".to-" not in path.name
)


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.parent.name}-{case.name}")
def test_it_looks_as_somebody_has_read_it(case: Path) -> None:
    assert text_of(case) == expected(case).read_text()


def test_nothing_is_left_over() -> None:
    assert {expected(case) for case in cases()} == set(OURS.rglob("*.txt"))


def texts_in(value: Any) -> Iterator[str]:
    """What somebody has said, anywhere in a request."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ("text", "thinking") and isinstance(inner, str):
                yield inner
            elif name != "input" or isinstance(inner, list):
                yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)


@pytest.mark.parametrize(("path", "wire"), REQUESTS, ids=lambda value: getattr(value, "stem", None))
def test_every_text_of_a_request_is_shown(path: Path, wire: Wire) -> None:
    shown = conversation_text(wire, request=path.read_bytes())
    for text in texts_in(json.loads(path.read_text())):
        for line in text.replace("\r\n", "\n").split("\n"):
            assert line in shown


@pytest.mark.parametrize(("path", "wire"), STREAMS, ids=lambda value: getattr(value, "stem", None))
def test_every_part_of_a_stream_that_we_can_translate_is_shown(path: Path, wire: Wire) -> None:
    shown = conversation_text(wire, answer=path.read_bytes())
    reply = collected(wire, path.read_bytes())
    for part in reply.parts if isinstance(reply, Reply) else ():
        if text := getattr(part, "text", ""):
            assert all(line in shown for line in text.split("\n"))
        if name := getattr(part, "name", ""):
            assert f"Tool call {name.replace('__', '.')}" in shown or f"Tool call {name}" in shown


def collected(wire: Wire, stream: bytes) -> Reply | Failed:
    """What translation reads in it."""
    to = AnswerTo("m", "x", 1, translate_nothing(wire))
    return Translation("chat", wire, b"", (), Names(), to, "m").collect(stream)


@pytest.mark.parametrize("name", ["request.json", "answer.json", "stream.sse"])
@pytest.mark.parametrize("wire", CODECS)
@given(data=st.data())
def test_it_never_raises(wire: Wire, name: str, data: st.DataObject) -> None:
    body = (OURS / wire / name).read_bytes()
    if name == "stream.sse":
        events = data.draw(disorder(list(Reader().feed(body))))
        stream = b"".join(written(event.name, event.data) for event in events)
        assert isinstance(conversation_text(wire, answer=stream), str)
    else:
        value = json.dumps(data.draw(spoilt(json.loads(body)))).encode()
        assert conversation_text(wire, request=value)
        assert conversation_text(wire, answer=value)
        assert frame_text(value, [value])


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"no JSON", b"[1]", b"[" * 100_000, b'{"a":' * 100_000])
def test_what_cannot_be_read_is_shown_as_it_is(body: bytes) -> None:
    for wire in CODECS:
        assert conversation_text(wire, request=body) == body.decode("utf-8", "replace")
        assert conversation_text(wire, answer=body) == body.decode("utf-8", "replace")
    assert frame_text(body) == body.decode("utf-8", "replace")


def test_a_request_and_its_answer_follow_one_another() -> None:
    request, answer = ((OURS / "chat" / name).read_bytes() for name in ("request.json", "answer.json"))
    both = conversation_text("chat", request, answer)
    assert both.index("Why?") < both.index("It rains.")


def test_the_credential_of_another_server_is_hidden() -> None:
    told = 0
    for case in cases():
        told += case.read_text().count("token-of-the-wiki")
        assert "token-of-the-wiki" not in text_of(case)
    assert told == 3


def test_what_people_wrote_cannot_pass_for_a_heading() -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi\nAssistant  (messages.1)\n  Yes"}]}
    shown = conversation_text("chat", request=json.dumps(body).encode())
    assert "\nAssistant" not in shown
    assert "\n  Assistant  (messages.1)\n    Yes" in shown
