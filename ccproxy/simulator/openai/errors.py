"""The errors of the OpenAI API: `{"error": {"message", "type", "param", "code"}}`."""

import json
from collections.abc import Mapping
from typing import Any

from ccproxy.simulator.script import HttpError

INVALID = "invalid_request_error"


class ApiError(Exception):
    """A refusal. `kind` is the `type` of the body, `param` the path of the field (`messages[0].role`)."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = INVALID,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.param = param
        self.code = code
        self.headers = dict(headers or {})

    @property
    def error(self) -> dict[str, Any]:
        return {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}

    @property
    def body(self) -> bytes:
        return json.dumps({"error": self.error}, indent=2).encode()


def unknown_parameter(param: str) -> ApiError:
    return ApiError(400, f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")


def missing_parameter(param: str) -> ApiError:
    return ApiError(
        400, f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter"
    )


def invalid_value(param: str, message: str) -> ApiError:
    return ApiError(400, message, param=param, code="invalid_value")


def unsupported_parameter(param: str, hint: str = "") -> ApiError:
    message = f"Unsupported parameter: '{param}' is not supported with this model. {hint}".rstrip()
    return ApiError(400, message, param=param, code="unsupported_parameter")


def unsupported_value(param: str, value: object, supported: str) -> ApiError:
    message = f"Unsupported value: '{param}' does not support {value!r} with this model. {supported}"
    return ApiError(400, message, param=param, code="unsupported_value")


def model_not_found(model: str) -> ApiError:
    return ApiError(
        404,
        f"The model `{model}` does not exist or you do not have access to it.",
        code="model_not_found",
    )


# What a status usually says: type, code, message.
USUAL: dict[int, tuple[str, str | None, str]] = {
    400: (INVALID, None, "The request is invalid."),
    401: (INVALID, "invalid_api_key", "Incorrect API key provided."),
    403: (INVALID, "unsupported_country_region_territory", "Country, region, or territory not supported"),
    404: (INVALID, "model_not_found", "The model does not exist or you do not have access to it."),
    409: (INVALID, None, "The request conflicts with another one."),
    413: (INVALID, None, "The request is too large."),
    422: (INVALID, None, "The request could not be processed."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached. Please try again in 1s."),
    500: ("server_error", None, "The server had an error while processing your request."),
    503: ("server_error", "server_is_overloaded", "The server is overloaded. Please retry later."),
}
OVERLOADED = HttpError(503)
"""What `error200` says without a stream."""

# Codes that a scenario can name: the type they come with, the message.
CODES: dict[str, tuple[str, str]] = {
    "insufficient_quota": ("insufficient_quota", "You exceeded your current quota."),
    "rate_limit_exceeded": ("requests", "Rate limit reached. Please try again in 1s."),
    "server_is_overloaded": ("server_error", "The server is overloaded. Please retry later."),
    "slow_down": ("server_error", "Slow down. Please retry later."),
    "context_length_exceeded": (INVALID, "Your input exceeds the context window of this model."),
    "content_policy_violation": (INVALID, "The request was rejected by the safety system."),
    "invalid_api_key": (INVALID, "Incorrect API key provided."),
    "token_expired": (INVALID, "Your token has expired."),
    "invalid_encrypted_content": (INVALID, "The encrypted content could not be verified."),
    "model_not_found": (INVALID, "The model does not exist or you do not have access to it."),
    "cyber_policy": (INVALID, "The request was rejected by the safety system."),
    "websocket_connection_limit_reached": (INVALID, "The connection has reached its age limit."),
}


def scripted(fault: HttpError) -> ApiError:
    """The error that a scenario asked for; its `type` may be a code or a type of this API."""
    kind, code, message = USUAL.get(fault.status, USUAL[500])
    if fault.type in CODES:
        (kind, message), code = CODES[fault.type], fault.type
    elif fault.type is not None:
        kind, code = fault.type, None
    headers = {"retry-after": f"{fault.retry_after:g}"} if fault.retry_after is not None else {}
    return ApiError(fault.status, message, kind=kind, code=code, headers=headers)
