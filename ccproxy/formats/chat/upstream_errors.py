"""Errors of an upstream, and how they look to a client (errors guide, read 2026-11-22)."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import JsonObject
from ccproxy.formats.openai_errors import status_phrase, upstream_error_object

_BY_STATUS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}

_OVERLOADED = {"server_is_overloaded", "slow_down", "service_unavailable_error", "overloaded_error"}

_STATUS_OF = {
    "context_length_exceeded": 400,
    "invalid_request_error": 400,
    "invalid_api_key": 401,
    "authentication_error": 401,
    "permission_error": 403,
    "model_not_found": 404,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "insufficient_quota": 429,
    "requests": 429,
    "tokens": 429,
    "server_error": 500,
    "api_error": 500,
    "timeout": 504,
}


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> Failed:
    """An upstream's error answer; a body that is not JSON, such as a page of an edge, is left out."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        value = None
    error = value.get("error") if isinstance(value, dict) else None
    return _failed(error, status, _retry_after(headers))


def failed_in_stream(error: object) -> Failed:
    """The `error` of a chunk; what it stands for is read from its code or its type."""
    details = error if isinstance(error, dict) else {}
    code = details.get("code")
    if isinstance(code, int) and 400 <= code < 600:
        return _failed(error, code, None)
    names = _names(details)
    if not _OVERLOADED.isdisjoint(names):
        return _failed(error, 503, None)
    return _failed(error, next((_STATUS_OF[name] for name in names if name in _STATUS_OF), 502), None)


def encode_error(failed: Failed, request_id: str) -> bytes:
    """The JSON body of an error answer; the request id travels in a header."""
    return msgspec.json.encode({"error": error_object(failed)})


def error_object(failed: Failed) -> JsonObject:
    """`{"message","type","param","code"}`; a quota that is used up is its own type here."""
    error = upstream_error_object(failed)
    return {**error, "type": failed.code} if failed.code == "insufficient_quota" else error


def _failed(error: Any, status: int, retry_after: float | None) -> Failed:
    details = error if isinstance(error, dict) else {}
    code, param = details.get("code"), details.get("param")
    message = error if isinstance(error, str) else details.get("message")
    if status == HTTPStatus.SERVICE_UNAVAILABLE and not _OVERLOADED.isdisjoint(_names(details)):
        status = 529
    return Failed(
        _BY_STATUS.get(status, "api_error" if status >= 500 else "invalid_request_error"),
        message
        if isinstance(message, str) and message
        else f"The upstream answered {status_phrase(status)}.",
        status,
        code if isinstance(code, str) else None,
        param if isinstance(param, str) else None,
        retry_after,
    )


def _names(details: JsonObject) -> list[str]:
    return [name for name in (details.get("code"), details.get("type")) if isinstance(name, str)]


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from `retry-after-ms` or `retry-after`; a date needs a clock and is passed over."""
    for name, scale in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "")) / scale
        except ValueError:
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    return None
