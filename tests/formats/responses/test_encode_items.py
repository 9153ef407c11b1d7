import pytest

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import (
    Image,
    JsonObject,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Seal,
    Text,
    ToolCall,
    ToolResult,
)
from ccproxy.conversation.request import Role, Turn
from ccproxy.formats.names import Renamer
from ccproxy.formats.responses.encode_items import encode_items

OURS = Reasoning("so", Seal("openai", "gAAA", id="rs_1"))
ITEM = {
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "so"}],
    "encrypted_content": "gAAA",
}


def items(role: Role, *parts: Part) -> list[JsonObject]:
    return encode_items([Turn(role, parts, "messages.0")], Renamer(64))[0]


def kinds(values: list[JsonObject]) -> list[str]:
    return [value["type"] for value in values]


def test_users_and_developers() -> None:
    content = [{"type": "input_text", "text": "a"}]
    assert items("user", Text("a")) == [{"type": "message", "role": "user", "content": content}]
    assert items("system", Text("a")) == [{"type": "message", "role": "developer", "content": content}]
    assert items("user") == []


def test_an_assistant_speaks_in_output_texts() -> None:
    assert items("assistant", Text("a"), Text(""), Refusal("no")) == [
        {
            "type": "message",
            "role": "assistant",
            "content": [
                {"type": "output_text", "text": "a", "annotations": []},
                {"type": "refusal", "refusal": "no"},
            ],
        }
    ]


def test_calls_and_results() -> None:
    assert items("assistant", ToolCall("a", "look", ""), ToolCall("b", "patch", "***", custom=True)) == [
        {"type": "function_call", "call_id": "a", "name": "look", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "b", "name": "patch", "input": "***"},
    ]
    results = (ToolResult("a", (Text("1"),)), ToolResult("b", (Text("2"),), custom=True), Text("and?"))
    values = items("user", *results)
    assert kinds(values) == ["function_call_output", "custom_tool_call_output", "message"]
    assert values[0] == {"type": "function_call_output", "call_id": "a", "output": "1"}


def test_case_08_a_call_and_its_result_keep_one_legal_id() -> None:
    long = "é" * 90
    call = items("assistant", ToolCall(long, "look", "{}"))[0]["call_id"]
    assert call == items("user", ToolResult(long, ()))[0]["call_id"]
    assert call.isascii()
    assert len(call) <= 64


def test_case_09_a_long_name_is_shortened_the_same_way_in_the_history() -> None:
    names = Renamer(64)
    turn = Turn("assistant", (ToolCall("a", "n" * 90, "{}"), ToolCall("b", "n" * 90, "{}")))
    first, second = encode_items([turn], names)[0]
    assert first["name"] == second["name"]
    assert names.names().original == {first["name"]: "n" * 90}


def test_case_17_reasoning_has_a_summary_and_its_seal_and_nothing_else() -> None:
    assert items("assistant", OURS, Text("a"))[0] == ITEM
    assert items("assistant", Reasoning("", Seal("openai", "g")), Text("a"))[0]["summary"] == []


def test_case_19_reasoning_stays_in_front_of_what_it_led_to() -> None:
    values = items(
        "assistant", OURS, Text("a"), ToolCall("a", "look", "{}"), OURS, ToolCall("b", "look", "{}")
    )
    assert kinds(values) == ["reasoning", "message", "function_call", "reasoning", "function_call"]


def test_case_19_reasoning_that_led_to_nothing_is_dropped() -> None:
    assert kinds(items("assistant", Text("a"), OURS)) == ["message"]
    assert items("assistant", OURS, Text("")) == []


@pytest.mark.parametrize("reasoning", [Reasoning("hm"), Reasoning("hm", Seal("anthropic", "sig"))])
def test_case_16_reasoning_of_others_is_dropped(reasoning: Reasoning) -> None:
    assert kinds(items("assistant", reasoning, Text("a"))) == ["message"]


def test_what_an_assistant_cannot_say_is_lost_and_said() -> None:
    turn = Turn("assistant", (Image(Media("image/png", "AAAA")), Text("a")), "messages.4")
    values, losses = encode_items([turn], Renamer(64))
    assert kinds(values) == ["message"]
    assert [loss.path for loss in losses] == ["messages.4"]


def test_parts_that_only_others_know_are_refused() -> None:
    assert items("assistant", Opaque("responses", {"type": "x"}))[0]["content"] == [{"type": "x"}]
    with pytest.raises(RequestError):
        items("assistant", Opaque("anthropic", {"type": "x"}))
