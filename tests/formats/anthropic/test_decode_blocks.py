from typing import Any

import pytest

from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import (
    JsonObject,
    Opaque,
    Part,
    Reasoning,
    Seal,
    SearchResult,
    Text,
    ToolCall,
    ToolResult,
)
from ccproxy.formats import carrier
from ccproxy.formats.anthropic.decode_blocks import BlockReader


def user(*content: JsonObject) -> tuple[Part, ...]:
    return BlockReader([]).user(list(content), "messages.0.content")


def assistant(*content: JsonObject) -> tuple[Part, ...]:
    return BlockReader([]).assistant(list(content), "messages.0.content")


def lost(role: str, *content: JsonObject) -> list[str]:
    losses: list[Loss] = []
    getattr(BlockReader(losses), role)(list(content), "at")
    return [loss.label for loss in losses]


def test_a_string_is_one_text_and_empty_texts_are_none() -> None:
    assert BlockReader([]).user("Hi", "at") == (Text("Hi"),)
    assert BlockReader([]).user("", "at") == ()
    assert user({"type": "text", "text": ""}, {"type": "text", "text": "x"}) == (Text("x"),)


def test_hints_on_blocks_go_without_a_word() -> None:
    cached = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}, "citations": None}
    assert lost("user", cached) == []


def test_an_unknown_field_of_a_known_block_is_a_loss() -> None:
    assert lost("user", {"type": "text", "text": "x", "colour": "red"}) == ["at.0.colour"]


def test_tool_use_keeps_the_order_of_its_keys_and_its_characters() -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"b": 1, "a": "é"}, "caller": None}
    assert assistant(call) == (ToolCall("toolu_1", "add", '{"b":1,"a":"é"}'),)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("12°", (Text("12°"),)),
        ("", ()),
        (None, ()),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], (Text("a"), Text("b"))),
        ([{"type": "tool_reference", "tool_name": "grep"}], (Text("The tool grep is available."),)),
    ],
)
def test_tool_results(content: Any, parts: tuple[Part, ...]) -> None:
    block = {"type": "tool_result", "tool_use_id": "toolu_1", "content": content}
    assert user(block) == (ToolResult("toolu_1", parts),)
    assert user({**block, "is_error": True}) == (ToolResult("toolu_1", parts, is_error=True),)


def test_a_tool_result_with_an_image() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "iVBORw0K"}
    block = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": source}]}
    (result,) = user(block)
    assert isinstance(result, ToolResult)
    assert type(result.parts[0]).__name__ == "Image"


def test_search_results() -> None:
    block = {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "x"}]}
    assert user(block) == (SearchResult("s", "t", ("x",)),)
    assert lost("user", block) == []
    assert lost("user", block | {"citations": {"enabled": True}}) == ["at.0.citations"]


def test_thinking_that_is_anthropics_own() -> None:
    block = {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"}
    assert assistant(block) == (Reasoning("Hm.", Seal("anthropic", "EqQB")),)
    redacted = {"type": "redacted_thinking", "data": "EmwK"}
    assert assistant(redacted) == (Reasoning("", Seal("anthropic", "EmwK", redacted=True)),)


def test_thinking_that_carries_a_seal_of_openais() -> None:
    seal = Seal("openai", "gAAA", id="rs_1")
    block = {"type": "thinking", "thinking": "Hm.", "signature": carrier.pack(seal, "Hm.")}
    assert assistant(block) == (Reasoning("Hm.", seal),)


@pytest.mark.parametrize("signature", ["", None, "cc1o.spoilt"])
def test_thinking_without_a_usable_signature_has_no_seal(signature: str | None) -> None:
    block = {"type": "thinking", "thinking": "Hm.", "signature": signature}
    assert assistant(block) == (Reasoning("Hm."),)
    assert assistant({**block, "thinking": ""}) == ()


@pytest.mark.parametrize("kind", ["server_tool_use", "web_search_tool_result", "mcp_tool_use", "fallback"])
def test_what_servers_did_is_left_out_and_said(kind: str) -> None:
    text = {"type": "text", "text": "It rains."}
    assert assistant({"type": kind, "id": "s", "content": []}, text) == (Text("It rains."),)
    assert lost("assistant", {"type": kind}, text) == ["at.0"]


def test_a_compaction_is_the_text_that_stands_for_what_was_said() -> None:
    assert assistant({"type": "compaction", "content": "So far: nothing."}) == (Text("So far: nothing."),)


def test_a_tool_that_is_added_later_is_known_from_the_start() -> None:
    added = {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "grep"}}
    assert lost("system", added, {"type": "text", "text": "x"}) == []
    removed = {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "grep"}}
    assert lost("system", removed) == ["at.0"]


def test_unknown_blocks_are_kept_as_they_came() -> None:
    block = {"type": "hologram", "data": [1, 2]}
    assert user(block) == (Opaque("anthropic", block),)


@pytest.mark.parametrize(
    ("role", "block", "path"),
    [
        ("user", {"type": "text"}, "at.0.text"),
        ("user", {"type": "tool_use", "id": "t", "name": "n", "input": {}}, "at.0.type"),
        ("user", {"type": "thinking", "thinking": "", "signature": "s"}, "at.0.type"),
        ("user", {"type": "tool_result"}, "at.0.tool_use_id"),
        ("user", {"type": "tool_result", "tool_use_id": "t", "is_error": "no"}, "at.0.is_error"),
        ("user", {"type": "tool_result", "tool_use_id": "t", "content": [3]}, "at.0.content.0"),
        (
            "user",
            {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "tool_use"}]},
            "at.0.content.0.type",
        ),
        ("user", {"type": "search_result", "content": [{}]}, "at.0.content.0.text"),
        ("assistant", {"type": "tool_result", "tool_use_id": "t"}, "at.0.type"),
        ("assistant", {"type": "tool_use", "id": "t", "name": "n", "input": "x"}, "at.0.input"),
        ("assistant", {"type": "tool_use", "id": "t", "name": "", "input": {}}, "at.0.name"),
        ("assistant", {"type": "tool_use", "id": None, "name": "n", "input": {}}, "at.0.id"),
        ("assistant", {"type": "thinking", "thinking": 1}, "at.0.thinking"),
        ("assistant", {"type": "redacted_thinking"}, "at.0.data"),
        ("system", {"type": "image"}, "at.0.type"),
    ],
)
def test_errors_name_the_field(role: str, block: JsonObject, path: str) -> None:
    with pytest.raises(RequestError) as caught:
        getattr(BlockReader([]), role)([block], "at")
    assert caught.value.path == path
