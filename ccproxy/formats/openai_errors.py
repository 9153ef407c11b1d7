"""The error object that Chat Completions and Responses share (errors guide, read 2026-11-22)."""

from http import HTTPStatus

from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import JsonObject
from ccproxy.failures import Failure

_TYPES = {
    "authentication_error": "authentication_error",
    "permission_error": "permission_error",
    "api_error": "server_error",
    "timeout_error": "server_error",
    "overloaded_error": "service_unavailable_error",
}


def error_object(failure: Failure) -> dict[str, object]:
    """`{"message","type","param","code"}`; what the client did wrong is an `invalid_request_error`."""
    return {
        "message": failure.message,
        "type": _TYPES.get(failure.type, "invalid_request_error"),
        "param": failure.param,
        "code": failure.code,
    }


TOO_LONG = "prompt is too long"
"""How a message begins that says so; clients such as Claude Code act on these words."""

_UPSTREAM: dict[str, tuple[str, str | None]] = {
    "invalid_request_error": ("invalid_request_error", None),
    "authentication_error": ("authentication_error", "invalid_api_key"),
    "billing_error": ("insufficient_quota", "insufficient_quota"),
    "permission_error": ("permission_error", None),
    "not_found_error": ("invalid_request_error", "model_not_found"),
    "conflict_error": ("invalid_request_error", None),
    "request_too_large": ("invalid_request_error", "request_too_large"),
    "rate_limit_error": ("rate_limit_error", "rate_limit_exceeded"),
    "timeout_error": ("server_error", "timeout"),
    "overloaded_error": ("server_error", "server_is_overloaded"),
}
"""OpenAI's type and code for an error type of the Messages API; any other is a `server_error`."""


def upstream_error_object(failed: Failed) -> JsonObject:
    """An upstream's error; its own code is kept, a code of ours stands for what it left out."""
    kind, code = _UPSTREAM.get(failed.type, ("server_error", None))
    if failed.type == "invalid_request_error" and failed.message.startswith(TOO_LONG):
        code = "context_length_exceeded"
    return {"message": failed.message, "type": kind, "param": failed.param, "code": failed.code or code}


def status_phrase(status: int) -> str:
    """A status with its name, for an upstream that said nothing else."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
