import pytest

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.request import AnyTool, HostedTool, Params, Request, Tool, ToolChoice, WebSearch
from ccproxy.formats.chat.encode_tools import encode_tools, object_schema
from ccproxy.formats.names import Renamer

LOOK = Tool("look", "Looks.", {"$schema": "x", "type": "object", "properties": {"a": {}}}, path="tools.0")


def encode(*tools: AnyTool, choice: ToolChoice | None = None, parallel: bool | None = None) -> JsonObject:
    params = Params(parallel_tool_calls=parallel)
    return encode_tools(Request("anthropic", "m", (), (), tools, choice, params), Renamer(64))[0]


def test_a_function() -> None:
    assert encode(LOOK, choice=ToolChoice("tool", "look"), parallel=False) == {
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "look",
                    "description": "Looks.",
                    "parameters": {"type": "object", "properties": {"a": {}}},
                },
            }
        ],
        "tool_choice": {"type": "function", "function": {"name": "look"}},
        "parallel_tool_calls": False,
    }


def test_strict_only_where_it_was_asked_for() -> None:
    (tool,) = encode(Tool("a", strict=True))["tools"]
    assert tool["function"] == {"name": "a", "strict": True}
    (tool,) = encode(Tool("a", strict=False))["tools"]
    assert tool["function"] == {"name": "a"}


@pytest.mark.parametrize("mode", ["auto", "none", "required"])
def test_choices(mode: str) -> None:
    assert encode(LOOK, choice=ToolChoice(mode))["tool_choice"] == mode  # type: ignore[arg-type]


def test_allowed_tools() -> None:
    choice = ToolChoice("required", allowed=("look",))
    assert encode(LOOK, choice=choice)["tool_choice"] == {
        "type": "allowed_tools",
        "allowed_tools": {
            "mode": "required",
            "tools": [{"type": "function", "function": {"name": "look"}}],
        },
    }


def test_case_09_long_names_are_shortened_everywhere_alike() -> None:
    name = "mcp__" + "x" * 80
    renamer = Renamer(64)
    request = Request("anthropic", "m", (), (), (Tool(name),), ToolChoice("tool", name))
    fields, _ = encode_tools(request, renamer)
    short = fields["tools"][0]["function"]["name"]
    assert len(short) == 64
    assert fields["tool_choice"]["function"]["name"] == short
    assert renamer.names().original == {short: name}


def test_a_custom_tool_is_a_function_with_one_input() -> None:
    renamer = Renamer(64)
    tool = Tool("patch", "Patches.", custom=True, grammar="start: X", syntax="lark", path="tools.0")
    fields, losses = encode_tools(Request("responses", "m", (), (), (tool,)), renamer)
    function = fields["tools"][0]["function"]
    assert function["parameters"]["required"] == ["input"]
    assert function["description"] == "Patches.\n\nThe input must match this lark grammar:\nstart: X"
    assert renamer.names().custom == {"patch"}
    assert [loss.label for loss in losses] == ["tools.0(grammar)"]


def test_case_41_tools_of_another_provider_are_a_loss() -> None:
    fields, losses = encode_tools(
        Request("responses", "m", (), (), (WebSearch(path="tools.0"), LOOK), ToolChoice("auto")), Renamer(64)
    )
    assert len(fields["tools"]) == 1
    assert [loss.path for loss in losses] == ["tools.0"]


@pytest.mark.parametrize(
    ("tools", "choice"),
    [
        ((WebSearch(path="tools.0"),), ToolChoice("required")),
        ((HostedTool("responses", {"type": "mcp"}, "tools.0"), LOOK), ToolChoice("tool", "mcp")),
    ],
)
def test_a_tool_that_is_asked_for_must_not_be_left_out(
    tools: tuple[AnyTool, ...], choice: ToolChoice
) -> None:
    with pytest.raises(RequestError) as caught:
        encode(*tools, choice=choice)
    assert caught.value.path == "tools.0"


def test_without_tools_there_is_no_choice() -> None:
    assert encode(choice=ToolChoice("none"), parallel=False) == {}
    assert encode(WebSearch(path="tools.0"), choice=ToolChoice("auto")) == {}


@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("tool", "look")])
def test_a_tool_is_asked_for_and_there_is_none(choice: ToolChoice) -> None:
    with pytest.raises(RequestError) as caught:
        encode(choice=choice)
    assert caught.value.path == "tool_choice"


def test_schemas() -> None:
    assert object_schema({}, "p") == {"type": "object", "properties": {}}
    with pytest.raises(RequestError):
        object_schema({"type": "array"}, "p")
