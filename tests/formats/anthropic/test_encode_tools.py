from typing import Any

import pytest

from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject, ToolCall
from ccproxy.conversation.request import (
    AnyTool,
    HostedTool,
    Params,
    Request,
    Tool,
    ToolChoice,
    Turn,
    WebSearch,
)
from ccproxy.formats.anthropic.encode_tools import renamer, tool_choice, tools, tools_of_history
from tests.formats.anthropic.judges import OPUS_5, asked

EMPTY = {"type": "object", "properties": {}}
ADD, SUB = Tool("add", path="tools.0"), Tool("sub", path="tools.1")


def written(request: Request) -> tuple[list[JsonObject], list[str]]:
    losses: list[Loss] = []
    return tools(request, OPUS_5, renamer(request), losses), [loss.label for loss in losses]


def of(*given: AnyTool, **fields: Any) -> tuple[list[JsonObject], list[str]]:
    return written(asked(tools=given, **fields))


def choice_of(request: Request, *names: str) -> JsonObject | None:
    return tool_choice(request, [{"name": name} for name in names], renamer(request))


def test_case_15_a_tool_without_a_schema_takes_an_empty_object() -> None:
    assert of(ADD) == ([{"name": "add", "input_schema": EMPTY}], [])
    assert of(Tool("add", schema={})) == ([{"name": "add", "input_schema": EMPTY}], [])


def test_strict_is_kept_where_it_was_said() -> None:
    (tool,), _ = of(Tool("add", "Adds.", {"type": "object", "properties": {}}, strict=True))
    assert tool["strict"] is True
    assert tool["input_schema"]["additionalProperties"] is False
    assert "strict" not in of(Tool("add", strict=False))[0][0]


def test_web_search() -> None:
    location = {"type": "approximate", "city": "Bern"}
    tool = WebSearch(("a.org",), ("b.org",), 3, location, "tools.0")
    expected = {
        "type": "web_search_20250305",
        "name": "web_search",
        "max_uses": 3,
        "allowed_domains": ["a.org"],
        "user_location": location,
    }
    assert of(tool) == ([expected], ["tools.0.blocked_domains"])
    (blocked,), _ = of(WebSearch(blocked_domains=("b.org",)))
    assert blocked["blocked_domains"] == ["b.org"]
    assert of(WebSearch(path="tools.0", others=("search_context_size",)))[1] == [
        "tools.0.search_context_size"
    ]


def test_tools_that_other_providers_run() -> None:
    hosted = HostedTool("responses", {"type": "file_search"}, "tools.1")
    assert of(ADD, hosted) == ([{"name": "add", "input_schema": EMPTY}], ["tools.1"])
    own = HostedTool("anthropic", {"type": "code_execution_20250825", "name": "code_execution"})
    assert of(own) == ([own.value], [])
    with pytest.raises(RequestError) as caught:
        of(ADD, hosted, tool_choice=ToolChoice("tool", "file_search"))
    assert caught.value.path == "tool_choice"


def test_each_name_once() -> None:
    assert of(ADD, Tool("add", "Again.", path="tools.1")) == (
        [{"name": "add", "input_schema": EMPTY}],
        ["tools.1"],
    )


def test_allowed_tools_are_the_only_ones() -> None:
    found, losses = of(ADD, SUB, tool_choice=ToolChoice("auto", allowed=("sub",)))
    assert [tool["name"] for tool in found] == ["sub"]
    assert losses == []


def test_tools_of_a_history() -> None:
    call, custom = ToolCall("c", "a.b", "{}"), ToolCall("d", "patch", "x", custom=True)
    request = asked(Turn("assistant", (call, call, custom)))
    names = renamer(request)
    assert tools_of_history(request, names) == [
        {"name": "a_b", "input_schema": EMPTY},
        {"name": "patch", "input_schema": EMPTY},
    ]
    assert names.names().custom == {"patch"}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        (ToolChoice("auto"), {"type": "auto"}),
        (ToolChoice("none"), {"type": "none"}),
        (ToolChoice("required"), {"type": "any"}),
        (ToolChoice("tool", "add"), {"type": "tool", "name": "add"}),
    ],
)
def test_tool_choice(choice: ToolChoice | None, expected: JsonObject | None) -> None:
    assert choice_of(asked(tools=(ADD,), tool_choice=choice), "add") == expected


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice("required"), {"type": "any", "disable_parallel_tool_use": True}),
        (ToolChoice("none"), {"type": "none"}),
    ],
)
def test_one_call_at_a_time(choice: ToolChoice | None, expected: JsonObject) -> None:
    request = asked(tools=(ADD,), tool_choice=choice, params=Params(parallel_tool_calls=False))
    assert choice_of(request, "add") == expected


def test_without_tools_nothing_is_said() -> None:
    request = asked(tool_choice=ToolChoice("auto"), params=Params(parallel_tool_calls=False))
    assert choice_of(request) is None


@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("tool", "add")])
def test_case_30_a_call_of_nothing_is_an_error(choice: ToolChoice) -> None:
    with pytest.raises(RequestError) as caught:
        choice_of(asked(tool_choice=choice))
    assert caught.value.path == "tool_choice"


def test_a_call_of_a_tool_that_is_not_there_is_an_error() -> None:
    with pytest.raises(RequestError) as caught:
        choice_of(asked(tools=(SUB,), tool_choice=ToolChoice("tool", "add")), "sub")
    assert caught.value.path == "tool_choice"
