from typing import Any

import pytest

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.request import HostedTool, Tool, ToolChoice
from ccproxy.formats.chat.decode_tools import decode_choice, decode_tools

LOOK = {"type": "function", "function": {"name": "look"}}


def test_tools() -> None:
    schema = {"type": "object", "properties": {}}
    grammar = {"definition": "start: /x/", "syntax": "lark"}
    function = {"name": "find", "description": "d", "parameters": schema, "strict": True}
    tools = [
        LOOK,
        {"function": function},
        {"type": "custom", "custom": {"name": "say"}},
        {"type": "custom", "custom": {"name": "patch", "format": {"type": "grammar", "grammar": grammar}}},
        {"type": "web_search_preview"},
    ]
    assert decode_tools({"tools": tools}) == (
        Tool("look", path="tools.0"),
        Tool("find", "d", schema, True, path="tools.1"),
        Tool("say", custom=True, path="tools.2"),
        Tool("patch", custom=True, grammar="start: /x/", syntax="lark", path="tools.3"),
        HostedTool("chat", {"type": "web_search_preview"}, "tools.4"),
    )


def test_deprecated_functions() -> None:
    body = {"functions": [{"name": "look", "parameters": {}}], "function_call": {"name": "look"}}
    tools = decode_tools(body)
    assert tools == (Tool("look", schema={}, path="functions.0"),)
    assert decode_choice(body, tools) == ToolChoice("tool", "look")


@pytest.mark.parametrize(
    ("choice", "decoded"),
    [
        (None, None),
        ("none", ToolChoice("none")),
        ("auto", ToolChoice("auto")),
        ("required", ToolChoice("required")),
        ({"type": "function", "function": {"name": "look"}}, ToolChoice("tool", "look")),
        ({"type": "custom", "custom": {"name": "say"}}, ToolChoice("tool", "say")),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [LOOK, {"type": "custom", "custom": {"name": "say"}}],
                },
            },
            ToolChoice("required", allowed=("look", "say")),
        ),
    ],
)
def test_choices(choice: object, decoded: ToolChoice | None) -> None:
    assert decode_choice({"tool_choice": choice}, (Tool("look"),)) == decoded


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "look"}}])
def test_no_call_can_be_asked_for_without_tools(choice: object) -> None:
    with pytest.raises(RequestError) as caught:
        decode_choice({"tool_choice": choice}, ())
    assert caught.value.path == "tool_choice"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"tools": {}}, "tools"),
        ({"tools": [None]}, "tools.0"),
        ({"tools": [{}]}, "tools.0.type"),
        ({"tools": [{"type": "function"}]}, "tools.0.function"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools.0.function.name"),
        ({"tools": [{"type": "function", "function": {"name": ""}}]}, "tools.0.function.name"),
        (
            {"tools": [{"type": "function", "function": {"name": "a", "parameters": []}}]},
            "tools.0.function.parameters",
        ),
        ({"tools": [{"type": "custom", "custom": {"name": "a", "format": 1}}]}, "tools.0.custom.format"),
        ({"functions": ["f"]}, "functions.0"),
        ({"tool_choice": "any"}, "tool_choice"),
        ({"tool_choice": 5}, "tool_choice"),
        ({"tool_choice": {"type": "any"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "function"}}, "tool_choice.function"),
        ({"tool_choice": {"type": "allowed_tools", "allowed_tools": {}}}, "tool_choice.allowed_tools.mode"),
        (
            {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{}]}}},
            "tool_choice.allowed_tools.tools.0.function",
        ),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], path: str) -> None:
    with pytest.raises(RequestError) as caught:
        decode_choice(body, decode_tools(body))
    assert caught.value.path == path
