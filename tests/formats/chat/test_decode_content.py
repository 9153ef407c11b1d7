from typing import Any

import pytest

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import Audio, Document, Image, Media, Opaque, Part, Refusal, Text
from ccproxy.formats.chat.decode_content import decode_content, decode_texts

PDF = "JVBERi0xLjcKcGFnZXM="


@pytest.mark.parametrize(
    ("part", "decoded"),
    [
        ({"type": "text", "text": "hi", "prompt_cache_breakpoint": {"mode": "explicit"}}, Text("hi")),
        ({"type": "refusal", "refusal": "no"}, Refusal("no")),
        (
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
            Image(Media(url="https://example.com/a.png"), "low"),
        ),
        (
            {"type": "image_url", "image_url": "data:image/jpg;base64,/9j/AAAA"},
            Image(Media("image/jpeg", "/9j/AAAA")),
        ),
        ({"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}, Audio("UklG", "wav")),
        (
            {
                "type": "file",
                "file": {"file_data": f"data:application/pdf;base64,{PDF}", "filename": "a.pdf"},
            },
            Document(Media("application/pdf", PDF), title="a.pdf"),
        ),
        ({"type": "file", "file": {"file_data": PDF}}, Document(Media("application/pdf", PDF))),
        (
            {"type": "file", "file": {"file_data": "data:text/plain,hello", "filename": "a.txt"}},
            Document(text="hello", title="a.txt"),
        ),
        (
            {"type": "file", "file": {"file_data": "data:image/png;base64,iVBO"}},
            Image(Media("image/png", "iVBO")),
        ),
        (
            {"type": "file", "file": {"file_id": "file-1"}},
            Document(Media(file_id="file-1", provider="openai")),
        ),
        ({"type": "video_url", "video_url": {}}, Opaque("chat", {"type": "video_url", "video_url": {}})),
    ],
)
def test_parts(part: dict[str, Any], decoded: Part) -> None:
    assert decode_content([part], "p") == (decoded,)


def test_empty_texts_are_left_out() -> None:
    assert decode_content("", "p") == ()
    assert decode_content([{"type": "text", "text": ""}, {"type": "text", "text": " "}], "p") == (Text(" "),)


@pytest.mark.parametrize(
    ("content", "path"),
    [
        (None, "p"),
        (5, "p"),
        ({"type": "text"}, "p"),
        (["hi"], "p.0"),
        ([{}], "p.0.type"),
        ([{"type": 7}], "p.0.type"),
        ([{"type": "text"}], "p.0.text"),
        ([{"type": "image_url", "image_url": {}}], "p.0.image_url.url"),
        ([{"type": "image_url", "image_url": {"url": "x"}}], "p.0.image_url.url"),
        ([{"type": "file", "file": {"file_data": "§"}}], "p.0.file.file_data"),
        ([{"type": "input_audio", "input_audio": {"data": 1}}], "p.0.input_audio.data"),
    ],
)
def test_what_is_wrong_is_named(content: object, path: str) -> None:
    with pytest.raises(RequestError) as caught:
        decode_content(content, "p")
    assert caught.value.path == path


def test_where_only_text_may_stand() -> None:
    assert decode_texts([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "p") == (
        Text("a"),
        Text("b"),
    )
    with pytest.raises(RequestError):
        decode_texts([{"type": "image_url", "image_url": "https://example.com/a.png"}], "p")
