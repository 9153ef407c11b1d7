"""What Claude Code cannot be asked, in the words of each client's format."""

from typing import Any

import pytest

from ccproxy.agent.limits import losses
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.translation import CODECS

BASE: dict[Wire, JsonObject] = {
    "anthropic": {"model": "m", "max_tokens": 99, "messages": [{"role": "user", "content": "x"}]},
    "chat": {"model": "m", "messages": [{"role": "user", "content": "x"}]},
    "responses": {"model": "m", "input": "x"},
}
FUNCTION = {"name": "f", "parameters": {"type": "object"}}
SCHEMA = {"type": "json_schema", "name": "s", "schema": {"type": "object"}}


def lost(wire: Wire, **fields: Any) -> list[str]:
    """The paths of what is lost of a request with these fields."""
    request = CODECS[wire].decode_request({**BASE[wire], **fields}).request
    found = losses(request)
    assert all(loss.why for loss in found)
    return [loss.path for loss in found]


@pytest.mark.parametrize("wire", BASE)
def test_a_plain_request_is_carried_whole(wire: Wire) -> None:
    assert lost(wire) == []


@pytest.mark.parametrize(
    ("wire", "fields"),
    [
        ("anthropic", {"system": "Be brief.", "output_config": {"effort": "high"}}),
        ("anthropic", {"thinking": {"type": "adaptive"}, "tool_choice": {"type": "auto"}}),
        (
            "anthropic",
            {"tools": [{"name": "f", "input_schema": {"type": "object"}}], "metadata": {"user_id": "u"}},
        ),
        ("anthropic", {"diagnostics": {"previous_message_id": None}, "metadata": {"session_id": "s"}}),
        ("anthropic", {"temperature": 1, "top_p": 1.0}),
        ("chat", {"reasoning_effort": "high", "tools": [{"type": "function", "function": FUNCTION}]}),
        ("chat", {"tool_choice": "none", "parallel_tool_calls": True, "service_tier": "auto"}),
        ("responses", {"reasoning": {"effort": "low"}, "instructions": "Be brief.", "store": False}),
    ],
)
def test_what_is_carried_is_no_loss(wire: Wire, fields: Any) -> None:
    assert lost(wire, **fields) == []


@pytest.mark.parametrize(
    ("wire", "fields", "path"),
    [
        ("anthropic", {"temperature": 0.5}, "temperature"),
        ("anthropic", {"top_p": 0.5}, "top_p"),
        ("anthropic", {"top_k": 5}, "top_k"),
        ("anthropic", {"stop_sequences": ["x"]}, "stop_sequences"),
        ("anthropic", {"thinking": {"type": "enabled", "budget_tokens": 2000}}, "thinking.budget_tokens"),
        ("anthropic", {"thinking": {"type": "disabled"}}, "thinking"),
        (
            "anthropic",
            {"output_config": {"format": {"type": "json_schema", "schema": {}}}},
            "output_config.format",
        ),
        ("anthropic", {"service_tier": "standard_only"}, "service_tier"),
        ("anthropic", {"speed": "fast"}, "speed"),
        ("anthropic", {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools.0"),
        ("anthropic", {"tools": [{"type": "code_execution_20250825", "name": "c"}]}, "tools.0"),
        ("anthropic", {"inference_geo": "us"}, "inference_geo"),
        ("anthropic", {"mcp_servers": [{"type": "url", "url": "https://a.test"}]}, "mcp_servers"),
        ("chat", {"temperature": 0.5}, "temperature"),
        ("chat", {"max_completion_tokens": 9}, "max_completion_tokens"),
        ("chat", {"max_tokens": 9}, "max_completion_tokens"),
        ("chat", {"stop": "x"}, "stop"),
        ("chat", {"reasoning_effort": "none"}, "reasoning_effort"),
        ("chat", {"response_format": {"type": "json_object"}}, "response_format"),
        ("chat", {"service_tier": "flex"}, "service_tier"),
        ("responses", {"max_output_tokens": 16}, "max_output_tokens"),
        ("responses", {"text": {"format": SCHEMA}}, "text.format"),
        ("responses", {"reasoning": {"effort": "none"}}, "reasoning.effort"),
        ("responses", {"tools": [{"type": "web_search"}]}, "tools.0"),
    ],
)
def test_what_is_not_carried_is_named_as_the_client_names_it(wire: Wire, fields: Any, path: str) -> None:
    assert lost(wire, **fields) == [path]


@pytest.mark.parametrize(
    ("wire", "tool", "choice"),
    [
        ("anthropic", {"name": "f", "input_schema": {"type": "object"}}, {"type": "any"}),
        ("anthropic", {"name": "f", "input_schema": {"type": "object"}}, {"type": "tool", "name": "f"}),
        ("chat", {"type": "function", "function": FUNCTION}, "required"),
        ("responses", {"type": "function", **FUNCTION}, {"type": "function", "name": "f"}),
        (
            "responses",
            {"type": "function", **FUNCTION},
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
        ),
    ],
)
def test_nobody_tells_claude_code_which_tool_to_call(wire: Wire, tool: Any, choice: Any) -> None:
    assert lost(wire, tools=[tool], tool_choice=choice) == ["tool_choice"]


def test_tools_are_called_in_parallel_and_without_strictness() -> None:
    strict = {"type": "function", "function": {**FUNCTION, "strict": True}}
    assert lost("chat", tools=[strict], parallel_tool_calls=False) == [
        "parallel_tool_calls",
        "tools.0.strict",
    ]
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    assert lost("anthropic", tool_choice=choice) == ["tool_choice.disable_parallel_tool_use"]
