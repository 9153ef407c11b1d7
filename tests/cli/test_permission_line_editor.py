from ccproxy.cli.permission_line_editor import LineEditor

TEXT = '{\n  "command": "ls"\n}'


def test_a_line_is_replaced_taken_out_and_added() -> None:
    editor = LineEditor(TEXT)
    assert list(editor.numbered()) == ["   1 {", '   2   "command": "ls"', "   3 }"]
    assert editor.take('2   "command": "pwd"') == "shown"
    assert editor.text == '{\n  "command": "pwd"\n}'
    assert editor.take("2") == "shown"
    assert editor.text == "{\n}"
    assert editor.take("3 more") == "shown"
    assert editor.text == "{\n}\nmore"


def test_what_means_nothing_changes_nothing() -> None:
    editor = LineEditor(TEXT)
    for typed in ("9 far", "0 none", "what", "2x"):
        assert editor.take(typed) == "shown"
    assert editor.text == TEXT


def test_a_new_text_is_taken_as_it_is() -> None:
    editor = LineEditor(TEXT)
    for typed in ("{", '"a":', "", "1", "}"):
        assert editor.take(typed) == "more"
    assert editor.take(".") == "done"
    assert editor.text == '{\n"a":\n\n1\n}'
    assert editor.take("4 2") == "shown"
    assert editor.take(" . ") == "done"
    assert editor.text == '{\n"a":\n\n2\n}'


def test_an_empty_line_goes_back() -> None:
    editor = LineEditor(TEXT)
    assert editor.take("  ") == "back"
    assert editor.text == TEXT
