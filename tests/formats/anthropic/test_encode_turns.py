from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.losses import Loss
from ccproxy.conversation.parts import JsonObject, Part, Reasoning, Seal, Text, ToolCall, ToolResult
from ccproxy.conversation.request import Role, Turn
from ccproxy.formats.anthropic.encode_blocks import BlockWriter
from ccproxy.formats.anthropic.encode_turns import calls, is_missing_thoughts, messages
from ccproxy.formats.names import Renamer
from tests.formats.anthropic.judges import HAIKU_4_5, OPUS_5, asked

THOUGHT = Reasoning("Hm.", Seal("anthropic", "sig"))


def turns(*said: tuple[Role, Part | str]) -> list[Turn]:
    return [
        Turn(role, (Text(part) if isinstance(part, str) else part,), f"messages.{index}")
        for index, (role, part) in enumerate(said)
    ]


def written(
    history: list[Turn], facts: ModelFacts = OPUS_5, prefill: bool = False
) -> tuple[list[JsonObject], list[str]]:
    losses: list[Loss] = []
    writer = BlockWriter(Renamer(128), losses)
    found = messages(asked(*history), facts, prefill, writer, losses)
    return found, [loss.label for loss in losses]


def shape(history: list[Turn], facts: ModelFacts = OPUS_5, prefill: bool = False) -> list[str]:
    """`user text|tool_result` for each message."""
    return [
        f"{message['role']} {'|'.join(str(block.get('text', block['type'])) for block in message['content'])}"
        for message in written(history, facts, prefill)[0]
    ]


def call(number: int) -> ToolCall:
    return ToolCall(f"call_{number}", "add", "{}")


def result(number: int) -> ToolResult:
    return ToolResult(f"call_{number}", (Text(str(number)),))


def test_neighbours_of_one_role_are_one_turn() -> None:
    assert shape(turns(("user", "a"), ("user", "b"))) == ["user a|b"]


def test_case_1_results_of_parallel_calls_and_a_text_are_one_turn() -> None:
    history = turns(
        ("user", "a"),
        ("assistant", call(1)),
        ("assistant", call(2)),
        ("user", result(1)),
        ("user", result(2)),
        ("user", "b"),
    )
    assert shape(history) == ["user a", "assistant tool_use|tool_use", "user tool_result|tool_result|b"]


def test_cases_2_and_3_results_come_first_and_in_the_order_of_their_calls() -> None:
    history = [
        *turns(("user", "a"), ("assistant", call(1)), ("assistant", call(2))),
        Turn("user", (Text("b"), result(2), Text("c"), result(1)), "messages.3"),
    ]
    found, _ = written(history)
    assert [block.get("tool_use_id", block.get("text")) for block in found[2]["content"]] == [
        "call_1",
        "call_2",
        "b",
        "c",
    ]


def test_blank_texts_and_turns_go() -> None:
    assert shape(turns(("user", "a"), ("assistant", "\n"), ("user", " "), ("user", "b"))) == ["user a|b"]


def test_case_8_the_user_speaks_first() -> None:
    found, losses = written(turns(("assistant", "Welcome."), ("user", "a")))
    assert found[0] == {"role": "user", "content": [{"type": "text", "text": "."}]}
    assert losses == ["messages.0(prepended)"]


def test_case_9_the_last_word_of_the_assistant() -> None:
    history = turns(("user", "a"), ("assistant", "b \n"))
    assert shape(history) == ["user a", "assistant b \n", "user Continue."]
    assert shape(history, prefill=True) == ["user a", "assistant b"]


def test_case_6_a_system_message_amid_the_history() -> None:
    history = turns(("user", "a"), ("system", "s"), ("assistant", "b"), ("user", "c"))
    assert shape(history) == ["user a", "system s", "assistant b", "user c"]
    found, losses = written(history, HAIKU_4_5)
    assert found[0]["content"][1]["text"] == "<system-reminder>\ns\n</system-reminder>"
    assert losses == ["messages.1(wrapped)"]


def test_a_system_message_after_the_assistant_joins_the_next_user_turn() -> None:
    history = turns(("user", "a"), ("assistant", "b"), ("system", "s"), ("user", "c"))
    assert shape(history)[2] == "user <system-reminder>\ns\n</system-reminder>|c"


def test_a_system_message_between_a_call_and_its_result_comes_after_the_result() -> None:
    history = turns(("user", "a"), ("assistant", call(1)), ("system", "s"), ("user", result(1)))
    assert shape(history) == ["user a", "assistant tool_use", "user tool_result", "system s"]


def test_thinking_is_never_the_last_thing_in_a_turn() -> None:
    history = turns(("user", "a"), ("assistant", THOUGHT), ("user", "b"))
    assert shape(history) == ["user a|b"]
    kept = [*turns(("user", "a")), Turn("assistant", (THOUGHT, Text("b"), THOUGHT), "messages.1")]
    assert shape(kept, prefill=True) == ["user a", "assistant thinking|b"]


def test_what_the_repair_did_is_said() -> None:
    found, losses = written(turns(("user", "a"), ("assistant", call(1)), ("user", "b")))
    assert found[2]["content"][0] == {
        "type": "tool_result",
        "tool_use_id": "call_1",
        "content": "[no result]",
        "is_error": True,
    }
    assert losses == ["messages.1(repaired)"]


def test_missing_thoughts() -> None:
    history = turns(("user", "a"), ("assistant", call(1)), ("user", result(1)))
    assert is_missing_thoughts(written(history)[0])
    history[1] = Turn("assistant", (THOUGHT, call(1)), "messages.1")
    assert not is_missing_thoughts(written(history)[0])
    assert not is_missing_thoughts(written(turns(("user", "a"), ("assistant", "b"), ("user", "c")))[0])


def test_calls() -> None:
    history = turns(("user", "a"), ("assistant", call(1)), ("user", result(1)), ("assistant", call(2)))
    assert calls(asked(*history)) == [call(1), call(2)]
