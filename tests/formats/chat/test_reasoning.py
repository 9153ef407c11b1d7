from ccproxy.conversation.parts import Reasoning, Seal
from ccproxy.formats.chat.reasoning import CLOSE_TAG, OPEN_TAG, carried, detail, said, thoughts, without_tags

SEAL = Seal("anthropic", "c2ln")


def test_a_seal_comes_back_with_its_text() -> None:
    details = [
        detail(SEAL, "think", 0),
        {"type": "reasoning.text", "text": "other"},
        detail(Seal("openai", "enc", id="rs_1"), "", 1),
    ]
    assert list(carried({"reasoning_details": details})) == [
        Reasoning("think", SEAL),
        Reasoning("", Seal("openai", "enc", id="rs_1")),
    ]


def test_what_is_no_carrier_of_ours_is_passed_over() -> None:
    for details in (
        None,
        "x",
        [None],
        [{"type": "ccproxy.reasoning", "data": 5}],
        [{"type": "ccproxy.reasoning"}],
    ):
        assert list(carried({"reasoning_details": details})) == []
    assert (
        list(carried({"reasoning_details": [{"type": "ccproxy.reasoning", "data": "cc1a.nonsense"}]})) == []
    )


def test_the_reasoning_of_a_message() -> None:
    openai = Seal("openai", "enc", id="rs_1"), Seal("openai", "enc", id="rs_2")
    details = [detail(openai[0], "hm", 0), detail(openai[1], "hm", 1)]
    assert thoughts({}) == ()
    assert thoughts({"reasoning": "hm"}) == (Reasoning("hm"),)
    assert thoughts({"reasoning": "hm", "reasoning_details": [detail(SEAL, "think", 0)]}) == (
        Reasoning("think", SEAL),
    )
    assert thoughts({"reasoning_content": "hm", "reasoning_details": details}) == (
        Reasoning("hm", openai[0]),
        Reasoning("", openai[1]),
    )


def test_the_names_under_which_servers_say_it() -> None:
    assert said({"reasoning_content": "a", "reasoning": "a"}) == "a"
    assert said({"reasoning": "b"}) == "b"
    details = [{"type": "reasoning.summary", "summary": "c"}, {"type": "reasoning.text", "text": "d"}, 7]
    assert said({"reasoning_details": details}) == "cd"
    assert said({"reasoning_content": 5, "reasoning_details": [detail(SEAL, "e", 0)]}) == ""


def test_tags_at_the_start() -> None:
    tagged = f"{OPEN_TAG}one{CLOSE_TAG}{OPEN_TAG}two{CLOSE_TAG}Answer {OPEN_TAG}no{CLOSE_TAG}"
    assert without_tags(tagged) == (
        (Reasoning("one"), Reasoning("two")),
        f"Answer {OPEN_TAG}no{CLOSE_TAG}",
    )
    assert without_tags("<reasoning>open") == ((), "<reasoning>open")
