from dataclasses import replace
from typing import Any

import pytest
from openai.types.chat import CompletionCreateParams
from pydantic import TypeAdapter

from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import Reasoning, Text, ToolCall, ToolResult, Wire
from ccproxy.conversation.request import (
    OutputFormat,
    Params,
    Request,
    Thinking,
    Tool,
    ToolChoice,
    Turn,
    WebSearch,
)
from ccproxy.formats.chat import decode_request, encode_request
from tests.formats.chat.judges import GPT_4O, GPT_5, accept

FACTS = ModelFacts("gpt-x", max_tokens=1000, efforts=("low", "high"), reasoning=True, sampling=False)
ACCEPTED = TypeAdapter[Any](CompletionCreateParams)

REQUEST = Request(
    "anthropic",
    "claude-x",
    (
        Turn("user", (Text("hi"),), "messages.0"),
        Turn("assistant", (Reasoning("hm"), Text("ok"), ToolCall("t:1", "look", "{}")), "messages.1"),
        Turn("user", (Text("and?"), ToolResult("t:1", (Text("seen"),))), "messages.2"),
        Turn("system", (Text("be brief"),), "messages.3"),
    ),
    (Text("one"), Text("two")),
    (Tool("look", schema={"type": "object", "properties": {}}),),
    ToolChoice("auto"),
    Params(
        max_tokens=50, stream=True, thinking=Thinking(effort="high"), output=OutputFormat({"type": "object"})
    ),
)


def test_a_whole_request_is_one_that_the_sdk_sends() -> None:
    encoded = encode_request(REQUEST, FACTS)
    ACCEPTED.validate_python(encoded.body)
    assert encoded.losses == ()
    assert encoded.body["model"] == "gpt-x"
    messages = encoded.body["messages"]
    assert [message["role"] for message in messages] == [
        "developer", "user", "assistant", "tool", "user", "developer",
    ]  # fmt: skip
    assert messages[0]["content"] == "one\n\ntwo"
    assert messages[2]["tool_calls"][0]["id"] == messages[3]["tool_call_id"]


@pytest.mark.parametrize("facts", [GPT_5, GPT_4O])
def test_the_upstream_accepts_it(facts: ModelFacts) -> None:
    everything = replace(
        REQUEST,
        tools=(
            *REQUEST.tools,
            Tool("a name with blanks and " + "x" * 60, schema={}),
            Tool("patch", custom=True, grammar="start: X"),
            WebSearch(path="tools.3"),
        ),
        tool_choice=ToolChoice("required", allowed=("look", "patch", "gone")),
        params=replace(
            REQUEST.params,
            max_tokens=10**6,
            temperature=0.3,
            stop=("a", "b", "c", "d", "e"),
            thinking=Thinking("enabled", 2**20),
            parallel_tool_calls=False,
        ),
    )
    for request in (REQUEST, everything):
        accept(encode_request(request, facts).body)


def test_case_21_the_same_history_gives_the_same_bytes() -> None:
    first = encode_request(REQUEST, FACTS).body
    grown = replace(REQUEST, turns=(*REQUEST.turns, Turn("user", (Text("more"),), "messages.4")))
    second = encode_request(grown, FACTS).body
    assert second["messages"][: len(first["messages"])] == first["messages"]
    assert list(second) == list(first)


def test_calls_and_results_are_put_right() -> None:
    turns = (
        Turn("assistant", (ToolCall("a", "f", "{}"),), "messages.0"),
        Turn("user", (Text("x"),), "messages.1"),
    )
    encoded = encode_request(Request("chat", "m", turns), ModelFacts("m"))
    assert [message["role"] for message in encoded.body["messages"]] == ["assistant", "tool", "user"]
    assert encoded.body["messages"][1]["content"] == "[tool error] [no result]"
    assert len(encoded.losses) == 1


@pytest.mark.parametrize(
    ("wire", "path"), [("chat", "messages"), ("anthropic", "messages"), ("responses", "input")]
)
def test_nothing_left_to_send(wire: Wire, path: str) -> None:
    with pytest.raises(RequestError) as caught:
        encode_request(Request(wire, "m", (Turn("assistant", (Reasoning("x"),)),)), ModelFacts("m"))
    assert caught.value.path == path


def test_a_chat_request_comes_out_as_it_went_in() -> None:
    body = {
        "model": "m",
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "hi"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
                ],
            },
            {"role": "tool", "tool_call_id": "c", "content": "r"},
            {"role": "assistant", "content": "done"},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "f", "parameters": {"type": "object", "properties": {}}},
            }
        ],
        "tool_choice": "auto",
        "max_completion_tokens": 5,
        "seed": 7,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    encoded = encode_request(decode_request(body).request, ModelFacts("m"))
    assert encoded.body == body
    assert encoded.losses == ()
