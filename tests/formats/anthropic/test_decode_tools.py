import pytest

from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.request import AnyTool, HostedTool, Tool, ToolChoice, WebSearch
from ccproxy.formats.anthropic.decode_tools import tool_choice, tools

SCHEMA: JsonObject = {"type": "object", "properties": {"a": {"type": "integer"}}}


def one(**tool: object) -> AnyTool:
    (found,) = tools([tool], [])
    return found


def test_no_tools() -> None:
    assert tools(None, []) == ()
    assert tools([], []) == ()


@pytest.mark.parametrize("kind", [{}, {"type": None}, {"type": "custom"}])
def test_a_tool_of_the_client(kind: JsonObject) -> None:
    tool = one(name="add", description="Adds.", input_schema=SCHEMA, strict=True, **kind)
    assert tool == Tool("add", "Adds.", SCHEMA, True, path="tools.0")


def test_case_28_hints_on_tools_go_without_a_word() -> None:
    losses: list[Loss] = []
    hints = {"defer_loading": True, "cache_control": {}, "allowed_callers": ["direct"], "input_examples": []}
    (tool,) = tools([{"name": "add", "input_schema": SCHEMA, **hints}], losses)
    assert tool == Tool("add", None, SCHEMA, path="tools.0")
    assert losses == []


def test_an_unknown_field_is_a_loss() -> None:
    losses: list[Loss] = []
    tools([{"name": "add", "colour": "red"}], losses)
    assert [loss.label for loss in losses] == ["tools.0.colour"]


@pytest.mark.parametrize(
    ("kind", "name", "field"),
    [
        ("bash_20250124", "bash", "restart"),
        ("text_editor_20250124", "str_replace_editor", "view_range"),
        ("text_editor_20250728", "str_replace_based_edit_tool", "insert_line"),
        ("memory_20250818", "memory", "old_path"),
    ],
)
def test_tools_with_a_fixed_schema_are_spelled_out(kind: str, name: str, field: str) -> None:
    tool = one(type=kind, name=name)
    assert isinstance(tool, Tool)
    assert tool.name == name
    assert tool.schema is not None
    assert field in tool.schema["properties"]
    assert tool.description


def test_web_search() -> None:
    location = {"type": "approximate", "city": "Bern"}
    tool = one(
        type="web_search_20250305",
        name="web_search",
        max_uses=3,
        allowed_domains=["a.org"],
        user_location=location,
    )
    assert tool == WebSearch(("a.org",), (), 3, location, "tools.0")


def test_searching_for_tools_is_needless() -> None:
    losses: list[Loss] = []
    assert tools([{"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}], losses) == ()
    assert [loss.label for loss in losses] == ["tools.0"]


@pytest.mark.parametrize("kind", ["web_fetch_20250910", "code_execution_20250825", "mcp_toolset", "new_1"])
def test_other_tools_of_the_provider_are_kept_as_they_came(kind: str) -> None:
    assert one(type=kind, name="n") == HostedTool("anthropic", {"type": kind, "name": "n"}, "tools.0")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({}, "tools"),
        ([1], "tools.0"),
        ([{}], "tools.0.name"),
        ([{"name": ""}], "tools.0.name"),
        ([{"name": "a"}, {"name": "b", "input_schema": []}], "tools.1.input_schema"),
        ([{"name": "a", "strict": "yes"}], "tools.0.strict"),
        ([{"type": 3}], "tools.0.type"),
        ([{"type": "computer_20250124", "name": "computer"}], "tools.0.type"),
        ([{"type": "browser_toolset_20260801"}], "tools.0.type"),
        ([{"type": "web_search_20250305", "allowed_domains": "a"}], "tools.0.allowed_domains"),
    ],
)
def test_errors_name_the_field(value: object, path: str) -> None:
    with pytest.raises(RequestError) as caught:
        tools(value, [])
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("value", "choice", "parallel"),
    [
        (None, None, None),
        ({"type": "auto"}, ToolChoice("auto"), None),
        ({"type": "any", "disable_parallel_tool_use": True}, ToolChoice("required"), False),
        ({"type": "auto", "disable_parallel_tool_use": False}, ToolChoice("auto"), True),
        ({"type": "none"}, ToolChoice("none"), None),
        ({"type": "tool", "name": "add"}, ToolChoice("tool", "add"), None),
    ],
)
def test_tool_choice(value: object, choice: ToolChoice | None, parallel: bool | None) -> None:
    assert tool_choice(value) == (choice, parallel)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("auto", "tool_choice"),
        ({}, "tool_choice.type"),
        ({"type": "some"}, "tool_choice.type"),
        ({"type": "tool"}, "tool_choice.name"),
        ({"type": "auto", "disable_parallel_tool_use": 1}, "tool_choice.disable_parallel_tool_use"),
    ],
)
def test_errors_of_the_choice_name_the_field(value: object, path: str) -> None:
    with pytest.raises(RequestError) as caught:
        tool_choice(value)
    assert caught.value.path == path
