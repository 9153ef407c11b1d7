import base64

import pytest

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import Media
from ccproxy.formats.media import data_url, from_base64, from_data_url, from_url, plain_text

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()


def test_an_address_stays_one() -> None:
    assert from_url("https://example.com/a.png", "p") == Media(url="https://example.com/a.png")
    assert from_url("HTTP://example.com/a.png", "p").url == "HTTP://example.com/a.png"


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "ftp://example.com", "javascript:alert(1)"])
def test_other_schemes_are_refused(url: str) -> None:
    with pytest.raises(RequestError) as caught:
        from_url(url, "messages.0.content.0.image_url.url")
    assert caught.value.path == "messages.0.content.0.image_url.url"


@pytest.mark.parametrize(
    ("url", "media_type"),
    [
        (f"data:image/png;base64,{PNG}", "image/png"),
        (f"DATA:image/PNG;name=a.png;BASE64,{PNG}", "image/png"),
        (f"data:;base64,{PNG}", "image/png"),
        (f"data:image/jpg;base64,{PNG}", "image/jpeg"),
        (f"data:image/png;base64,{PNG[:8]}\r\n {PNG[8:]}\n", "image/png"),
        (f"data:image/png;base64,{PNG.replace('+', '%2B').replace('/', '%2F')}", "image/png"),
    ],
)
def test_data_urls(url: str, media_type: str) -> None:
    assert from_url(url, "p") == Media(media_type, data=PNG)


def test_a_payload_that_is_not_in_base64_is_put_into_it() -> None:
    media = from_data_url("data:text/plain;charset=utf-8,gr%C3%BC%C3%9Fe", "p")
    assert media.data == base64.b64encode("grüße".encode()).decode()
    assert plain_text(media) == "grüße"
    assert from_data_url("data:,x", "p").media_type == "text/plain"


@pytest.mark.parametrize(
    "url", ["data:image/png;base64", "data:image/png;base64,", "data:image/png;base64,§"]
)
def test_broken_data_urls_are_refused(url: str) -> None:
    with pytest.raises(RequestError):
        from_data_url(url, "p")


@pytest.mark.parametrize(
    ("start", "media_type"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7", "application/pdf"),
        (b"nothing known", None),
    ],
)
def test_a_missing_type_is_read_off_the_first_bytes(start: bytes, media_type: str | None) -> None:
    data = base64.b64encode(start + bytes(30)).decode()
    assert from_base64(data, None, "p").media_type == media_type


def test_there_and_back() -> None:
    media = from_base64(PNG, "image/png", "p")
    assert from_data_url(data_url(media), "p") == media


def test_only_text_is_plain_text() -> None:
    assert plain_text(from_base64(PNG, "image/png", "p")) is None
    assert plain_text(from_base64(base64.b64encode(b"\xff\xfe\xff").decode(), "text/plain", "p")) is None
    assert plain_text(Media(url="https://example.com/a.txt")) is None
