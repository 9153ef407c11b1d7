import pytest

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject, Reasoning, Refusal, Seal, Text, ToolCall, ToolResult
from ccproxy.conversation.request import Tool, Turn
from ccproxy.formats import carrier
from ccproxy.formats.responses.decode_items import decode_items


def turns(*items: JsonObject) -> list[Turn]:
    return [draft.turn() for draft in decode_items(list(items)).turns]


def said(role: str, text: str) -> JsonObject:
    return {"type": "message", "role": role, "content": text}


def call(call_id: str) -> JsonObject:
    return {"type": "function_call", "call_id": call_id, "name": "look", "arguments": "{}"}


def output(call_id: str, text: object = "seen") -> JsonObject:
    return {"type": "function_call_output", "call_id": call_id, "output": text}


def thought(**fields: object) -> JsonObject:
    return {"type": "reasoning", "summary": [], **fields}


def test_a_string_is_what_the_user_says() -> None:
    (draft,) = decode_items("Hello").turns
    assert draft.turn() == Turn("user", (Text("Hello"),), "input")


def test_easy_messages_need_no_type() -> None:
    assert turns({"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}) == [
        Turn("user", (Text("a"),), "input.0"),
        Turn("assistant", (Text("b"),), "input.1"),
    ]


def test_developer_and_system_stay_in_their_place() -> None:
    assert [turn.role for turn in turns(said("user", "a"), said("developer", "b"), said("system", "c"))] == [
        "user",
        "system",
        "system",
    ]


def test_an_assistant_turn_holds_reasoning_text_and_calls() -> None:
    items = (thought(encrypted_content="e"), said("assistant", "I look"), call("a"), call("b"))
    (turn,) = turns(*items)
    assert turn.parts == (
        Reasoning("", Seal("openai", "e")),
        Text("I look"),
        ToolCall("a", "look", "{}"),
        ToolCall("b", "look", "{}"),
    )


def test_two_assistant_messages_are_two_turns_and_reasoning_goes_with_what_follows_it() -> None:
    first, second = turns(
        said("assistant", "one"), thought(encrypted_content="e", id="rs_1"), said("assistant", "two")
    )
    assert first.parts == (Text("one"),)
    assert second.parts == (Reasoning("", Seal("openai", "e", id="rs_1")), Text("two"))


def test_a_message_after_reasoning_stays_in_its_turn() -> None:
    (turn,) = turns(thought(encrypted_content="e"), said("assistant", "one"))
    assert turn.path == "input.0"
    assert len(turn.parts) == 2


def test_results_of_one_round_are_one_turn() -> None:
    history = turns(call("a"), call("b"), output("a"), output("b", ""), said("user", "and?"))
    assert [turn.role for turn in history] == ["assistant", "user", "user"]
    assert history[1].parts == (ToolResult("a", (Text("seen"),)), ToolResult("b", ()))


def test_custom_calls_and_results_with_lists() -> None:
    custom = {
        "type": "custom_tool_call",
        "call_id": "a",
        "name": "exec",
        "namespace": "functions",
        "input": "x",
    }
    given = {
        "type": "custom_tool_call_output",
        "call_id": "a",
        "output": [{"type": "input_text", "text": "1"}, {"type": "input_text", "text": "2"}],
    }
    first, second = turns(custom, given)
    assert first.parts == (ToolCall("a", "functions__exec", "x", custom=True),)
    assert second.parts == (ToolResult("a", (Text("1"), Text("2")), custom=True),)


def test_a_result_of_ours_that_failed_is_known_again() -> None:
    (turn,) = turns(output("a", "[tool error] no such file"))
    assert turn.parts == (ToolResult("a", (Text("no such file"),), is_error=True),)


def test_refusals_stay_refusals() -> None:
    message = {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}
    assert turns(message)[0].parts == (Refusal("no"),)


def test_reasoning_of_claude_is_restored_from_its_carrier() -> None:
    seal = Seal("anthropic", "signature")
    carried = carrier.pack(seal, "the whole thought")
    (turn,) = turns(thought(summary=[{"type": "summary_text", "text": "short"}], encrypted_content=carried))
    assert turn.parts == (Reasoning("the whole thought", seal),)


def test_native_reasoning_keeps_its_summaries() -> None:
    summary = [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]
    (turn,) = turns(thought(summary=summary, encrypted_content="e", content=None))
    assert turn.parts == (Reasoning("a\n\nb", Seal("openai", "e")),)


def test_reasoning_text_counts_when_there_is_no_summary() -> None:
    (turn,) = turns(thought(content=[{"type": "reasoning_text", "text": "raw"}]))
    assert turn.parts == (Reasoning("raw"),)


def test_empty_reasoning_is_nothing() -> None:
    assert turns(thought()) == []


def test_a_spoilt_carrier_is_lost_and_said() -> None:
    found = decode_items([thought(encrypted_content="cc1a.!!!")])
    assert found.turns == []
    assert [loss.path for loss in found.losses] == ["input.0"]


def test_items_may_bring_tools() -> None:
    tools = [{"type": "function", "name": "look"}]
    found = decode_items(
        [
            {"type": "additional_tools", "role": "developer", "tools": tools},
            {"type": "tool_search_output", "call_id": "x", "tools": tools},
        ]
    )
    assert [tool.path for tool in found.tools] == ["input.0.tools.0", "input.1.tools.0"]
    assert isinstance(found.tools[0], Tool)


def test_configuration_updates_are_handed_on() -> None:
    update = {"type": "configuration_update", "reasoning": {"effort": "low"}}
    assert decode_items([update]).updates == [(update, "input.0")]


def test_what_openais_own_tools_left_is_left_out() -> None:
    found = decode_items([{"type": "web_search_call", "id": "ws_1", "status": "completed"}])
    assert found.turns == []
    assert [loss.label for loss in found.losses] == ["input.0"]


@pytest.mark.parametrize(
    ("item", "path"),
    [
        (None, "input.0"),
        ({}, "input.0.role"),
        ({"type": 4}, "input.0.type"),
        ({"type": "telepathy"}, "input.0.type"),
        ({"role": "tool", "content": "x"}, "input.0.role"),
        ({"role": "user"}, "input.0.content"),
        ({"role": "user", "content": None}, "input.0.content"),
        ({"role": "user", "content": [{"type": "input_text", "text": 1}]}, "input.0.content.0.text"),
        ({"type": "function_call", "name": "x", "arguments": "{}"}, "input.0.call_id"),
        ({"type": "function_call", "call_id": "a", "name": "x", "arguments": {}}, "input.0.arguments"),
        ({"type": "custom_tool_call", "call_id": "a", "name": "x"}, "input.0.input"),
        ({"type": "function_call_output", "call_id": "a"}, "input.0.output"),
        ({"type": "reasoning", "summary": "x", "encrypted_content": 1}, "input.0.encrypted_content"),
        ({"type": "item_reference", "id": "msg_1"}, "input.0"),
        ({"id": "msg_1"}, "input.0"),
        ({"type": "compaction", "encrypted_content": "e"}, "input.0"),
        ({"type": "compaction_trigger"}, "input.0"),
        ({"type": "additional_tools", "tools": [3]}, "input.0.tools.0"),
    ],
)
def test_what_is_wrong_or_cannot_be_carried_is_named(item: object, path: str) -> None:
    with pytest.raises(RequestError) as raised:
        decode_items([item])
    assert raised.value.path == path
