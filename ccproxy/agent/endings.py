"""How a turn of Claude Code ended, in the words of the Messages API.

Claude Code says `success` of turns that have failed: what counts is `is_error`, and then the API's status
(measured with 2.1.330, 2026-11-22).
"""

import json
import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import JsonObject
from ccproxy.formats.anthropic.upstream_errors import TOO_LONG, failed

NOT_LOGGED_IN = (
    "Claude Code is not logged in. Run `claude auth login`, or set claude.api_key to an API key, "
    "and start ccproxy again."
)

_REGULAR = frozenset({"end_turn", "stop_sequence", "max_tokens", "refusal", "model_context_window_exceeded"})
_LIMITS = ("error_max_turns", "error_max_budget_usd")
_STATUS = {
    "rate_limit": 429,
    "billing_error": 402,
    "invalid_request": 400,
    "model_not_found": 404,
    "authentication_failed": 401,
    "overloaded": 529,
    "server_error": 500,
}
"""What Claude Code calls errors of the API, where it does not give their status."""

_PREFIX = re.compile(r"API Error:?\s*(?:Request rejected \(\d{3}\) · |\(?\d{3}\)?:? )?")
_DIAGNOSTIC = "[ede_diagnostic]"


@dataclass(frozen=True, slots=True)
class Ending:
    """A regular end."""

    stop_reason: str
    stop_sequence: str | None = None
    stop_details: JsonObject | None = None

    @property
    def delta(self) -> JsonObject:
        """As a `message_delta` says it."""
        said: JsonObject = {"stop_reason": self.stop_reason, "stop_sequence": self.stop_sequence}
        return said | ({"stop_details": self.stop_details} if self.stop_details else {})


def ending(result: JsonObject, error: JsonObject, limit: JsonObject, has_begun: bool) -> Ending | Failed:
    """The end that a `result` line tells.

    `error` is the `assistant` line that told of an error, `limit` the last `rate_limit_info`, each empty if
    there was none. `has_begun`: the client has been told something.
    """
    reason = result.get("stop_reason")
    if reason == "refusal":
        return Ending("refusal", stop_details=_refusal(error))
    if result.get("is_error") is not True:
        return Ending(reason if isinstance(reason, str) and reason in _REGULAR else "end_turn")
    if "max_output_tokens" in (result.get("api_error"), error.get("error")):
        return Ending("max_tokens")
    why = result.get("terminal_reason")
    if result.get("subtype") in _LIMITS or why == "max_turns" or reason == "pause_turn":
        return Ending("pause_turn")
    if isinstance(why, str) and why.startswith("aborted"):
        interrupted = Failed("api_error", "Claude Code was interrupted before it answered.", 500)
        return Ending("pause_turn") if has_begun else interrupted
    return _failed(result, error, limit)


def _failed(result: JsonObject, error: JsonObject, limit: JsonObject) -> Failed:
    kind = error.get("error")
    status = _number(result.get("api_error_status")) or _number(error.get("api_error_status"))
    if status is None and kind == "authentication_failed":
        return Failed("api_error", NOT_LOGGED_IN, 503)
    if status is None:
        status = _STATUS.get(kind, 502) if isinstance(kind, str) else 502
    said = {"type": result.get("api_error_type") or error.get("api_error_type"), "message": _message(result)}
    retry_after = _seconds_until_reset(limit, error.get("timestamp")) if status == 429 else None
    return failed({"error": said}, status, retry_after)


def _message(result: JsonObject) -> str:
    """What went wrong, without what Claude Code puts in front of the API's own words."""
    text = result.get("result")
    if not isinstance(text, str) or not text.strip():
        errors = result.get("errors")
        given = errors if isinstance(errors, list) else []
        texts = [one for one in given if isinstance(one, str) and not one.startswith(_DIAGNOSTIC)]
        return "; ".join(texts) or "Claude Code ended its turn with an error, and said nothing about it."
    text = _without_prefix(text)
    return TOO_LONG + text[len(TOO_LONG) :] if text.lower().startswith(TOO_LONG) else text


def _without_prefix(text: str) -> str:
    rest = text.strip()
    if match := _PREFIX.match(rest):
        rest = rest[match.end() :] or rest
    # older versions repeat the API's answer as it was
    try:
        body: Any = json.loads(rest) if rest.startswith("{") else None
    except (ValueError, RecursionError):
        return rest
    match body:
        case {"error": {"message": str(message)}} if message:
            return message
    return rest


def _refusal(error: JsonObject) -> JsonObject:
    """The details of a refusal; Claude Code's explanation is the first paragraph of what it says."""
    explanation = None
    match error.get("message"):
        case {"content": [{"type": "text", "text": str(text)}, *_]}:
            explanation = _without_prefix(text).partition("\n\n")[0]
    return {"type": "refusal", "category": None, "explanation": explanation}


def _seconds_until_reset(limit: JsonObject, now: object) -> float | None:
    """How long a used-up plan has to wait, counted from the time that the error line bears."""
    resets = _number(limit.get("resetsAt"))
    if limit.get("status") != "rejected" or resets is None or not isinstance(now, str):
        return None
    try:
        seconds = resets - datetime.fromisoformat(now).timestamp()
    except (ValueError, OverflowError):
        return None
    return math.ceil(seconds) if seconds > 0 else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
