"""What a login ends in: tokens, or an error that people can read."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ccproxy.conversation.parts import JsonObject
from ccproxy.credentials.oauth.claims import claims, moment


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a token endpoint gave.

    `refresh_token` and `id_token` are None, and `scopes` is empty, when the answer had none: the old ones
    stay. `expires_at` and `earliest_refresh_at` are UTC; None when nobody said. `account` holds facts for
    people, as far as they are known, all of them texts: `account_id`, `email`, `plan`, `organization`,
    `organization_id`, `user_id`, and of Sign in with ChatGPT `client_id`, `issuer` and `subject`.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    id_token: str | None = field(repr=False)
    expires_at: datetime | None
    scopes: tuple[str, ...]
    earliest_refresh_at: datetime | None
    account: JsonObject


class OAuthError(Exception):
    """Something about a login went wrong. The text is for people and holds no secret."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code
        """The provider's word for it (`invalid_grant`), or ours."""


class LoginError(OAuthError):
    """A login did not come to its end: begin it again."""


class TokenError(OAuthError):
    """A token endpoint gave no tokens.

    `terminal`: trying again is no use, log in again. Else try later, after `retry_after` seconds if the
    provider named a time. `status` is that of the HTTP answer, None when there was none.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        terminal: bool = False,
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.terminal = terminal
        self.retry_after = retry_after
        self.status = status


def read_tokens(
    answer: Mapping[str, Any], asked_at: datetime, *, lifetime: float | None = None, account: JsonObject
) -> Tokens:
    """A token response (RFC 6749, section 5.1). Times count from `asked_at`: they end early, never late.

    `lifetime` is what to assume, in seconds, when neither the response nor the token itself says.
    Raises TokenError when there is no access token.
    """
    access_token = _text(answer.get("access_token"))
    if access_token is None:
        raise TokenError(
            "The answer of the token endpoint holds no access token: try again later.", code="bad_answer"
        )
    scope = _text(answer.get("scope")) or ""
    return Tokens(
        access_token,
        _text(answer.get("refresh_token")),
        _text(answer.get("id_token")),
        _later(asked_at, answer.get("expires_in"))
        or moment(claims(access_token).get("exp"))
        or _later(asked_at, lifetime),
        tuple(scope.split()),
        _iso(answer.get("earliest_refresh_at")),
        account,
    )


def known(**facts: object) -> JsonObject:
    """Those facts about an account that are texts and not empty."""
    return {name: fact for name, fact in facts.items() if isinstance(fact, str) and fact}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _later(start: datetime, seconds: object) -> datetime | None:
    """`seconds` may be a number or, as some servers write it, a number in a text."""
    try:
        wait = float(seconds) if isinstance(seconds, int | float | str) else math.nan
        return start + timedelta(seconds=wait) if wait >= 0 else None
    except (ValueError, OverflowError):
        return None


def _iso(value: object) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(value) if isinstance(value, str) else None
        return parsed and parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
