from typing import Any

import pytest

from ccproxy.simulator.openai.catalogue import find
from ccproxy.simulator.openai.chat_request import ChatRequest
from ccproxy.simulator.openai.chat_rules import check
from ccproxy.simulator.openai.checking import validate
from ccproxy.simulator.openai.errors import ApiError

USER = {"role": "user", "content": "hello"}
LS = {"type": "function", "function": {"name": "ls", "parameters": {"type": "object", "properties": {}}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "ls", "arguments": "{}"}}
CALLS = {"role": "assistant", "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "a b c"}
OPEN_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def run(model: str, **body: Any) -> None:
    request = validate(ChatRequest, {"model": model, "messages": [USER]} | body)
    check(request, find(model))


def refusal(model: str, **body: Any) -> ApiError:
    with pytest.raises(ApiError) as raised:
        run(model, **body)
    assert raised.value.status == 400
    return raised.value


@pytest.mark.parametrize(
    "body",
    [
        {"max_completion_tokens": 100, "temperature": 1, "top_p": 1, "reasoning_effort": "low"},
        {"stream": True, "stream_options": {"include_usage": True, "include_obfuscation": False}},
        {"tools": [LS], "tool_choice": {"type": "function", "function": {"name": "ls"}}},
        {"tools": [LS], "messages": [USER, CALLS, RESULT]},
        {"tools": [LS], "messages": [USER, CALLS, RESULT, {"role": "system", "content": "now"}, USER]},
        {"functions": [{"name": "ls"}], "function_call": "auto"},
        {
            "response_format": {"type": "json_object"},
            "messages": [{"role": "user", "content": "JSON please"}],
        },
        {"messages": [{"role": "assistant", "content": None, "refusal": "no"}, USER]},
    ],
)
def test_what_a_reasoning_model_takes(body: dict[str, Any]) -> None:
    run("gpt-5", **body)


def test_what_a_sampling_model_takes() -> None:
    run("gpt-4o", temperature=0.2, top_p=0.5, stop="END", logprobs=True, top_logprobs=2, max_tokens=5, n=3)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"max_tokens": 5}, "unsupported_parameter"),
        ({"stop": "END"}, "unsupported_parameter"),
        ({"logprobs": True}, "unsupported_parameter"),
        ({"logit_bias": {"1": 1}}, "unsupported_parameter"),
        ({"temperature": 0.5}, "unsupported_value"),
        ({"top_p": 0.5}, "unsupported_value"),
        ({"presence_penalty": 0.5}, "unsupported_value"),
        ({"frequency_penalty": 0.5}, "unsupported_value"),
        ({"reasoning_effort": "xhigh"}, "unsupported_value"),
    ],
)
def test_what_a_reasoning_model_refuses(body: dict[str, Any], code: str) -> None:
    error = refusal("gpt-5", **body)

    assert (error.param, error.code) == (next(iter(body)), code)


def test_without_reasoning_sampling_works() -> None:
    run("gpt-5.4", reasoning_effort="none", temperature=0.5, stop="END", max_tokens=5)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"max_tokens": 5, "max_completion_tokens": 5}, "max_tokens"),
        ({"max_tokens": 16385}, "max_tokens"),
        ({"modalities": ["text", "audio"], "audio": {"format": "wav", "voice": "alloy"}}, "modalities"),
        ({"reasoning_effort": "low"}, "reasoning_effort"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"parallel_tool_calls": False}, "parallel_tool_calls"),
        ({"tools": [LS], "functions": [{"name": "ls"}]}, "functions"),
        ({"tools": [LS], "tool_choice": {"type": "function", "function": {"name": "rm"}}}, "tool_choice"),
        (
            {
                "tools": [LS],
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {
                        "mode": "auto",
                        "tools": [{"type": "function", "function": {"name": "rm"}}],
                    },
                },
            },
            "tool_choice",
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "string"}}}]},
            "tools[0].function.parameters",
        ),
        (
            {
                "tools": [
                    {"type": "function", "function": {"name": "f", "parameters": OPEN_SCHEMA, "strict": True}}
                ]
            },
            "tools[0].function.parameters",
        ),
        ({"response_format": {"type": "json_object"}}, "messages"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "a"}}},
            "response_format.json_schema.schema",
        ),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "a", "schema": OPEN_SCHEMA, "strict": True},
                }
            },
            "response_format",
        ),
        ({"messages": [{"role": "assistant", "content": None}]}, "messages[0].content"),
        ({"messages": [USER, RESULT]}, "messages[1].role"),
        ({"messages": [USER, CALLS]}, "messages"),
        ({"messages": [USER, CALLS, USER]}, "messages[1].role"),
        ({"messages": [USER, CALLS, USER, RESULT]}, "messages[1].role"),
        ({"messages": [USER, CALLS, RESULT | {"tool_call_id": "call_2"}]}, "messages[2].tool_call_id"),
        ({"messages": [USER, CALLS, RESULT, RESULT]}, "messages[3].tool_call_id"),
        (
            {
                "messages": [
                    USER,
                    {
                        "role": "assistant",
                        "tool_calls": [CALL | {"function": {"name": "a b", "arguments": "{}"}}],
                    },
                    RESULT,
                ]
            },
            "messages[1].tool_calls[0].function.name",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "messages[0].content[0].image_url.url",
        ),
    ],
)
def test_what_every_model_refuses(body: dict[str, Any], param: str) -> None:
    assert refusal("gpt-4o", **body).param == param


def test_wordings_that_clients_match_on() -> None:
    assert (
        "must contain the word 'json'" in refusal("gpt-4o", response_format={"type": "json_object"}).message
    )
    unanswered = refusal("gpt-4o", messages=[USER, CALLS]).message
    assert "must be followed by tool messages" in unanswered
    assert "call_1" in unanswered
    assert "Use 'max_completion_tokens' instead." in refusal("gpt-5", max_tokens=5).message
