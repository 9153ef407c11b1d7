"""The errors of the ChatGPT backend: a bare `{"detail": ...}`, or OpenAI's shape with codes of its own."""

import base64
import json
from collections.abc import Mapping

from ccproxy.simulator.oauth.providers import ACCOUNT
from ccproxy.simulator.openai.errors import ApiError, scripted
from ccproxy.simulator.script import HttpError

PLAIN = {400: "Bad request", 401: "Unauthorized", 403: "Forbidden"}
USAGE_SECONDS = 3600
"""How long a used-up plan window still lasts, unless the scenario says."""


class Detail(ApiError):
    """A refusal of the form `{"detail": "text"}`."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, message, headers=headers)

    @property
    def body(self) -> bytes:
        return json.dumps({"detail": self.message}).encode()


class Blocked(ApiError):
    """What the network in front of the backend answers: a page, not JSON."""

    def __init__(self) -> None:
        super().__init__(403, "Blocked", headers={"content-type": "text/html; charset=UTF-8"})

    @property
    def body(self) -> bytes:
        return (
            b"<!DOCTYPE html><title>Just a moment...</title><p>Enable JavaScript and cookies to continue</p>"
        )


class UsageLimit(ApiError):
    """The plan's window is used up. `resets_at` is in Unix seconds."""

    def __init__(self, now: float, seconds: float) -> None:
        super().__init__(429, "The usage limit has been reached", kind="usage_limit_reached")
        self.resets_at = int(now + seconds)
        self.seconds = int(seconds)

    @property
    def error(self) -> dict[str, object]:
        return {
            "type": self.kind,
            "message": self.message,
            "plan_type": ACCOUNT.plan,
            "resets_at": self.resets_at,
            "resets_in_seconds": self.seconds,
        }


def unauthorized(code: str, message: str) -> ApiError:
    """A 401 whose code is also in two headers."""
    coded = base64.b64encode(json.dumps({"error": {"code": code}}).encode()).decode()
    headers = {"x-openai-authorization-error": code, "x-error-json": coded}
    return ApiError(401, message, code=code, headers=headers)


def asked_for(fault: HttpError, now: float) -> ApiError:
    """The error of a scenario: `usage_limit`, `usage_not_included`, `capacity`, `blocked`, else the API's."""
    match fault.status, fault.type:
        case 429, "usage_limit" | "usage_limit_reached":
            return UsageLimit(now, USAGE_SECONDS if fault.retry_after is None else fault.retry_after)
        case 429, "usage_not_included":
            return ApiError(429, "Your plan does not include Codex.", kind="usage_not_included")
        case _, "capacity":
            message = "Selected model is at capacity. Please try a different model."
            return ApiError(fault.status, message, kind="server_error")
        case 403, "blocked":
            return Blocked()
        case 401, str(code):
            return unauthorized(code, "Your authentication token cannot be used. Please sign in again.")
        case 400 | 401 | 403, None:
            return Detail(fault.status, PLAIN[fault.status])
    return scripted(fault)
