"""Whole requests, judged by the simulated API."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given

from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject, Reasoning, Seal, Text, ToolCall, ToolResult
from ccproxy.conversation.request import OutputFormat, Params, Request, Thinking, Tool, ToolChoice, Turn
from ccproxy.formats.anthropic import decode_request, encode_request
from ccproxy.simulator.anthropic.thinking import sign
from tests.formats.anthropic.hostile import REQUEST
from tests.formats.anthropic.judges import HAIKU_4_5, OPUS_4_8, OPUS_5, accept, asked

HELLO = Turn("user", (Text("Hello"),), "messages.0")
ADD = Tool("add", "Adds.", {"type": "object", "properties": {}}, path="tools.0")
CALL = ToolCall("call_1", "add", '{"a":1}')
CALLED = (
    HELLO,
    Turn("assistant", (CALL,), "messages.1"),
    Turn("user", (ToolResult("call_1", (Text("2"),)),), "messages.2"),
)


def encode(request: Request, facts: ModelFacts = OPUS_5) -> tuple[JsonObject, list[str]]:
    encoded = encode_request(request, facts)
    accept(encoded.body)
    assert encode_request(request, facts).body == encoded.body
    return encoded.body, [loss.label for loss in encoded.losses]


def test_the_least_there_can_be() -> None:
    assert encode(asked(HELLO)) == (
        {
            "model": "claude-opus-5",
            "max_tokens": 128000,
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
        },
        [],
    )


def test_everything_has_its_place() -> None:
    request = asked(
        HELLO,
        system=(Text("Be kind."), Text(" ")),
        tools=(ADD,),
        tool_choice=ToolChoice("auto"),
        params=Params(
            max_tokens=2000,
            stop=("END",),
            stream=True,
            parallel_tool_calls=False,
            thinking=Thinking(effort="high"),
            output=OutputFormat(
                {"type": "object", "properties": {"a": {"type": "string"}}}, "n", strict=True
            ),
        ),
    )
    body, losses = encode(request)
    assert losses == []
    assert body["system"] == [{"type": "text", "text": "Be kind."}]
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert body["thinking"] == {"type": "adaptive"}
    assert body["output_config"]["effort"] == "high"
    assert body["output_config"]["format"]["schema"]["additionalProperties"] is False
    assert body["stop_sequences"] == ["END"]
    assert body["stream"] is True


def test_a_messages_request_comes_back_as_it_was() -> None:
    body: JsonObject = {
        "model": "claude-opus-5",
        "max_tokens": 100,
        "system": [{"type": "text", "text": "Be kind."}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Add."}]},
            {"role": "system", "content": [{"type": "text", "text": "Be quick."}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": sign("Hm.", "Hm.")},
                    {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"b": 1, "a": "é"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": "2", "is_error": True},
                    {"type": "text", "text": "Go on."},
                ],
            },
        ],
        "tools": [
            {"name": "add", "description": "Adds.", "input_schema": {"type": "object", "properties": {}}}
        ],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": "high"},
        "stop_sequences": ["END"],
        "speed": "fast",
        "stream": True,
        "inference_geo": "eu",
        "metadata": {"user_id": "u"},
    }
    encoded = encode_request(decode_request(body).request, OPUS_5)
    assert msgspec.json.encode(encoded.body) == msgspec.json.encode(body)
    assert encoded.losses == ()


@pytest.mark.parametrize("facts", [OPUS_5, OPUS_4_8, HAIKU_4_5], ids=lambda facts: facts.id)
@pytest.mark.parametrize("mode", ["required", "tool"])
def test_case_30_a_forced_call_stops_the_thinking(facts: ModelFacts, mode: str) -> None:
    choice = ToolChoice("required") if mode == "required" else ToolChoice("tool", "add")
    params = Params(thinking=Thinking(effort="high"))
    body, losses = encode(asked(HELLO, tools=(ADD,), tool_choice=choice, params=params), facts)
    assert "thinking" not in body
    assert "output_config" not in body
    assert losses == ["reasoning_effort"]


def test_a_history_with_calls_keeps_tools_that_the_client_no_longer_offers() -> None:
    body, losses = encode(asked(*CALLED))
    assert body["tools"] == [{"name": "add", "input_schema": {"type": "object", "properties": {}}}]
    assert body["tool_choice"] == {"type": "none"}
    assert losses == []


def test_a_call_without_its_thinking_drops_the_budget() -> None:
    request = asked(*CALLED, tools=(ADD,), params=Params(thinking=Thinking(effort="medium")))
    body, losses = encode(request, HAIKU_4_5)
    assert "thinking" not in body
    assert losses == ["reasoning_effort"]


def test_case_29_a_call_with_its_thinking_keeps_the_budget_and_the_signature() -> None:
    thought = Reasoning("Hm.", Seal("anthropic", sign("Hm.", "Hm.")))
    turns = (HELLO, Turn("assistant", (thought, CALL), "messages.1"), CALLED[2])
    request = asked(*turns, tools=(ADD,), params=Params(thinking=Thinking(effort="medium")))
    body, losses = encode(request, HAIKU_4_5)
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 8192}
    assert body["messages"][1]["content"][0]["signature"] == sign("Hm.", "Hm.")
    assert losses == []


def test_case_29_thinking_of_another_provider_is_left_out() -> None:
    thought = Reasoning("Hm.", Seal("openai", "gAAA", id="rs_1"))
    turns = (HELLO, Turn("assistant", (thought, CALL), "messages.1"), CALLED[2])
    body, losses = encode(asked(*turns, tools=(ADD,)))
    assert [block["type"] for block in body["messages"][1]["content"]] == ["tool_use"]
    assert losses == []


def test_a_model_that_thinks_is_not_asked_to_continue_a_text() -> None:
    turns = (HELLO, Turn("assistant", (Text("It is "),), "messages.1"))
    body, losses = encode(asked(*turns), HAIKU_4_5)
    assert body["messages"][-1] == {"role": "assistant", "content": [{"type": "text", "text": "It is"}]}
    assert losses == []
    body, losses = encode(asked(*turns, params=Params(thinking=Thinking(effort="low"))), HAIKU_4_5)
    assert body["messages"][-1]["role"] == "user"
    assert losses == ["messages.1(continued)"]


def test_a_json_object_is_asked_for_in_words() -> None:
    request = asked(HELLO, system=(Text("Be kind."),), params=Params(output=OutputFormat(None)))
    body, losses = encode(request)
    assert body["system"][0]["text"] == "Be kind."
    assert "JSON object" in body["system"][1]["text"]
    assert losses == ["response_format(described)"]


def test_case_9_and_17_names_that_are_too_long_are_shortened_everywhere() -> None:
    long = "mcp__" + "x" * 140
    tool, call = replace(ADD, name=long), replace(CALL, name=long)
    turns = (HELLO, Turn("assistant", (call,), "messages.1"), CALLED[2])
    request = asked(*turns, tools=(tool,), tool_choice=ToolChoice("tool", long))
    encoded = encode_request(request, OPUS_5)
    accept(encoded.body)
    name = encoded.body["tools"][0]["name"]
    assert len(name) == 128
    assert encoded.body["messages"][1]["content"][0]["name"] == name
    assert encoded.body["tool_choice"]["name"] == name
    assert encoded.names.original == {name: long}


def test_case_11_custom_tools_go_as_functions_history_included() -> None:
    tool = Tool("apply_patch", "Patches.", custom=True, grammar="start: x", syntax="lark", path="tools.0")
    call = ToolCall("call_1", "apply_patch", "*** Begin", custom=True)
    turns = (HELLO, Turn("assistant", (call,), "input.1"), CALLED[2])
    encoded = encode_request(asked(*turns, tools=(tool,), wire="responses"), OPUS_5)
    accept(encoded.body)
    assert encoded.names.custom == {"apply_patch"}
    assert encoded.body["messages"][1]["content"][0]["input"] == {"input": "*** Begin"}
    assert "start: x" in encoded.body["tools"][0]["description"]


def test_cases_7_and_14_nothing_to_answer_is_an_error() -> None:
    for turns in ((), (Turn("user", (Text(" \n"),), "messages.0"),)):
        with pytest.raises(RequestError) as caught:
            encode_request(asked(*turns, system=(Text("Be kind."),)), OPUS_5)
        assert caught.value.path == "messages"
    with pytest.raises(RequestError) as caught:
        encode_request(asked(wire="responses"), OPUS_5)
    assert caught.value.path == "input"


def test_case_21_a_longer_history_begins_with_the_same_bytes() -> None:
    short, _ = encode(asked(*CALLED, tools=(ADD,)))
    more = (Turn("assistant", (Text("2."),), "messages.3"), Turn("user", (Text("Sure?"),), "messages.4"))
    long, _ = encode(asked(*CALLED, *more, tools=(ADD,)))
    assert msgspec.json.encode(long["messages"][:3]) == msgspec.json.encode(short["messages"])
    assert long["tools"] == short["tools"]


def test_deep_nesting_is_an_error() -> None:
    deep: JsonObject = {"type": "string"}
    for _ in range(5000):
        deep = {"type": "object", "properties": {"a": deep}}
    with pytest.raises(RequestError, match="nested too deeply"):
        encode_request(asked(HELLO, params=Params(output=OutputFormat(deep))), OPUS_5)


@given(REQUEST)
def test_whatever_decodes_is_encoded_or_its_fault_is_named(value: JsonObject) -> None:
    fault = None
    try:
        for facts in (OPUS_5, HAIKU_4_5):
            msgspec.json.encode(encode_request(decode_request(value).request, facts).body)
    except RequestError as problem:
        fault = problem
    assert fault is None or fault.path
