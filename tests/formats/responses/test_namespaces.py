from ccproxy.conversation.request import Tool, WebSearch
from ccproxy.formats.responses.namespaces import Namespaces, flat


def test_a_name_without_a_namespace_is_itself() -> None:
    assert flat(None, "exec") == flat("", "exec") == "exec"


def test_names_go_flat_and_come_back() -> None:
    spaces = Namespaces([Tool(flat("functions", "exec"), namespace="functions"), Tool("plain"), WebSearch()])
    assert spaces.fields("functions__exec") == {"name": "exec", "namespace": "functions"}
    assert spaces.fields("plain") == {"name": "plain"}


def test_a_name_that_only_looks_like_one_stays() -> None:
    assert Namespaces([Tool("mcp__files__read")]).fields("mcp__files__read") == {"name": "mcp__files__read"}


def test_underscores_of_a_namespace_are_its_own() -> None:
    tool = Tool(flat("mcp__files__", "_read"), namespace="mcp__files__")
    assert Namespaces([tool]).fields(tool.name) == {"name": "_read", "namespace": "mcp__files__"}
