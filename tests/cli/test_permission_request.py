import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.cli.permission_request import (
    BadInputError,
    allow,
    as_json,
    deny,
    in_brief,
    read_input,
    read_request,
)
from ccproxy.cli.permission_text import unseen
from tests.support.asking import request

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=8,
)


def test_a_request_of_the_server() -> None:
    found = request("perm_7", "Edit", {"a": 1})
    assert (found.id, found.tool, found.input, found.session, found.cwd, found.pending) == (
        *("perm_7", "Edit", {"a": 1}, "s-1", "/home/me", True),
    )
    assert found.expires_at == datetime(2026, 11, 22, 12, 1, 45, tzinfo=UTC)
    assert (found.raw["tool_name"], found.decision) == ("Edit", {})


def test_what_may_be_missing() -> None:
    found = read_request({"id": "x", "status": "pending", "session_id": None, "expires_at": "soon"})
    assert (found.tool, found.session, found.cwd, found.expires_at) == ("?", "", "", None)


@pytest.mark.parametrize("found", [None, [], {}, {"id": 1, "status": "pending"}, {"id": "x"}])
def test_what_is_no_request(found: object) -> None:
    with pytest.raises(ValueError, match="not a permission request"):
        read_request(found)


@pytest.mark.parametrize(
    ("tool", "given_", "brief"),
    [
        ("Bash", {"command": "a\nb"}, "Bash: a ..."),
        ("Write", {"file_path": "/x", "content": "c"}, "Write: /x"),
        ("WebFetch", {"url": "https://example.com"}, "WebFetch: https://example.com"),
        ("mcp__x__y", {"z": 1}, 'mcp__x__y: {"z": 1}'),
        ("mcp__x__y", {}, "mcp__x__y"),
        ("T", "text", 'T: "text"'),
    ],
)
def test_in_brief(tool: str, given_: object, brief: str) -> None:
    assert in_brief(request(tool=tool, given=given_)) == brief


@given(values)
def test_json_for_people_is_json_and_all_of_it_is_seen(value: object) -> None:
    text = as_json(value)
    assert read_input(text, None) == value
    assert not any(unseen(character) for character in text.replace("\n", ""))


def test_json_for_people_keeps_letters() -> None:
    assert as_json({"a": "naïve 漢字\u202e\x7f\U000e0041"}) == (
        '{\n  "a": "naïve 漢字\\u202e\\u007f\\udb40\\udc41"\n}'
    )


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ('{\n  "a": }', "Line 2, column 8: Expecting value.", (2, 8)),
        ("", "Line 1, column 1: Expecting value.", (1, 1)),
        ('{"a": "b\n"}', "Line 1, column 9: Invalid control character.", (1, 9)),
        ('{"a', "Line 1, column 2: Unterminated string.", (1, 2)),
        ("[]", "The input of a tool is a JSON object: { ... }.", (1, 1)),
        ('{"a": NaN}', "NaN is no JSON.", (1, 1)),
        ("[" * 100_000, "It is nested too deeply.", (1, 1)),
    ],
)
def test_what_cannot_be_sent(text: str, message: str, place: tuple[int, int]) -> None:
    with pytest.raises(BadInputError) as caught:
        read_input(text, {})
    assert (str(caught.value), (caught.value.line, caught.value.column)) == (message, place)


def test_answers() -> None:
    asked = request(given={"command": "a"})
    assert allow(asked) == {"allowed": True}
    assert allow(asked, session=True) == {"allowed": True, "remember": "session"}
    assert allow(asked, value={"command": "b"}, edited=True) == {
        "allowed": True,
        "updated_input": {"command": "b"},
    }
    assert allow(asked, value={"command": "a"}, edited=True) == {"allowed": True}
    assert deny() == deny("  ") == {"allowed": False}
    assert deny(" no ") == {"allowed": False, "message": "no"}
    assert json.dumps(deny("\ud800")).isascii()
