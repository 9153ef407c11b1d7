"""Reading JSON web tokens, without a look at their signatures: they come from the provider over TLS."""

from datetime import UTC, datetime
from typing import Any

import jwt

AUTH_CLAIM = "https://api.openai.com/auth"
"""Where OpenAI puts the ChatGPT account and plan, in both tokens of a Codex login (Codex CLI, 2026-11-22)."""


def claims(token: object) -> dict[str, Any]:
    """The claims of a JWT; empty when it is none."""
    try:
        return dict(jwt.decode(token, options={"verify_signature": False}))  # type: ignore[arg-type]
    except (jwt.InvalidTokenError, TypeError, ValueError):
        return {}


def moment(seconds: object) -> datetime | None:
    """A claim such as `exp`, in UTC; None when it is no time."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
