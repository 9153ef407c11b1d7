"""Images in a request: links are taken as they are, data URLs have to hold an image."""

import base64
import binascii
import re

from ccproxy.simulator.openai.errors import ApiError

DATA_URL = re.compile(r"data:(?P<mime>[^;,]*)(;[^,;]+)*;base64,(?P<data>.*)", re.S)
MIME_TYPES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"})
IMAGE_TOKENS = 85
"""What one image counts, whatever its size: the documented price of low detail."""


def check_image(url: str, param: str) -> None:
    """Raises ApiError for what cannot be an image."""
    if url.startswith(("https://", "http://")):
        return
    found = DATA_URL.fullmatch(url)
    if found is None:
        message = f"Invalid '{param}': expected an http(s) URL or a base64 data URL."
        raise ApiError(400, message, param=param, code="invalid_image_url")
    if found["mime"] not in MIME_TYPES:
        message = "You uploaded an unsupported image. Supported formats are png, jpeg, gif and webp."
        raise ApiError(400, message, param=param, code="invalid_image_format")
    try:
        empty = not base64.b64decode(found["data"], validate=True)
    except (binascii.Error, ValueError):
        message = "The image data you provided does not represent a valid image."
        raise ApiError(400, message, param=param, code="invalid_base64_image") from None
    if empty:
        raise ApiError(400, "The image file is empty.", param=param, code="empty_image_file")
