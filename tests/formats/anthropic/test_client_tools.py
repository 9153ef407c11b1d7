import pytest

from ccproxy.formats.anthropic.client_tools import find


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        ("bash_20250124", {"command": "ls"}),
        ("bash_20250124", {"restart": True}),
        ("text_editor_20250728", {"command": "view", "path": "/a", "view_range": [1, -1]}),
        ("text_editor_20250728", {"command": "insert", "path": "/a", "insert_line": 0, "insert_text": "x"}),
        ("memory_20250818", {"command": "rename", "old_path": "/memories/a", "new_path": "/memories/b"}),
    ],
)
def test_the_calls_of_the_reference_fit(kind: str, call: dict[str, object]) -> None:
    tool = find(kind)
    assert tool is not None
    assert set(tool.schema["required"]) <= call.keys() <= tool.schema["properties"].keys()


def test_only_the_older_editors_undo() -> None:
    older, newer = find("text_editor_20241022"), find("text_editor_20250728")
    assert older is not None
    assert newer is not None
    assert "undo_edit" in older.schema["properties"]["command"]["enum"]
    assert "undo_edit" not in newer.schema["properties"]["command"]["enum"]
    assert (older.name, newer.name) == ("str_replace_editor", "str_replace_based_edit_tool")


def test_other_types_are_not_ours() -> None:
    assert find("code_execution_20250825") is None
