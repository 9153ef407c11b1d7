import pytest

from ccproxy.conversation.losses import RequestError
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
    SearchResult,
    Text,
    ToolResult,
)
from ccproxy.formats.responses.encode_parts import encode_input, encode_output

PNG = Image(Media("image/png", "AAAA"))


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        (Text("a"), {"type": "input_text", "text": "a"}),
        (Refusal("a"), {"type": "input_text", "text": "a"}),
        (PNG, {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"}),
        (
            Image(Media(url="https://example.com/a"), "high"),
            {"type": "input_image", "image_url": "https://example.com/a", "detail": "high"},
        ),
        (
            Image(Media(file_id="file-1", provider="openai"), "strange"),
            {"type": "input_image", "file_id": "file-1", "detail": "auto"},
        ),
        (
            Document(Media("application/pdf", "AAAA")),
            {
                "type": "input_file",
                "filename": "document.pdf",
                "file_data": "data:application/pdf;base64,AAAA",
            },
        ),
        (
            Document(Media(url="https://example.com/a.pdf"), title="a"),
            {"type": "input_file", "file_url": "https://example.com/a.pdf"},
        ),
        (
            Document(Media(file_id="file-1", provider="openai")),
            {"type": "input_file", "file_id": "file-1"},
        ),
        (Document(text="b", title="t"), {"type": "input_text", "text": "t\n\nb"}),
        (SearchResult("s", "t", ("x",)), {"type": "input_text", "text": "t\n\ns\n\nx"}),
        (
            Audio("AAAA", "wav"),
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        ),
        (Opaque("responses", {"type": "input_smell"}), {"type": "input_smell"}),
    ],
)
def test_every_kind_of_part(part: Part, wanted: JsonObject) -> None:
    assert encode_input([part], "p") == [wanted]


def test_what_is_said_about_a_file_goes_before_it() -> None:
    document = Document(Media(url="https://example.com/a.pdf"), context="From May.")
    assert encode_input([document], "p") == [
        {"type": "input_text", "text": "From May."},
        {"type": "input_file", "file_url": "https://example.com/a.pdf"},
    ]


def test_empty_texts_are_left_out() -> None:
    assert encode_input([Text(""), Document(text="")], "p") == []


@pytest.mark.parametrize(
    "part",
    [
        Opaque("anthropic", {"type": "container_upload"}),
        Image(Media(file_id="file_1", provider="anthropic")),
        Document(Media(file_id="file_1", provider="anthropic")),
        Image(Media("image/svg+xml", "AAAA")),
        Reasoning("hm"),
    ],
)
def test_what_openai_cannot_be_given_is_refused(part: Part) -> None:
    with pytest.raises(RequestError) as raised:
        encode_input([part], "messages.3")
    assert raised.value.path == "messages.3"


def test_the_result_of_a_tool_is_a_string() -> None:
    assert encode_output(ToolResult("a", (Text("1"), Text("2"))), "p") == "1\n2"
    assert encode_output(ToolResult("a", ()), "p") == ""


def test_case_20_an_error_is_said_in_the_text() -> None:
    assert encode_output(ToolResult("a", (Text("boom"),), is_error=True), "p") == "[tool error] boom"
    assert encode_output(ToolResult("a", (), is_error=True), "p") == "[tool error] "


def test_case_45_an_image_stays_in_its_result() -> None:
    parts = encode_output(ToolResult("a", (Text("look"), PNG), is_error=True), "p")
    assert isinstance(parts, list)
    assert [part["type"] for part in parts] == ["input_text", "input_text", "input_image"]
    assert parts[0]["text"] == "[tool error]"
