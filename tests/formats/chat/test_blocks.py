from collections.abc import Iterable

from ccproxy.conversation.events import BlockEnded, BlockStarted, Delta, Event, Sealed
from ccproxy.conversation.parts import Seal
from ccproxy.formats.chat.blocks import Blocks
from ccproxy.formats.codec import Names

SEAL = Seal("anthropic", "c2ln")
END = BlockEnded()


def begin(call_id: str, name: str = "f", custom: bool = False) -> BlockStarted:
    return BlockStarted("tool_call", call_id, name, custom)


def drain(*steps: Iterable[Event]) -> list[Event]:
    return [event for step in steps for event in step]


def test_text_is_sent_as_it_comes() -> None:
    blocks = Blocks(Names())
    assert drain(blocks.text("text", "a")) == [BlockStarted("text"), Delta("a")]
    assert drain(blocks.text("text", "b")) == [Delta("b")]
    assert drain(blocks.text("refusal", "c")) == [END, BlockStarted("refusal"), Delta("c")]
    assert drain(blocks.close("x")) == [END]
    assert blocks.has_refusal
    assert not blocks.has_calls


def test_a_seal_ends_its_reasoning() -> None:
    blocks = Blocks(Names())
    drain(blocks.text("reasoning", "a"))
    assert drain(blocks.seal(SEAL, "a")) == [Sealed(SEAL), END]
    assert drain(blocks.seal(SEAL, "b")) == [BlockStarted("reasoning"), Delta("b"), Sealed(SEAL), END]
    assert drain(blocks.seal(SEAL, "")) == [BlockStarted("reasoning"), Sealed(SEAL), END]


def test_case_01_interleaved_calls_come_one_after_another() -> None:
    blocks = Blocks(Names())
    assert drain(blocks.call(0, "a", "f", '{"x":')) == [begin("a"), Delta('{"x":')]
    assert drain(blocks.call(1, "b", "f", '{"y":')) == []
    assert drain(blocks.call(0, "", "", "1}")) == [Delta("1}"), END, begin("b"), Delta('{"y":')]
    assert drain(blocks.call(1, "", "", "2}"), blocks.close("x")) == [Delta("2}"), END]


def test_a_call_that_is_not_whole_keeps_the_next_waiting() -> None:
    blocks = Blocks(Names())
    drain(blocks.call(0, "a", "f", ""), blocks.call(1, "b", "f", "{}"))
    assert drain(blocks.close("x")) == [END, begin("b"), Delta("{}"), END]


def test_case_04_id_and_name_may_come_late_and_be_empty_later() -> None:
    blocks = Blocks(Names())
    assert drain(blocks.call(0, "", "f", '{"x"'), blocks.call(0, "", "", ":1}")) == []
    assert drain(blocks.call(0, "a", "", "")) == [begin("a"), Delta('{"x":1}')]


def test_calls_that_share_an_index_are_told_apart_by_their_ids() -> None:
    blocks = Blocks(Names())
    events = drain(blocks.call(0, "a", "f", "{}"), blocks.call(0, "b", "f", "{}"), blocks.close("x"))
    assert events == [begin("a"), Delta("{}"), END, begin("b"), Delta("{}"), END]


def test_a_call_without_an_id_gets_one_that_is_the_same_every_time() -> None:
    ids = []
    for _ in range(2):
        blocks = Blocks(Names())
        drain(blocks.call(0, "", "f", "{}"), blocks.call(1, "", "f", "{}"))
        ids += [event.id for event in blocks.close("x") if isinstance(event, BlockStarted)]
    assert ids[:2] == ids[2:]
    assert len(set(ids)) == 2
    assert all(one.startswith("call_") for one in ids)


def test_a_call_without_a_name_is_lost() -> None:
    blocks = Blocks(Names())
    assert drain(blocks.call(0, "a", "", "{}"), blocks.close("x")) == []
    assert not blocks.has_calls


def test_names_are_those_of_the_client() -> None:
    blocks = Blocks(Names({"short": "a very long name"}))
    assert drain(blocks.call(0, "a", "short", "")) == [begin("a", "a very long name")]


def test_a_wrapped_custom_tool_gets_its_input_at_the_end() -> None:
    blocks = Blocks(Names(custom=frozenset({"patch"})))
    assert drain(blocks.call(0, "a", "patch", '{"input":"x')) == [begin("a", "patch", custom=True)]
    assert drain(blocks.call(0, "", "", 'y"}'), blocks.close("x")) == [Delta("xy"), END]
