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
    SearchResult,
    Text,
)
from ccproxy.formats.chat.encode_content import collapsed, encode_content

PDF = Media("application/pdf", "JVBERi0=")


@pytest.mark.parametrize(
    ("part", "encoded"),
    [
        (Text("hi"), {"type": "text", "text": "hi"}),
        (
            Image(Media("image/png", "iVBO"), "high"),
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO", "detail": "high"}},
        ),
        (
            Image(Media(url="https://example.com/a.png")),
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        ),
        (
            Document(PDF, title="a.pdf"),
            {
                "type": "file",
                "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
            },
        ),
        (
            Document(Media(file_id="file-1", provider="openai")),
            {"type": "file", "file": {"file_id": "file-1"}},
        ),
        (Document(text="body", title="Title"), {"type": "text", "text": "Title\n\nbody"}),
        (SearchResult("s", "t", ("a", "b")), {"type": "text", "text": "t\ns\na\nb"}),
        (Audio("UklG", "wav"), {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}),
        (Opaque("chat", {"type": "video"}), {"type": "video"}),
    ],
)
def test_parts(part: Part, encoded: JsonObject) -> None:
    losses: list[Loss] = []
    assert encode_content([part], "p", losses) == [encoded]
    assert losses == []


def test_the_address_of_a_document_goes_as_text() -> None:
    losses: list[Loss] = []
    document = Document(Media(url="https://example.com/a.pdf"), title="A")
    assert encode_content([document], "p", losses) == [
        {"type": "text", "text": "[document A: https://example.com/a.pdf]"}
    ]
    assert [loss.label for loss in losses] == ["p(text)"]


def test_what_is_said_about_a_file_goes_before_it() -> None:
    about, file = encode_content([Document(PDF, title="a.pdf", context="From May.")], "p", [])
    assert about == {"type": "text", "text": "From May."}
    assert file["type"] == "file"


@pytest.mark.parametrize(
    "part",
    [
        Opaque("anthropic", {"type": "container_upload"}),
        Document(Media(file_id="file_1", provider="anthropic")),
        Image(Media(file_id="file-1", provider="openai")),
        Image(Media("image/svg+xml", "PHN2Zy8+")),
        Image(Media(None, "AAAA")),
    ],
)
def test_what_has_no_form_is_refused(part: Part) -> None:
    with pytest.raises(RequestError) as caught:
        encode_content([part], "messages.0.content", [])
    assert caught.value.path == "messages.0.content"


def test_a_single_text_is_a_string() -> None:
    one: list[JsonObject] = [{"type": "text", "text": "a"}]
    assert collapsed(one) == "a"
    assert collapsed(one * 2) == one * 2
