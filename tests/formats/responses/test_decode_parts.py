import pytest

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import Audio, Document, Image, JsonObject, Media, Opaque, Part, Refusal, Text
from ccproxy.formats.responses.decode_parts import decode_content

PDF = "JVBERi0xLjQK"


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        ({"type": "input_text", "text": "a"}, Text("a")),
        ({"type": "output_text", "text": "a", "annotations": []}, Text("a")),
        ({"type": "refusal", "refusal": "no"}, Refusal("no")),
        (
            {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "low"},
            Image(Media(url="https://example.com/a.png"), "low"),
        ),
        (
            {"type": "input_image", "image_url": "data:image/jpg;base64,/9j/"},
            Image(Media("image/jpeg", "/9j/")),
        ),
        ({"type": "input_image", "file_id": "file-1"}, Image(Media(file_id="file-1", provider="openai"))),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
            Document(Media("application/pdf", PDF), title="a.pdf"),
        ),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": PDF},
            Document(Media("application/pdf", PDF), title="a.pdf"),
        ),
        (
            {"type": "input_file", "filename": "a.txt", "file_data": "data:text/plain;base64,aGk="},
            Document(text="hi", title="a.txt"),
        ),
        (
            {"type": "input_file", "file_url": "https://example.com/a.pdf"},
            Document(Media(url="https://example.com/a.pdf")),
        ),
        ({"type": "input_file", "file_id": "file-1"}, Document(Media(file_id="file-1", provider="openai"))),
        ({"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}}, Audio("AA==", "mp3")),
        ({"type": "input_smell", "x": 1}, Opaque("responses", {"type": "input_smell", "x": 1})),
    ],
)
def test_every_kind_of_part(part: JsonObject, wanted: Part) -> None:
    assert decode_content([part], "p") == (wanted,)


def test_a_string_is_one_text_and_empty_texts_are_none() -> None:
    assert decode_content("a", "p") == (Text("a"),)
    assert decode_content("", "p") == decode_content(None, "p") == ()
    assert decode_content([{"type": "input_text", "text": ""}, {"type": "refusal", "refusal": ""}], "p") == ()


@pytest.mark.parametrize(
    ("content", "path"),
    [
        (7, "p"),
        ([7], "p.0"),
        ([{}], "p.0.type"),
        ([{"type": "input_text"}], "p.0.text"),
        ([{"type": "input_image"}], "p.0.image_url"),
        ([{"type": "input_image", "image_url": "ftp://x"}], "p.0.image_url"),
        ([{"type": "input_image", "image_url": "https://x", "detail": 1}], "p.0.detail"),
        ([{"type": "input_file"}], "p.0.file_data"),
        ([{"type": "input_file", "file_url": "file:///etc/passwd"}], "p.0.file_url"),
        ([{"type": "input_audio", "input_audio": {"format": "ogg"}}], "p.0.input_audio.format"),
        ([{"type": "input_audio"}], "p.0.input_audio"),
    ],
)
def test_what_is_wrong_is_named(content: object, path: str) -> None:
    with pytest.raises(RequestError) as raised:
        decode_content(content, "p")
    assert raised.value.path == path
