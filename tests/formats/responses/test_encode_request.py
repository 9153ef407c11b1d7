import json
from pathlib import Path

import pytest

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import Reasoning, Seal, Text, ToolCall, ToolResult
from ccproxy.conversation.request import OutputFormat, Params, Request, Thinking, Tool, ToolChoice, Turn
from ccproxy.formats.responses import decode_request, encode_request
from ccproxy.simulator.openai.sealed import seal
from tests.formats.responses.judges import GPT, REQUESTS, accept, asked, named

LONG = "mcp__a_server_with_a_long_name__a_tool_with_a_name_that_is_longer_still"
HISTORY = (
    Turn("user", (Text("hi"),), "messages.0"),
    Turn(
        "assistant",
        (
            Reasoning("hm", Seal("openai", seal("reasoning", "hm"), id="rs_1")),
            Text("I look"),
            ToolCall("t:1", LONG, '{"a":1}'),
            ToolCall("t2", "patch", "***", custom=True),
        ),
        "messages.1",
    ),
    Turn("user", (Text("and?"), ToolResult("t2", (Text("done"),)), ToolResult("t:1", ())), "messages.2"),
    Turn("system", (Text("be brief"),), "messages.3"),
    Turn("user", (Text("now"),), "messages.4"),
)
REQUEST = Request(
    "anthropic",
    "claude-x",
    HISTORY,
    (Text("one"), Text("two")),
    (Tool(LONG), Tool("patch", custom=True)),
    ToolChoice("auto"),
    Params(
        max_tokens=50,
        stream=True,
        parallel_tool_calls=False,
        thinking=Thinking(effort="high", summary="auto"),
        output=OutputFormat({"type": "object"}),
    ),
)
REFUSED = {
    "background",
    "compaction_item",
    "conversation",
    "hosted_tool_forced",
    "image_svg",
    "item_reference",
    "only_system_items",
    "previous_response_id",
    "prompt_template",
    "tool_choice_required_without_tools",
    "unknown_item",
}
ONLY_OPENAI_KNOWS = {"unknown_top_level_field", "unknown_content_part", "sampling_and_limits"}


def test_a_whole_request_is_one_that_openai_takes() -> None:
    encoded = encode_request(REQUEST, GPT)
    accept(encoded.body)
    assert encoded.losses == ()
    assert encoded.body["model"] == GPT.id
    assert encoded.body["instructions"] == "one\n\ntwo"
    assert [item["type"] for item in encoded.body["input"]] == [
        "message",
        "reasoning",
        "message",
        "function_call",
        "custom_tool_call",
        "function_call_output",
        "custom_tool_call_output",
        "message",
        "message",
        "message",
    ]
    assert encoded.body["store"] is False
    assert encoded.body["include"] == ["reasoning.encrypted_content"]
    assert encoded.body["parallel_tool_calls"] is False
    (short,) = encoded.names.original
    assert encoded.names.original[short] == LONG
    assert encoded.body["tools"][0]["name"] == encoded.body["input"][3]["name"] == short
    assert encoded.names.custom == frozenset()


def test_case_21_the_same_history_gives_the_same_prefix() -> None:
    before = encode_request(asked(*HISTORY[:3], system=REQUEST.system, tools=REQUEST.tools), GPT).body
    after = encode_request(REQUEST, GPT).body
    assert json.dumps(after["input"]).startswith(json.dumps(before["input"])[:-1])
    assert json.dumps(after["tools"]) == json.dumps(before["tools"])


def test_case_10_calls_and_results_that_lost_each_other() -> None:
    turns = (
        Turn("assistant", (ToolCall("a", "look", "{}"),), "messages.0"),
        Turn("user", (ToolResult("b", (Text("x"),)),), "messages.1"),
    )
    encoded = encode_request(asked(*turns), GPT)
    accept(encoded.body)
    assert [loss.label for loss in encoded.losses] == ["messages.1(repaired)", "messages.0(repaired)"]
    assert encoded.body["input"][1]["output"] == "[tool error] [no result]"


def test_without_tools_there_is_no_choice() -> None:
    body = encode_request(
        asked(HISTORY[0], tool_choice=ToolChoice("auto"), params=Params(parallel_tool_calls=False)), GPT
    ).body
    assert not body.keys() & {"tools", "tool_choice", "parallel_tool_calls"}


@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("tool", "look")])
def test_a_tool_that_must_be_called_must_be_there(choice: ToolChoice) -> None:
    with pytest.raises(RequestError) as raised:
        encode_request(asked(HISTORY[0], tool_choice=choice), GPT)
    assert raised.value.path == "tool_choice"


def test_only_system_text_is_no_request() -> None:
    with pytest.raises(RequestError) as raised:
        encode_request(asked(system=(Text("be"),)), GPT)
    assert raised.value.path == "messages"


def test_what_others_said_in_fields_of_their_own_is_lost() -> None:
    encoded = encode_request(asked(HISTORY[0], wire="chat", others={"seed": 1, "logit_bias": {}}), GPT)
    assert [loss.label for loss in encoded.losses] == ["seed", "logit_bias"]
    assert "seed" not in encoded.body


def test_what_responses_clients_said_goes_back_to_its_place() -> None:
    others = {"truncation": "auto", "reasoning.mode": "pro", "a.b": 1}
    encoded = encode_request(asked(HISTORY[0], wire="responses", others=others), GPT)
    assert encoded.losses == ()
    assert encoded.body["truncation"] == "auto"
    assert encoded.body["reasoning"] == {"mode": "pro"}
    assert encoded.body["a.b"] == 1


@pytest.mark.parametrize("path", named(REQUESTS))
def test_golden_requests_are_taken_or_refused(path: Path) -> None:
    body = json.loads(path.read_text())
    try:
        encoded = encode_request(decode_request(body).request, GPT)
    except RequestError:
        assert path.stem in REFUSED
        return
    assert path.stem not in REFUSED
    if path.stem not in ONLY_OPENAI_KNOWS:
        accept(encoded.body)


@pytest.mark.parametrize("path", named(REQUESTS))
def test_encoding_is_settled_after_one_round(path: Path) -> None:
    """What we wrote reads as what it was written from."""
    try:
        once = encode_request(decode_request(json.loads(path.read_text())).request, GPT).body
    except RequestError:
        return
    assert encode_request(decode_request(once).request, GPT).body == once
