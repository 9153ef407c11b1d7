"""Errors in the shape of Chat Completions."""

import msgspec

from ccproxy.failures import Failure
from ccproxy.formats.openai_errors import error_object


def body(failure: Failure, request_id: str) -> bytes:
    """`{"error":{"message","type","param","code"}}`; the request id travels in a header."""
    return msgspec.json.encode({"error": error_object(failure)})


def event(failure: Failure, request_id: str) -> bytes:
    """A data line with a truthy `error`, which the official SDK raises; no `[DONE]` follows."""
    return b"data: %s\n\n" % body(failure, request_id)
