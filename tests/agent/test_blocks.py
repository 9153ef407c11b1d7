"""Blocks of an answer: what is told once, what is told again, and what waits."""

from ccproxy.agent.blocks import Blocks
from ccproxy.conversation.parts import JsonObject
from tests.agent.said import collected


def started(separate: bool = False) -> Blocks:
    blocks = Blocks(separate)
    blocks.start({"id": "m", "content": [], "usage": {}})
    return blocks


def tell(blocks: Blocks, text: str, source: str = "a", kind: str = "text") -> None:
    blocks.begin(kind, source)  # type: ignore[arg-type]
    for piece in text:
        blocks.more(piece)
    blocks.end()


def texts(blocks: Blocks) -> list[str]:
    """What the blocks hold when all is over."""
    blocks.finish({"stop_reason": "end_turn"}, usage={})
    content: list[JsonObject] = collected(blocks.drain())["content"]
    return [block.get("text") or block.get("thinking") or block["type"] for block in content]


def kinds(blocks: Blocks) -> list[str]:
    return [event["type"].removeprefix("content_block_") for event in blocks.drain()]


def test_a_block_is_opened_with_its_first_words_and_closed_late() -> None:
    blocks = started()
    blocks.begin("text", "a")
    assert kinds(blocks) == ["message_start"]
    blocks.more("x")
    assert kinds(blocks) == ["start", "delta"]
    blocks.end()
    assert kinds(blocks) == []
    blocks.message_ended(whole=True)
    assert kinds(blocks) == ["stop"]


def test_a_block_without_words_is_none() -> None:
    blocks = started()
    tell(blocks, "")
    assert texts(blocks) == []


def test_thinking_may_be_nothing_but_its_signature() -> None:
    blocks = started()
    blocks.begin("thinking", "a")
    blocks.sign("c2ln")
    blocks.finish({}, usage={})
    assert collected(blocks.drain())["content"] == [{"type": "thinking", "thinking": "", "signature": "c2ln"}]


def test_only_thinking_is_signed_and_once() -> None:
    blocks = started()
    blocks.begin("thinking", "a")
    blocks.more("x")
    blocks.sign("one")
    blocks.sign("two")
    blocks.begin("text", "a")
    blocks.more("y")
    blocks.sign("three")
    signatures = [event for event in blocks.drain() if "signature" in event.get("delta", {})]
    assert len(signatures) == 1


def test_whole_blocks_wait_for_the_beginning_and_for_the_end_of_what_is_told() -> None:
    blocks = Blocks(separate=False)
    blocks.whole([{"type": "x"}])
    assert blocks.drain() == []
    blocks.start({"id": "m", "content": []})
    assert kinds(blocks) == ["message_start", "start", "stop"]
    blocks.begin("text", "a")
    blocks.more("said")
    blocks.whole([{"type": "y"}])
    blocks.more(" on")
    assert kinds(blocks) == ["start", "delta", "delta"]
    blocks.end()
    assert kinds(blocks) == ["stop", "start", "stop"]


def test_what_is_told_again_is_told_once() -> None:
    blocks = started()
    tell(blocks, "Half of")
    blocks.message_ended(whole=False)
    tell(blocks, "Half of it", "b")
    assert texts(blocks) == ["Half of it"]


def test_a_block_that_is_closed_counts_when_it_is_the_same() -> None:
    blocks = started()
    tell(blocks, "Well.", kind="thinking")
    tell(blocks, "Half of")
    blocks.message_ended(whole=False)
    tell(blocks, "Well.", "b", kind="thinking")
    tell(blocks, "Half of it", "b")
    assert texts(blocks) == ["Well.", "Half of it"]


def test_another_answer_is_told_in_full() -> None:
    for again in ("Another", "Half", "Half-hearted"):
        blocks = started()
        tell(blocks, "Half of")
        blocks.message_ended(whole=False)
        tell(blocks, again, "b")
        assert texts(blocks) == ["Half of", again]


def test_after_the_first_difference_nothing_is_compared() -> None:
    blocks = started()
    tell(blocks, "Well.", kind="thinking")
    tell(blocks, "Half of")
    blocks.message_ended(whole=False)
    tell(blocks, "Hm.", "b", kind="thinking")
    tell(blocks, "Half of it", "b")
    assert texts(blocks) == ["Well.", "Half of", "Hm.", "Half of it"]


def test_another_kind_of_block_is_another_answer() -> None:
    blocks = started()
    tell(blocks, "Half of")
    blocks.message_ended(whole=False)
    tell(blocks, "Half of", "b", kind="thinking")
    assert texts(blocks) == ["Half of", "Half of"]


def test_a_third_try_continues_what_the_second_continued() -> None:
    blocks = started()
    tell(blocks, "One")
    blocks.message_ended(whole=False)
    tell(blocks, "One two", "b")
    blocks.message_ended(whole=False)
    tell(blocks, "One two three", "c")
    assert texts(blocks) == ["One two three"]


def test_a_message_that_ended_well_is_not_compared_with() -> None:
    blocks = started()
    tell(blocks, "Yes.")
    blocks.message_ended(whole=True)
    tell(blocks, "Yes. Again.", "b")
    assert texts(blocks) == ["Yes.", "Yes. Again."]


def test_texts_of_different_sources_stand_apart_for_readers_who_join_them() -> None:
    blocks = started(separate=True)
    tell(blocks, "One, ")
    tell(blocks, "two.")
    tell(blocks, "hm", "b", kind="thinking")
    tell(blocks, "Three.", "b")
    blocks.whole([{"type": "text", "text": "<tag>"}, {"type": "text", "text": "<tag>"}])
    tell(blocks, "Four.", "b")
    assert texts(blocks) == ["One, ", "two.", "hm", "\n\nThree.", "\n\n<tag>", "\n\n<tag>", "\n\nFour."]


def test_the_input_of_a_call_comes_as_one_delta() -> None:
    blocks = started()
    blocks.whole([{"type": "tool_use", "id": "c", "name": "f", "input": {"größe": [1, None]}}])
    _, start, delta, stop = blocks.drain()
    assert start["content_block"] == {"type": "tool_use", "id": "c", "name": "f", "input": {}}
    assert delta["delta"] == {"type": "input_json_delta", "partial_json": '{"größe":[1,null]}'}
    assert stop["index"] == 0
