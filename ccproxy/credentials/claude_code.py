"""The login that Claude Code keeps in its credentials file. Read only: the file belongs to Claude Code.

Place and layout as Claude Code 2.1 writes them (measured 2026-11-22): `.credentials.json` in
`CLAUDE_CONFIG_DIR` or `~/.claude`, with `claudeAiOauth.{accessToken, expiresAt}`, the time in milliseconds.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ccproxy.credentials.watched import WatchedFile


@dataclass(frozen=True, slots=True)
class Login:
    """An access token and when it ends (None: not written down)."""

    access_token: str = field(repr=False)
    expires_at: datetime | None

    def expired(self, now: datetime | None = None) -> bool:
        return self.expires_at is not None and self.expires_at <= (now or datetime.now(UTC))


class _OAuth(msgspec.Struct, rename="camel"):
    access_token: str
    expires_at: float | None = None


class _File(msgspec.Struct):
    claude_ai_oauth: _OAuth | None = msgspec.field(default=None, name="claudeAiOauth")


def default_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Where Claude Code keeps its login on this machine."""
    folder = environ.get("CLAUDE_CONFIG_DIR")
    return (Path(folder) if folder else Path.home() / ".claude") / ".credentials.json"


class ClaudeCodeFile:
    """The login as it is now: Claude Code rotates the token on its own."""

    def __init__(self, path: Path | None = None) -> None:
        self._file = WatchedFile(lambda: path or default_path(), _parse)

    async def login(self) -> Login | None:
        """The login, or None when there is no readable one."""
        return await self._file.value()


def _parse(content: bytes) -> Login | None:
    try:
        oauth = msgspec.json.decode(content, type=_File).claude_ai_oauth
    except msgspec.MsgspecError:
        return None
    if oauth is None or not oauth.access_token:
        return None
    try:
        milliseconds = oauth.expires_at
        expires = None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return Login(oauth.access_token, expires)
