"""Errors of an upstream, from and to the shape of the Messages API (errors page, read 2026-11-22)."""

from collections.abc import Mapping
from typing import Any

import msgspec

from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import JsonObject

_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_TYPES = {status: kind for kind, status in _STATUS.items()} | {408: "timeout_error"}

TOO_LONG = "prompt is too long"
"""How Anthropic begins to say that the context window is full; clients look for it."""

TOO_LONG_CODE = "context_length_exceeded"
"""How OpenAI says the same."""


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> Failed:
    """An error answer; header names in lower case. What is no JSON (an edge's HTML) is not repeated."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        value = None
    return failed(value, status, _retry_after(headers))


def failed(value: object, status: int | None = None, retry_after: float | None = None) -> Failed:
    """An error object or the data of an `error` event; without a status the type tells it."""
    error: Any = value.get("error") if isinstance(value, dict) else None
    if not isinstance(error, dict):
        error = {}
    kind = error.get("type")
    if not isinstance(kind, str) or not kind:
        kind = _type_of(status or 500)
    status = status or _STATUS.get(kind, 500)
    message = error.get("message")
    if not isinstance(message, str) or not message:
        message = f"The upstream answered with status {status}."
    return Failed(kind, message, status, _code(error, message), retry_after=retry_after)


def encode_error(failed: Failed, request_id: str) -> bytes:
    """`{"type":"error","error":{"type","message"},"request_id"}`"""
    return msgspec.json.encode({**_shape(failed), "request_id": request_id})


def error_event(failed: Failed) -> bytes:
    """An `error` event; nothing follows it, not even `message_stop`."""
    return b"event: error\ndata: %s\n\n" % msgspec.json.encode(_shape(failed))


def _shape(failed: Failed) -> JsonObject:
    message = failed.message
    if failed.code == TOO_LONG_CODE and not message.startswith(TOO_LONG):
        message = f"{TOO_LONG}: {message}"
    return {"type": "error", "error": {"type": failed.type, "message": message}}


def _type_of(status: int) -> str:
    return _TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")


def _code(error: JsonObject, message: str) -> str | None:
    match error.get("details"):
        case {"error_code": str(code)}:
            return code
    return TOO_LONG_CODE if message.startswith(TOO_LONG) else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """In seconds; a date is left to those who have a clock."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    return None
