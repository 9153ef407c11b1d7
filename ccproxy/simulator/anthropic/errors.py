"""Anthropic's error answers: status, type, and the short wordings that clients match on."""

from typing import Any

import msgspec

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}

MESSAGES = {
    401: "invalid x-api-key",
    403: "Your account does not have permission for this request.",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Request exceeds the maximum size",
    429: "This request would exceed your account's rate limit. Please try again later.",
    500: "Internal server error",
    529: "Overloaded",
}


class ApiError(Exception):
    """A refusal. `retry_after` is in seconds; `code` becomes `error.details.error_code`."""

    def __init__(
        self,
        status: int,
        message: str | None = None,
        kind: str | None = None,
        retry_after: float | None = None,
        code: str | None = None,
    ) -> None:
        self.status = status
        self.message = message or MESSAGES.get(status, "The request could not be served.")
        self.kind = kind or TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
        self.retry_after = retry_after
        self.code = code
        super().__init__(f"{status} {self.kind}: {self.message}")

    def body(self, request_id: str | None) -> bytes:
        error: dict[str, Any] = {"type": self.kind, "message": self.message}
        if self.code is not None:
            error["details"] = {"error_code": self.code}
        return msgspec.json.encode({"type": "error", "error": error, "request_id": request_id})


def invalid(message: str, code: str | None = None) -> ApiError:
    """A 400 `invalid_request_error`."""
    return ApiError(400, message, code=code)
