import pytest

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.request import AnyTool, HostedTool, Tool, ToolChoice, WebSearch
from ccproxy.formats.responses.decode_tools import SEARCHES, decode_choice, decode_tools

FUNCTION = {"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": True}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: /x/"}
SPACE = {
    "type": "namespace",
    "name": "functions",
    "description": "All of them.",
    "tools": [
        {"type": "custom", "name": "exec", "description": "Runs."},
        {"type": "function", "name": "wait"},
    ],
}
TOOLS = decode_tools([FUNCTION, SPACE, {"type": "web_search"}], "tools")


def test_functions_and_custom_tools() -> None:
    tools = decode_tools([FUNCTION, {"type": "custom", "name": "patch", "format": GRAMMAR}], "tools")
    assert tools == (
        Tool("look", schema={"type": "object"}, strict=True, path="tools.0"),
        Tool("patch", custom=True, grammar="start: /x/", syntax="lark", path="tools.1"),
    )


def test_no_tools() -> None:
    assert decode_tools(None, "tools") == decode_tools([], "tools") == ()


def test_a_namespace_is_flattened_and_its_description_is_kept_once() -> None:
    assert decode_tools([SPACE], "tools") == (
        Tool(
            "functions__exec",
            "All of them.\n\nRuns.",
            custom=True,
            namespace="functions",
            path="tools.0.tools.0",
        ),
        Tool("functions__wait", namespace="functions", path="tools.0.tools.1"),
    )


def test_namespaces_do_not_nest() -> None:
    inner, *_ = decode_tools([{"type": "namespace", "name": "outer", "tools": [SPACE]}], "tools")
    assert isinstance(inner, HostedTool)


@pytest.mark.parametrize("kind", SEARCHES)
def test_a_web_search(kind: str) -> None:
    tool = {"type": kind, "filters": {"allowed_domains": ["example.com"]}, "user_location": {"country": "NO"}}
    wanted = WebSearch(("example.com",), user_location={"country": "NO"}, path="tools.0")
    assert decode_tools([tool], "tools") == (wanted,)


def test_options_of_a_web_search_that_nobody_else_has() -> None:
    tool = {"type": "web_search", "external_web_access": True, "search_context_size": None}
    assert decode_tools([tool], "tools") == (WebSearch(path="tools.0"),)
    tool = {"type": "web_search", "external_web_access": False, "search_context_size": "low"}
    others = ("external_web_access", "search_context_size")
    assert decode_tools([tool], "tools") == (WebSearch(path="tools.0", others=others),)


def test_other_tools_of_the_provider_are_kept_as_they_are() -> None:
    tool = {"type": "image_generation", "size": "auto"}
    assert decode_tools([tool], "tools") == (HostedTool("responses", tool, "tools.0"),)


@pytest.mark.parametrize(
    ("tools", "path"),
    [
        ("x", "tools"),
        ([None], "tools.0"),
        ([{}], "tools.0.type"),
        ([{"type": "function"}], "tools.0.name"),
        ([{"type": "function", "name": ""}], "tools.0.name"),
        ([{"type": "function", "name": "x", "parameters": []}], "tools.0.parameters"),
        ([{"type": "custom", "name": "x", "format": {"type": "grammar"}}], "tools.0.format.definition"),
        ([{"type": "namespace", "name": "n", "tools": [{"type": 1}]}], "tools.0.tools.0.type"),
    ],
)
def test_what_is_wrong_is_named(tools: object, path: str) -> None:
    with pytest.raises(RequestError) as raised:
        decode_tools(tools, "tools")
    assert raised.value.path == path


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        (None, None),
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ({"type": "function", "name": "look"}, ToolChoice("tool", "look")),
        ({"type": "function", "name": "wait"}, ToolChoice("tool", "functions__wait")),
        ({"type": "custom", "name": "exec", "namespace": "functions"}, ToolChoice("tool", "functions__exec")),
        ({"type": "function", "name": "unheard_of"}, ToolChoice("tool", "unheard_of")),
        ({"type": "web_search_preview"}, ToolChoice("tool", "web_search")),
        (
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "look"}, {"type": "web_search"}],
            },
            ToolChoice("required", allowed=("look", "web_search")),
        ),
    ],
)
def test_the_choice(choice: object, wanted: ToolChoice | None) -> None:
    assert decode_choice(choice, TOOLS) == wanted


@pytest.mark.parametrize(
    ("choice", "path"),
    [
        ("maybe", "tool_choice"),
        (5, "tool_choice"),
        ({}, "tool_choice.type"),
        ({"type": "function"}, "tool_choice.name"),
        ({"type": "image_generation"}, "tool_choice"),
        ({"type": "allowed_tools", "mode": "often", "tools": []}, "tool_choice.mode"),
        ({"type": "allowed_tools", "mode": "auto", "tools": [7]}, "tool_choice.tools.0"),
    ],
)
def test_a_wrong_choice_is_named(choice: object, path: str) -> None:
    tools: tuple[AnyTool, ...] = TOOLS
    with pytest.raises(RequestError) as raised:
        decode_choice(choice, tools)
    assert raised.value.path == path
