import pytest

from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import Document, Image, JsonObject, Media, Part, Text
from ccproxy.formats.anthropic.decode_media import DocumentReader, image

PNG: JsonObject = {"type": "base64", "media_type": "image/png", "data": "iVBORw0K"}


def document(losses: list[Loss] | None = None, **block: object) -> list[Part]:
    return list(DocumentReader([] if losses is None else losses).read(block, "at"))


@pytest.mark.parametrize(
    ("source", "media"),
    [
        (PNG, Media("image/png", data="iVBORw0K")),
        ({**PNG, "data": "iVBO\n Rw0K"}, Media("image/png", data="iVBORw0K")),
        ({"type": "url", "url": "https://example.org/a.png"}, Media(url="https://example.org/a.png")),
        ({"type": "file", "file_id": "file_1"}, Media(file_id="file_1", provider="anthropic")),
    ],
)
def test_images(source: JsonObject, media: Media) -> None:
    assert image({"type": "image", "source": source}, "at") == Image(media)


def test_a_pdf() -> None:
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    assert document(source=source, title="T", context="C") == [
        Document(Media("application/pdf", data="JVBERi0="), title="T", context="C")
    ]


def test_a_plain_text() -> None:
    source = {"type": "text", "media_type": "text/plain", "data": "Words."}
    assert document(source=source) == [Document(text="Words.")]


def test_texts_become_one_document() -> None:
    texts = [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]
    assert document(source={"type": "content", "content": texts}) == [Document(text="One.\n\nTwo.")]
    assert document(source={"type": "content", "content": "One."}) == [Document(text="One.")]


def test_texts_and_images_go_one_by_one_in_their_order() -> None:
    losses: list[Loss] = []
    content = [{"type": "image", "source": PNG}, {"type": "text", "text": "One."}]
    parts = document(losses, source={"type": "content", "content": content}, title="T")
    assert parts == [Text("T"), Image(Media("image/png", data="iVBORw0K")), Text("One.")]
    assert [loss.label for loss in losses] == ["at.source.content(flattened)"]


def test_citations_are_not_carried() -> None:
    losses: list[Loss] = []
    source = {"type": "text", "media_type": "text/plain", "data": "Words."}
    document(losses, source=source, citations={"enabled": True})
    assert [loss.label for loss in losses] == ["at.citations"]


@pytest.mark.parametrize(
    ("source", "path"),
    [
        (None, "at.source"),
        ({}, "at.source.type"),
        ({"type": "tape"}, "at.source.type"),
        ({"type": "base64", "data": 1}, "at.source.data"),
        ({"type": "base64", "data": "", "media_type": 3}, "at.source.media_type"),
        ({"type": "url", "url": None}, "at.source.url"),
        ({"type": "url", "url": "file:///etc/hosts"}, "at.source.url"),
        ({"type": "file"}, "at.source.file_id"),
        ({"type": "text"}, "at.source.data"),
        ({"type": "content", "content": [{"type": "table"}]}, "at.source.content.0.type"),
    ],
)
def test_errors_name_the_field(source: object, path: str) -> None:
    with pytest.raises(RequestError) as caught:
        document(source=source)
    assert caught.value.path == path
