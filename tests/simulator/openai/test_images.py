import pytest

from ccproxy.simulator.openai.errors import ApiError
from ccproxy.simulator.openai.images import check_image


@pytest.mark.parametrize("url", ["https://example.com/a.png", "data:image/png;base64,iVBORw0KGgo="])
def test_good_images(url: str) -> None:
    check_image(url, "p")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("file:///etc/passwd", "invalid_image_url"),
        ("iVBORw0KGgo=", "invalid_image_url"),
        ("data:image/png,plain", "invalid_image_url"),
        ("data:image/svg+xml;base64,PHN2Zz4=", "invalid_image_format"),
        ("data:image/png;base64,not base64!", "invalid_base64_image"),
        ("data:image/png;base64,", "empty_image_file"),
    ],
)
def test_bad_images(url: str, code: str) -> None:
    with pytest.raises(ApiError) as raised:
        check_image(url, "messages[0].content[0].image_url.url")

    assert raised.value.code == code
    assert raised.value.param == "messages[0].content[0].image_url.url"
