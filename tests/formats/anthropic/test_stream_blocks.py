from typing import Any

import pytest

from ccproxy.conversation.events import BlockEnded, BlockStarted, Delta, Event, Sealed
from ccproxy.conversation.parts import JsonObject, Seal
from ccproxy.formats.anthropic.stream_blocks import begun, implied
from ccproxy.formats.codec import Names

NAMES = Names({"a_b": "a.b"}, frozenset({"patch"}))


def whole(content: JsonObject, *deltas: Any) -> list[Event]:
    block = begun(content, NAMES, "msg_1.0")
    assert block is not None
    for delta in deltas:
        block.take(delta)
    block.close()
    return list(block.drain())


def fragment(said: object) -> JsonObject:
    return {"type": "input_json_delta", "partial_json": said}


def tool(name: str = "add", **fields: object) -> JsonObject:
    return {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}, **fields}


def test_text_that_stands_in_the_start_already() -> None:
    assert whole({"type": "text", "text": "a"}, {"type": "text_delta", "text": "b"}) == [
        BlockStarted("text"),
        Delta("a"),
        Delta("b"),
        BlockEnded(),
    ]


def test_the_last_signature_counts_and_comes_last() -> None:
    content = {"type": "thinking", "thinking": "", "signature": "old"}
    signed = {"type": "signature_delta", "signature": "new"}
    assert whole(content, signed, {"type": "thinking_delta", "thinking": "Hm."}) == [
        BlockStarted("reasoning"),
        Delta("Hm."),
        Sealed(Seal("anthropic", "new")),
        BlockEnded(),
    ]


def test_redacted_thinking() -> None:
    assert whole({"type": "redacted_thinking", "data": "x"}) == [
        BlockStarted("reasoning"),
        Sealed(Seal("anthropic", "x", redacted=True)),
        BlockEnded(),
    ]


def test_empty_fragments_say_nothing() -> None:
    assert whole(tool(), fragment(""), fragment('{"a":'), fragment("1}")) == [
        BlockStarted("tool_call", "toolu_1", "add"),
        Delta('{"a":'),
        Delta("1}"),
        BlockEnded(),
    ]
    assert whole(tool()) == [BlockStarted("tool_call", "toolu_1", "add"), BlockEnded()]


def test_arguments_that_stand_in_the_start_count_when_no_fragment_comes() -> None:
    given = tool(input={"a": "é"})
    assert whole(given)[1:] == [Delta('{"a":"é"}'), BlockEnded()]
    assert whole(given, fragment("{}"))[1:] == [Delta("{}"), BlockEnded()]


def test_names_come_back_and_custom_input_is_unwrapped() -> None:
    assert whole(tool("a_b"))[0] == BlockStarted("tool_call", "toolu_1", "a.b")
    assert whole(tool("patch"), fragment('{"input":"**'), fragment('* x"}')) == [
        BlockStarted("tool_call", "toolu_1", "patch", custom=True),
        Delta("*** x"),
        BlockEnded(),
    ]
    assert whole(tool("patch"), fragment("*** x"))[1] == Delta("*** x")


@pytest.mark.parametrize("call_id", [None, "", 3])
def test_a_call_without_an_id_gets_one(call_id: object) -> None:
    (started, _) = whole(tool(id=call_id))
    assert isinstance(started, BlockStarted)
    assert started.id.startswith("call_")


@pytest.mark.parametrize(
    "delta",
    [
        None,
        3,
        {},
        {"type": 3},
        {"type": "text_delta", "text": 3},
        {"type": "thinking_delta", "thinking": "x"},
    ],
)
def test_deltas_of_the_wrong_type_are_passed_over(delta: Any) -> None:
    assert whole({"type": "text"}, delta) == [BlockStarted("text"), BlockEnded()]


@pytest.mark.parametrize("content", [None, 3, {}, {"type": "hologram"}, {"type": "tool_use"}])
def test_blocks_that_we_do_not_know_are_none(content: Any) -> None:
    assert begun(content, NAMES, "msg_1.0") is None


def test_the_kind_of_a_delta_implies_its_block() -> None:
    for kind, expected in (("text_delta", "text"), ("thinking_delta", "reasoning")):
        block = implied({"type": kind})
        assert block is not None
        assert list(block.drain()) == [BlockStarted(expected)]  # type: ignore[arg-type]
    assert implied({"type": "input_json_delta"}) is None
    assert implied(None) is None
