import contextlib
import itertools
from typing import Any

import pytest

from ccproxy.simulator.openai import chat_rules, responses_rules
from ccproxy.simulator.openai.catalogue import find
from ccproxy.simulator.openai.chat_request import ChatRequest
from ccproxy.simulator.openai.checking import read_object, validate
from ccproxy.simulator.openai.errors import ApiError
from ccproxy.simulator.openai.responses_request import ResponsesRequest

USER = {"role": "user", "content": "hello"}


def refusal(change: dict[str, Any]) -> ApiError:
    with pytest.raises(ApiError) as raised:
        validate(ChatRequest, {"model": "gpt-5", "messages": [USER]} | change)
    assert raised.value.status == 400
    return raised.value


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"foo": 1}, "foo", "unknown_parameter"),
        ({"messages": [USER | {"foo": 1}]}, "messages[0].foo", "unknown_parameter"),
        (
            {"messages": [USER | {"reasoning_content": "x"}]},
            "messages[0].reasoning_content",
            "unknown_parameter",
        ),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "missing_required_parameter"),
        ({"messages": [{"content": "hi"}]}, "messages[0].role", "missing_required_parameter"),
        ({"messages": [{"role": "robot", "content": "hi"}]}, "messages[0].role", "invalid_value"),
        ({"messages": []}, "messages", "empty_array"),
        ({"messages": "hi"}, "messages", "invalid_type"),
        ({"messages": ["hi"]}, "messages[0]", "invalid_type"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", "invalid_type"),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_text", "text": "x"}]}]},
            "messages[0].content[0].type",
            "invalid_value",
        ),
        (
            {"messages": [{"role": "system", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "messages[0].content[0].type",
            "invalid_value",
        ),
        ({"temperature": "hot"}, "temperature", "invalid_type"),
        ({"temperature": 2.5}, "temperature", "decimal_above_max_value"),
        ({"n": 0}, "n", "integer_below_min_value"),
        ({"n": 129}, "n", "integer_above_max_value"),
        ({"stream": "yes"}, "stream", "invalid_type"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "array_above_max_length"),
        ({"service_tier": "gold"}, "service_tier", "invalid_value"),
        ({"metadata": {"key": "v" * 513}}, "metadata.key", "string_above_max_length"),
        ({"tool_choice": "maybe"}, "tool_choice", "invalid_value"),
        ({"tool_choice": {"type": "robot"}}, "tool_choice.type", "invalid_value"),
        (
            {"tools": [{"type": "function", "name": "flat"}]},
            "tools[0].function",
            "missing_required_parameter",
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "not a name"}}]},
            "tools[0].function.name",
            "invalid_value",
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "x" * 65}}]},
            "tools[0].function.name",
            "string_above_max_length",
        ),
        ({"response_format": {"type": "xml"}}, "response_format.type", "invalid_value"),
        (
            {"response_format": {"type": "json_schema", "name": "flat"}},
            "response_format.json_schema",
            "missing_required_parameter",
        ),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], param: str, code: str) -> None:
    error = refusal(change)

    assert (error.param, error.code) == (param, code)
    assert error.kind == "invalid_request_error"


def test_messages_are_those_clients_know() -> None:
    assert refusal({"foo": 1}).message == "Unknown parameter: 'foo'."
    assert refusal({"messages": [{}]}).message == "Missing required parameter: 'messages[0].role'."
    supported = "Supported values are: 'low', 'medium' or 'high'."
    assert refusal({"verbosity": "loud"}).message == f"Invalid value: 'loud'. {supported}"


def test_a_chat_shaped_tool_is_no_responses_tool() -> None:
    tool = {"type": "function", "function": {"name": "ls"}}
    with pytest.raises(ApiError) as raised:
        validate(ResponsesRequest, {"model": "gpt-5", "input": "hi", "tools": [tool]})

    assert raised.value.message == "Missing required parameter: 'tools[0].name'."


VALUES: list[Any] = [
    None,
    0,
    1.5,
    "",
    "x",
    True,
    [],
    {},
    [[]],
    [{}],
    ["x"],
    {"type": "x"},
    {"type": ["x"]},
    [{"type": "function"}],
    [{"role": ["x"]}],
    [{"role": "user", "content": [5]}],
    {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": []}},
    {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": 5}]},
    },
    [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": [1]}, "strict": True}],
    [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "required": 5}}}],
]


def test_whatever_a_field_holds_only_refusals_come() -> None:
    chat = {"model": "gpt-4o", "messages": [USER]}
    responses = {"model": "gpt-5", "input": "hi"}
    refused = 0
    for field, value in itertools.product(ChatRequest.model_fields, VALUES):
        with contextlib.suppress(ApiError):
            chat_rules.check(validate(ChatRequest, chat | {field: value}), find("gpt-4o"))
            continue
        refused += 1
    for field, value in itertools.product(ResponsesRequest.model_fields, VALUES):
        with contextlib.suppress(ApiError):
            responses_rules.check(validate(ResponsesRequest, responses | {field: value}), find("gpt-5"))
            continue
        refused += 1

    assert refused > 1000


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"hi"', b"\xff", b'{"a": NaN}', b'{"a": "\\ud800"}'])
def test_a_body_that_is_no_object(body: bytes) -> None:
    with pytest.raises(ApiError) as raised:
        read_object(body)

    assert raised.value.status == 400
