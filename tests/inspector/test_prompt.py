"""Editing a body as text: what was edited goes back, and all else stays as it was."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy.utils.strutils import escape_control_characters

from ccproxy.conversation.parts import Wire
from ccproxy.inspector.prompt import changed_body, prompt_text
from tests.golden.cases import request_cases
from tests.inspector.test_conversation import texts_in

REQUESTS = sorted({case.given: case.source for case in request_cases()}.items())
BODY = (
    b'{ "model":"m", "temperature": 1.50,"unknown":{"a":[1E3]},\n'
    b' "system":[{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral"}}],'
    b'"messages":[{"role":"user","content":"Gr\\u00fc\\u00df Gott"},'
    b'{"role":"user","content":[{"type":"tool_result","content":[{"type":"text","text":"a\\r\\nb\\u001b[0m"}]},'
    b'{"type":"tool_result","content":"done"},{"type":"text","text":""}]}],"stream":true}'
)
SHOWN = """\
model: "m"
temperature: 1.50
stream: true

=== system.0.text ===
Be brief.

=== messages.0.content (user) ===
Grüß Gott

=== messages.1.content.0.content.0.text (tool_result) ===
a␍
b␛[0m

=== messages.1.content.1.content (tool_result) ===
done

=== messages.1.content.2.text (user) ===


=== end ===
"""


def test_how_it_looks() -> None:
    assert prompt_text("anthropic", BODY) == SHOWN


@pytest.mark.parametrize(("path", "wire"), REQUESTS, ids=lambda value: getattr(value, "stem", None))
def test_who_changes_nothing_sends_the_same_bytes(path: Path, wire: Wire) -> None:
    body = path.read_bytes()
    shown = prompt_text(wire, body)
    # mitmproxy does this to every view
    assert shown == escape_control_characters(shown)
    assert changed_body(wire, body, shown) == body
    assert changed_body(wire, body, shown.replace("\n", "\r\n")) == body
    for text in texts_in(json.loads(body).get("messages")):
        for line in text.split("\n"):
            assert line in shown or "thinking" in body.decode()


def test_what_is_edited_and_nothing_else() -> None:
    edited = SHOWN.replace("Be brief.", 'Be "long".\n\n').replace("b␛[0m", "b␛[1m ü").replace("1.50", "0.7")
    edited = edited.replace("(user) ===\n\n", "(user) ===\nnew\n")
    expected = BODY.replace(b"Be brief.", b'Be \\"long\\".\\n\\n').replace(b"1.50", b"0.7")
    expected = expected.replace(b'"text":""', b'"text":"new"')
    expected = expected.replace(b"a\\r\\nb\\u001b[0m", "a\\r\\nb\\u001b[1m ü".encode())
    assert changed_body("anthropic", BODY, edited) == expected


LINES = st.lists(
    st.text(max_size=8)
    | st.sampled_from(
        ["=== end ===", "=== messages.0.content ===", "\\=== x ===", "\\\\=== a (b) ===", "a: 1", "", "\r"]
    ),
    max_size=5,
)
TEXTS = LINES.map("\n".join).filter(lambda text: not any("\u2400" <= char <= "\u2421" for char in text))


@given(TEXTS, TEXTS, TEXTS)
def test_any_text_survives(one: str, other: str, new: str) -> None:
    value: dict[str, Any] = {"model": one, "input": [{"role": "user", "content": one}, {"output": other}]}
    body = json.dumps(value).encode()
    shown = prompt_text("responses", body)
    assert changed_body("responses", body, shown) == body
    # what somebody sees of a text is what they would have to write for it
    other_body = json.dumps({**value, "input": [value["input"][0], {"output": new}]}).encode()
    made = json.loads(changed_body("responses", body, prompt_text("responses", other_body)))
    expected = new if not set(new) & set(CONTROLS) else made["input"][1]["output"]
    assert made == {**value, "input": [value["input"][0], {"output": expected}]}


CONTROLS = [chr(code) for code in [*range(32), 127] if chr(code) not in "\n\t"]


@pytest.mark.parametrize("wire", ["anthropic", "chat", "responses"])
def test_answers_and_what_tools_are_called_with(wire: Wire) -> None:
    answers: dict[Wire, Any] = {
        "anthropic": {
            "content": [{"type": "tool_use", "input": {"command": "ls", "n": 1, "env": {"A": "ls"}}}]
        },
        "chat": {
            "choices": [{"message": {"content": "ls", "tool_calls": [{"function": {"arguments": "ls"}}]}}]
        },
        "responses": {"output": [{"content": [{"text": "ls"}]}, {"arguments": "ls"}, {"input": "ls"}]},
    }
    body = json.dumps(answers[wire]).encode()
    edited = prompt_text(wire, body).replace("ls\n", "pwd\n")
    assert changed_body(wire, body, edited) == body.replace(b'"ls"', b'"pwd"')


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("=== system.0.text ===\n", "", "heading system.0.text is missing"),
        ("Be brief.", "=== messages.0.content ===", "heading messages.0.content stands there twice"),
        ("Be brief.", "=== note ===", "heading note is none of this body's"),
        ("=== end ===\n", "", "end with the heading end"),
        ("=== end ===\n", "=== end ===\nmore", "end with the heading end"),
        ("stream: true\n", "", "setting stream is missing"),
        ("stream: true", "stream: yes", "stream has to be a number"),
        ("stream: true", "stream: NaN", "stream has to be a number"),
        ("stream: true", "stream: [1]", "stream has to be a number"),
        ("stream: true", "stream: true\nstream: true", "twice"),
        ("stream: true", "stream: true\ntop_p: 1", "setting top_p is none"),
    ],
)
def test_what_cannot_be_put_back(before: str, after: str, message: str) -> None:
    assert before in SHOWN
    with pytest.raises(ValueError, match=message):
        changed_body("anthropic", BODY, SHOWN.replace(before, after, 1))


def test_halves_of_surrogate_pairs_are_left_alone() -> None:
    body = b'{"input":"\\ud83d","instructions":"x"}'
    shown = prompt_text("responses", body)
    shown.encode()
    assert changed_body("responses", body, shown.replace("x\n", "y\n")) == body.replace(b'"x"', b'"y"')


def test_a_picture_that_stood_for_itself_too() -> None:
    body = '{"input":"a\\rb␍","instructions":"x"}'.encode()
    shown = prompt_text("responses", body)
    assert changed_body("responses", body, shown.replace("x\n", "y\n")) == body.replace(b'"x"', b'"y"')
    with pytest.raises(ValueError, match="Some ␍ in this text are control characters"):
        changed_body("responses", body, shown.replace("a␍b", "a␍c"))
    assert changed_body("responses", body, shown.replace("a␍b␍", "ab")) == body.replace(
        '"a\\rb␍"'.encode(), b'"ab"'
    )


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages":[{"role":"user","content":"a"}],"messages":[]}',
        b'{"messages":[{"role":"user","content":"a","content":"b"}]}',
    ],
)
def test_what_has_a_name_twice(body: bytes) -> None:
    with pytest.raises(ValueError, match="stands twice in one object"):
        prompt_text("anthropic", body)
    with pytest.raises(ValueError, match="stands twice in one object"):
        changed_body("anthropic", body, "")


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{"])
def test_what_is_no_body_of_a_conversation(body: bytes) -> None:
    with pytest.raises(ValueError):
        prompt_text("chat", body)
