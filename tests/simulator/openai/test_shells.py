from ccproxy.simulator.openai.shells import first
from ccproxy.simulator.samples import sample
from ccproxy.simulator.script import Tool


def test_shells_come_first_with_an_input_that_works() -> None:
    shell, other = first([Tool("view_image", {}), Tool("shell", {"type": "object"})])

    assert (shell.name, other.name) == ("shell", "view_image")
    assert shell.schema is not None
    assert sample(shell.schema) == {"command": ["bash", "-lc", "echo hello from the simulator"]}


def test_a_tool_for_programs() -> None:
    (tool,) = first([Tool("exec", None)])

    assert "tools.exec_command" in tool.example


def test_a_name_alone_makes_no_shell() -> None:
    wrong_kind = [Tool("shell", None), Tool("exec", {})]

    assert first(wrong_kind) == wrong_kind


def test_other_tools_keep_their_order() -> None:
    tools = [Tool("b", {}), Tool("a", {})]

    assert first(tools) == tools
