import pytest

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.request import AnyTool, HostedTool, Tool, ToolChoice, WebSearch
from ccproxy.formats.names import Renamer
from ccproxy.formats.responses.encode_tools import encode_choice, encode_tools, object_schema

EMPTY = {"type": "object", "properties": {}}


def one(tool: AnyTool) -> JsonObject:
    (value,), _ = encode_tools([tool], Renamer(64))
    return value


def test_a_function_is_flat_and_not_strict_unless_it_says_so() -> None:
    assert one(Tool("look", "Looks.", EMPTY)) == {
        "type": "function",
        "name": "look",
        "description": "Looks.",
        "parameters": EMPTY,
        "strict": False,
    }
    assert one(Tool("look", strict=True))["strict"] is True


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        (None, EMPTY),
        ({}, EMPTY),
        ({"properties": {"a": {}}}, {"type": "object", "properties": {"a": {}}}),
        ({"$schema": "x", "type": "object"}, EMPTY),
    ],
)
def test_schemas_are_those_of_objects(schema: JsonObject | None, wanted: JsonObject) -> None:
    assert object_schema(schema, "p") == wanted


def test_another_schema_is_refused() -> None:
    with pytest.raises(RequestError) as raised:
        one(Tool("look", schema={"type": "array"}, path="tools.0"))
    assert raised.value.path == "tools.0"


def test_custom_tools_stay_custom() -> None:
    assert one(Tool("patch", "Patches.", custom=True, grammar="start: x", syntax="regex")) == {
        "type": "custom",
        "name": "patch",
        "description": "Patches.",
        "format": {"type": "grammar", "syntax": "regex", "definition": "start: x"},
    }
    assert one(Tool("patch", custom=True)) == {"type": "custom", "name": "patch"}


def test_case_41_a_web_search() -> None:
    search = WebSearch(("a.com",), ("b.com",), 3, {"type": "approximate", "city": "Oslo"}, "tools.0")
    (value,), losses = encode_tools([search], Renamer(64))
    assert value == {
        "type": "web_search",
        "filters": {"allowed_domains": ["a.com"]},
        "user_location": {"type": "approximate", "city": "Oslo"},
    }
    assert [loss.path for loss in losses] == ["tools.0.blocked_domains", "tools.0.max_uses"]


def test_hosted_tools_go_to_their_own_provider_only() -> None:
    mine = {"type": "image_generation"}
    tools = [HostedTool("responses", mine), HostedTool("anthropic", {"type": "web_fetch_1"}, "tools.1")]
    values, losses = encode_tools(tools, Renamer(64))
    assert values == [mine]
    assert [loss.path for loss in losses] == ["tools.1"]


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        (ToolChoice("auto"), "auto"),
        (ToolChoice("none"), "none"),
        (ToolChoice("required"), "required"),
        (ToolChoice("tool", "look"), {"type": "function", "name": "look"}),
        (ToolChoice("tool", "patch"), {"type": "custom", "name": "patch"}),
        (ToolChoice("tool", "web_search"), {"type": "web_search"}),
        (
            ToolChoice("required", allowed=("look", "patch")),
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "look"}, {"type": "custom", "name": "patch"}],
            },
        ),
    ],
)
def test_the_choice(choice: ToolChoice, wanted: object) -> None:
    tools: list[AnyTool] = [Tool("look"), Tool("patch", custom=True), WebSearch()]
    assert encode_choice(choice, tools, Renamer(64)) == wanted


def test_a_choice_uses_the_name_on_the_wire() -> None:
    tool = Tool("n" * 90)
    names = Renamer(64)
    (value,), _ = encode_tools([tool], names)
    choice = encode_choice(ToolChoice("tool", tool.name), [tool], names)
    assert choice == {"type": "function", "name": value["name"]}


def test_a_hosted_tool_of_others_cannot_be_forced() -> None:
    tool = HostedTool("anthropic", {"type": "web_fetch_1", "name": "web_fetch"})
    with pytest.raises(RequestError):
        encode_choice(ToolChoice("tool", "web_fetch"), [tool], Renamer(64))
