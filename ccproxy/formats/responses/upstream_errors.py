"""Errors of an upstream that speaks Responses, and errors as its clients read them.

Shapes that are met (API reference and the Codex client's source, read 2026-11-22): `{"error":{"message",
"type","param","code"}}`, and from the backend of ChatGPT plans `{"detail":"text"}` and
`{"detail":{"code","message"}}`.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import JsonObject
from ccproxy.formats.openai_errors import TOO_LONG, status_phrase, upstream_error_object

_BY_STATUS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}

_BY_CODE = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "insufficient_quota": 429,
    "usage_limit_reached": 429,
    "usage_not_included": 429,
    "subscription_sharing_usage_limit_exceeded": 429,
    "server_is_overloaded": 529,
    "slow_down": 529,
    "service_unavailable_error": 529,
    "subscription_sharing_usage_unavailable": 503,
    "subscription_sharing_user_unavailable": 503,
    "server_error": 500,
    "vector_store_timeout": 504,
    "timeout": 504,
    "model_not_found": 404,
    "not_found_error": 404,
    "invalid_api_key": 401,
    "token_expired": 401,
    "token_invalidated": 401,
    "token_revoked": 401,
    "authentication_error": 401,
    "subscription_sharing_invalid_user": 401,
    "permission_error": 403,
    "subscription_sharing_user_not_eligible": 403,
    "context_length_exceeded": 400,
    "invalid_prompt": 400,
    "invalid_value": 400,
    "invalid_encrypted_content": 400,
    "previous_response_not_found": 400,
    "data_residency_mismatch": 400,
    "cyber_policy": 400,
    "bio_policy": 400,
    "misalignment_policy_violation": 400,
    "unsupported_parameter": 400,
    "subscription_sharing_unsupported_capability": 400,
    "invalid_request_error": 400,
}
"""The status that a code or a type stands for, where an error comes inside a stream."""

_OVERLOADED = ("server_is_overloaded", "slow_down")

_WAIT = re.compile(
    r"try again in\s+((?:\d+(?:\.\d+)?\s*(?:milliseconds?|ms|seconds?|s|minutes?|m|hours?|h)\s*)+)", re.I
)
_PIECE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)", re.I)
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_TYPES_THAT_ARE_CODES = ("usage_limit_reached", "usage_not_included")


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> Failed:
    """An error answer; of a body that is not JSON nothing is kept."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        value = None
    failed = failure(_error_in(value), status)
    wait = _number(headers.get("retry-after-ms"), 0.001) or _number(headers.get("retry-after"))
    return failed if wait is None else replace(failed, retry_after=wait)


def failure(error: JsonObject, status: int | None = None) -> Failed:
    """The error object of an answer or of a stream; without a status its code tells which it stands for."""
    code, kind = _string(error.get("code")), _string(error.get("type"))
    message = _string(error.get("message"))
    message = message or ("The upstream failed and did not say why." if status is None else None)
    if status is None:
        status = _status_of(code, kind, message or "")
    elif status in (500, 502, 503) and code in _OVERLOADED:
        status = 529
    if code == "context_length_exceeded" and not (message or "").startswith(TOO_LONG):
        # Claude Code knows by these words that it has to shorten the conversation
        message = f"{TOO_LONG}: {message}" if message else TOO_LONG
    return Failed(
        _BY_STATUS.get(status, "invalid_request_error" if 400 <= status < 500 else "api_error"),
        message or f"The upstream answered {status_phrase(status)}.",
        status,
        code or (kind if kind in _TYPES_THAT_ARE_CODES else None),
        _string(error.get("param")),
        _number(error.get("resets_in_seconds")) or _wait_in(message or ""),
    )


def _error_in(value: Any) -> JsonObject:
    """What the body says of the error, in the shape of OpenAI's error object."""
    match value:
        case {"error": dict() as error} | {"detail": dict() as error}:
            return error
        case {"error": str() as message} | {"detail": str() as message} | {"message": str() as message}:
            return {"message": message}
        case {"detail": [{"msg": str() as message}, *_]}:
            return {"message": message}
    return {}


def _status_of(code: str | None, kind: str | None, message: str) -> int:
    if "at capacity" in message:
        return 429
    return _BY_CODE.get(code or "") or _BY_CODE.get(kind or "") or 502


def _wait_in(message: str) -> float | None:
    found = _WAIT.search(message)
    if not found:
        return None
    total = 0.0
    for count, unit in _PIECE.findall(found[1]):
        small = unit.lower().startswith(("ms", "milli"))
        total += float(count) * (0.001 if small else _SECONDS[unit[0].lower()])
    return total


def encode_error(failed: Failed, request_id: str) -> bytes:
    """`{"error":{"message","type","param","code"}}`; the request id travels in a header."""
    return msgspec.json.encode({"error": upstream_error_object(failed)})


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object, unit: float = 1.0) -> float | None:
    try:
        number = float(value) * unit if isinstance(value, str | int | float) else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and 0 <= number < float("inf") else None
