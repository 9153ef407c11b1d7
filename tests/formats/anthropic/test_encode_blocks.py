import hashlib

import pytest

from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import (
    Audio,
    Document,
    Image,
    JsonObject,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Seal,
    SearchResult,
    Text,
    ToolCall,
    ToolResult,
)
from ccproxy.formats.anthropic.encode_blocks import BlockWriter
from ccproxy.formats.names import Renamer

PNG = Media("image/png", data="iVBORw0K")
PDF = Media("application/pdf", data="JVBERi0=")
BASE64_PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0K"}
BASE64_PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}


def user(*parts: Part) -> list[JsonObject]:
    return BlockWriter(Renamer(128), []).user(parts, "messages.0")


def assistant(*parts: Part) -> list[JsonObject]:
    return BlockWriter(Renamer(128), []).assistant(parts, "messages.0")


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (Text("a"), {"type": "text", "text": "a"}),
        (Image(PNG, "high"), {"type": "image", "source": BASE64_PNG}),
        (
            Image(Media(url="https://example.org/a")),
            {"type": "image", "source": {"type": "url", "url": "https://example.org/a"}},
        ),
        (
            Image(Media(file_id="file_1", provider="anthropic")),
            {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
        ),
        (Document(PDF, title="T"), {"type": "document", "source": BASE64_PDF, "title": "T"}),
        (
            Document(text="a", context="C"),
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "a"},
                "context": "C",
            },
        ),
        (
            Document(Media("text/plain", data="aGk=")),
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hi"}},
        ),
        (
            SearchResult("s", "t", ("a", " ")),
            {
                "type": "search_result",
                "source": "s",
                "title": "t",
                "content": [{"type": "text", "text": "a"}],
            },
        ),
        (Opaque("anthropic", {"type": "hologram"}), {"type": "hologram"}),
    ],
)
def test_parts_of_the_user(part: Part, block: JsonObject) -> None:
    assert user(part) == [block]


def test_nothing_blank_is_written() -> None:
    assert user(Text(" \n"), Text(""), Document(text=" ")) == []
    assert assistant(Text(""), Refusal(" ")) == []


@pytest.mark.parametrize(
    ("result", "block"),
    [
        (ToolResult("c", ()), {}),
        (ToolResult("c", (Text(""),)), {}),
        (ToolResult("c", (Text("a"),)), {"content": "a"}),
        (ToolResult("c", (Text("a"),), is_error=True), {"content": "a", "is_error": True}),
        (
            ToolResult("c", (Text("a"), Image(PNG))),
            {"content": [{"type": "text", "text": "a"}, {"type": "image", "source": BASE64_PNG}]},
        ),
    ],
)
def test_tool_results(result: ToolResult, block: JsonObject) -> None:
    assert user(result) == [{"type": "tool_result", "tool_use_id": "c", **block}]


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (Refusal("No."), {"type": "text", "text": "No."}),
        (
            Reasoning("Hm.", Seal("anthropic", "sig")),
            {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
        ),
        (Reasoning("", Seal("anthropic", "x", redacted=True)), {"type": "redacted_thinking", "data": "x"}),
        (
            ToolCall("c", "add", '{"b":1,"a":"é"}'),
            {"type": "tool_use", "id": "c", "name": "add", "input": {"b": 1, "a": "é"}},
        ),
        (
            ToolCall("c", "add", "not json"),
            {"type": "tool_use", "id": "c", "name": "add", "input": {"_raw": "not json"}},
        ),
        (
            ToolCall("c", "patch", "*** x", custom=True),
            {"type": "tool_use", "id": "c", "name": "patch", "input": {"input": "*** x"}},
        ),
    ],
)
def test_parts_of_the_assistant(part: Part, block: JsonObject) -> None:
    assert assistant(part) == [block]


@pytest.mark.parametrize("seal", [None, Seal("openai", "gAAA", id="rs_1")])
def test_reasoning_that_anthropic_did_not_seal_is_left_out(seal: Seal | None) -> None:
    assert assistant(Reasoning("Hm.", seal)) == []


def test_case_19_an_illegal_id_is_hashed_on_both_sides() -> None:
    expected = "call_" + hashlib.sha256(b"call:1").hexdigest()[:24]
    assert assistant(ToolCall("call:1", "add", "{}"))[0]["id"] == expected
    assert user(ToolResult("call:1", ()))[0]["tool_use_id"] == expected


def test_an_assistant_shows_no_images() -> None:
    losses: list[Loss] = []
    assert BlockWriter(Renamer(128), losses).assistant([Image(PNG), Text("a")], "messages.1") == [
        {"type": "text", "text": "a"}
    ]
    assert [loss.label for loss in losses] == ["messages.1"]


@pytest.mark.parametrize(
    "part",
    [
        Audio("AAAA", "wav"),
        Image(Media("image/svg+xml", data="PHN2Zz4=")),
        Image(Media(None, data="AAAA")),
        Image(Media(url="http://example.org/a")),
        Image(Media(file_id="file-1", provider="openai")),
        Document(Media("application/zip", data="AAAA")),
        Document(Media(url="http://example.org/a.pdf")),
        Document(Media(file_id="file-1", provider="openai")),
        Opaque("responses", {"type": "hologram"}),
        ToolResult("c", (Audio("AAAA", "wav"),)),
    ],
)
def test_case_22_what_claude_does_not_take_is_an_error(part: Part) -> None:
    with pytest.raises(RequestError) as caught:
        user(part)
    assert caught.value.path == "messages.0"
