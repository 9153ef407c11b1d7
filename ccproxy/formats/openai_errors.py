"""The error object that Chat Completions and Responses share (errors guide, read 2026-11-22)."""

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
