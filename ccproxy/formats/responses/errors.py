"""Errors in the shape of the Responses API."""

import msgspec

from ccproxy.failures import Failure
from ccproxy.formats.chat.errors import body
from ccproxy.formats.openai_errors import error_object

__all__ = ["body", "event"]


def event(failure: Failure, request_id: str) -> bytes:
    """An `error` event; no terminal `response.*` event follows it.

    The sequence number is the highest there is: whatever came before, this comes after.
    """
    error = error_object(failure)
    data = {**error, "type": "error", "sequence_number": 2**31 - 1, "error": error}
    return b"event: error\ndata: %s\n\n" % msgspec.json.encode(data)
