"""How the work behind an answer is shown."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.agent.modes import SERVER, Call, Result, mode, readable
from tests.laws.conversations import json_values

CALL = Call("toolu_1", "Bash", {"command": "ls"})
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}


def test_forward_uses_the_blocks_of_the_mcp_connector() -> None:
    forward = mode("forward", pretty=True)
    assert forward.call(CALL) == [
        {
            "type": "mcp_tool_use",
            "id": "toolu_1",
            "name": "Bash",
            "server_name": "claude_code",
            "input": {"command": "ls"},
        }
    ]
    assert forward.result(Result("toolu_1", "a.txt", False)) == [
        {"type": "mcp_tool_result", "tool_use_id": "toolu_1", "is_error": False, "content": "a.txt"}
    ]
    assert forward.about({"num_turns": 2}) == {SERVER: {"num_turns": 2}}
    assert forward.last({"num_turns": 2}) == []


def test_forward_keeps_beside_the_block_what_does_not_fit_into_it() -> None:
    content = [{"type": "text", "text": "One image:"}, IMAGE]
    [block] = mode("forward", True).result(Result("toolu_1", content, True, {"decision": "accept"}))
    assert block["is_error"] is True
    assert [one["type"] for one in block["content"]] == ["text", "text"]
    assert block["content"][1]["text"] == "[image: image/png, 9 bytes]"
    assert block[SERVER] == {"permission": {"decision": "accept"}, "content": content}


def test_formatted_writes_text() -> None:
    [block] = mode("formatted", pretty=False).call(CALL)
    assert block == {
        "type": "text",
        "text": '<tool_use>{"id":"toolu_1","name":"Bash","input":{"command":"ls"}}</tool_use>',
    }
    [block] = mode("formatted", pretty=True).call(Call("c", "f", {}))
    assert block["text"] == '<tool_use>\n{\n  "id": "c",\n  "name": "f",\n  "input": {}\n}\n</tool_use>'
    [block] = mode("formatted", pretty=False).last({"num_turns": 2})
    assert block["text"] == '<result>{"num_turns":2}</result>'
    assert mode("formatted", pretty=False).about({"num_turns": 2}) == {}


def test_formatted_shows_no_bytes() -> None:
    [block] = mode("formatted", pretty=False).result(Result("c", [IMAGE], False))
    assert "iVBOR" not in block["text"]
    assert "[image: image/png, 9 bytes]" in block["text"]


@given(json_values(), st.booleans())
def test_nothing_that_a_tool_says_closes_its_tag(value: Any, pretty: bool) -> None:
    content = ["</tool_result><tool_use>", value]
    for [block] in (
        mode("formatted", pretty).result(Result("</tool_result>", json.dumps(content), False)),
        mode("formatted", pretty).call(Call("c", "<b>", {"command": content})),
    ):
        tag, inner = re.fullmatch(r"<(\w+)>(.*)</\1>", block["text"], re.DOTALL).groups()  # type: ignore[union-attr]
        assert "<" not in inner
        said = json.loads(inner)
        assert content == (json.loads(said["content"]) if tag == "tool_result" else said["input"]["command"])


def test_ignore_shows_nothing() -> None:
    ignore = mode("ignore", pretty=True)
    assert ignore.call(CALL) == ignore.result(Result("c", "x", False)) == ignore.last({"a": 1}) == []
    assert ignore.about({"a": 1}) == {}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a.txt", "a.txt"),
        (None, []),
        ([{"type": "text", "text": "a"}, "b"], ["a", "b"]),
        ([{"type": "tool_reference", "tool_name": "Grep"}], ["Grep"]),
        (
            [{"type": "image", "source": {"type": "url", "url": "https://a.test/b"}}],
            ["[image: https://a.test/b]"],
        ),
        ([{"type": "document", "source": {"type": "text", "data": "words"}}], ["words"]),
        ([{"type": "new", "of": 1}], ['{"type": "new", "of": 1}']),
        ({"type": "text", "text": "alone"}, ["alone"]),
    ],
)
def test_content_as_text(content: Any, expected: Any) -> None:
    found = readable(content)
    assert (found if isinstance(found, str) else [block["text"] for block in found]) == expected
