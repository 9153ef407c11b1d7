"""The login that the Codex CLI keeps in its file. Read only: the file belongs to the Codex CLI.

Place and layout as the Codex CLI writes them (its source, read 2026-11-22): `auth.json` in `CODEX_HOME` or
`~/.codex`, with `tokens.{id_token, access_token, refresh_token, account_id}`. The end of an access token is
in its claim `exp`, the account in `tokens.account_id` or in a claim; `sub` is the user and no account.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import msgspec

from ccproxy.credentials.watched import WatchedFile

AUTH_CLAIM = "https://api.openai.com/auth"


@dataclass(frozen=True, slots=True)
class ChatGPTLogin:
    """`expires_at` is None when the token does not say; `account_id` is empty when nothing names one."""

    access_token: str = field(repr=False)
    account_id: str
    plan: str | None
    expires_at: datetime | None

    def expired(self, now: datetime | None = None) -> bool:
        return self.expires_at is not None and self.expires_at <= (now or datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class ApiKeyLogin:
    """The CLI is logged in with a key of the OpenAI platform, which the plan's backend does not take."""


class _Tokens(msgspec.Struct):
    access_token: str = ""
    id_token: Any = None
    account_id: str | None = None


class _File(msgspec.Struct):
    tokens: _Tokens | None = None
    api_key: str | None = msgspec.field(default=None, name="OPENAI_API_KEY")


def default_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the Codex CLI keeps its login on this machine."""
    folder = environ.get("CODEX_HOME")
    return (Path(folder) if folder else Path.home() / ".codex") / "auth.json"


class CodexFile:
    """The login as it is now: the Codex CLI rotates the token on its own."""

    def __init__(self, path: Path | None = None) -> None:
        self._file: WatchedFile[ChatGPTLogin | ApiKeyLogin] = WatchedFile(
            lambda: path or default_path(), parse
        )

    async def login(self) -> ChatGPTLogin | ApiKeyLogin | None:
        """The login, or None when there is no readable one."""
        return await self._file.value()


def parse(content: bytes) -> ChatGPTLogin | ApiKeyLogin | None:
    """What the file says."""
    try:
        file = msgspec.json.decode(content, type=_File)
    except msgspec.MsgspecError:
        return None
    if file.tokens and file.tokens.access_token:
        return _login(file.tokens)
    return ApiKeyLogin() if file.api_key else None


def _login(tokens: _Tokens) -> ChatGPTLogin:
    access, identity = claims(tokens.access_token), claims(tokens.id_token)
    auths = [found for one in (identity, access) if isinstance(found := one.get(AUTH_CLAIM), dict)]
    accounts = [tokens.account_id, *(auth.get("chatgpt_account_id") for auth in auths)]
    plans = [auth.get("chatgpt_plan_type") for auth in auths]
    return ChatGPTLogin(
        tokens.access_token,
        next((account for account in accounts if account and isinstance(account, str)), ""),
        next((plan for plan in plans if plan and isinstance(plan, str)), None),
        _moment(access.get("exp")),
    )


def claims(token: object) -> dict[str, Any]:
    """The claims of a JWT, unverified: they only say where to send it. Empty when it is none."""
    try:
        return dict(jwt.decode(token, options={"verify_signature": False}))  # type: ignore[arg-type]
    except (jwt.InvalidTokenError, TypeError, ValueError):
        return {}


def _moment(seconds: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else None
    except (ValueError, OverflowError, OSError):
        return None
