"""The login that Claude Code keeps in its credentials file, which it renews as well.

Place and layout as Claude Code 2.1 writes them (measured 2026-11-22): `.credentials.json` in
`CLAUDE_CONFIG_DIR` or `~/.claude`, with `claudeAiOauth.{accessToken, refreshToken, expiresAt, scopes,
subscriptionType}`, the time in milliseconds. Other keys, such as `mcpOAuth`, are not ours.
"""

from collections.abc import Mapping
from pathlib import Path

from ccproxy.conversation.parts import JsonObject
from ccproxy.credentials.oauth.claims import moment
from ccproxy.credentials.oauth.tokens import Tokens
from ccproxy.credentials.stores.file_store import FileStore, table, text, texts
from ccproxy.credentials.stores.login import Login
from ccproxy.settings.places import home_dir

KEY = "claudeAiOauth"


def default_path(environ: Mapping[str, str]) -> Path:
    """Where Claude Code keeps its login on this machine."""
    folder = environ.get("CLAUDE_CONFIG_DIR")
    return (Path(folder) if folder else home_dir(environ) / ".claude") / ".credentials.json"


class ClaudeCodeStore(FileStore):
    """Claude Code's file, or one of the same layout."""

    def __init__(self, path: Path, name: str = "Claude Code") -> None:
        super().__init__(path, name)

    def parse(self, content: JsonObject) -> Login | None:
        return login_of(content)

    def put(self, content: JsonObject, tokens: Tokens, *, renewal: bool) -> None:
        before = table(content.get(KEY)) if renewal else {}
        after = {
            "accessToken": tokens.access_token,
            "refreshToken": tokens.refresh_token or before.get("refreshToken"),
            "expiresAt": tokens.expires_at and round(tokens.expires_at.timestamp() * 1000),
            "scopes": list(tokens.scopes) or before.get("scopes", []),
            "subscriptionType": tokens.account.get("plan") or before.get("subscriptionType"),
        }
        content[KEY] = before | after

    def remove(self, content: JsonObject) -> None:
        content.pop(KEY, None)


def login_of(content: JsonObject) -> Login | None:
    """The login in an object of this layout."""
    oauth = table(content.get(KEY))
    access_token, milliseconds = text(oauth.get("accessToken")), oauth.get("expiresAt")
    if access_token is None:
        return None
    return Login(
        access_token,
        text(oauth.get("refreshToken")),
        moment(milliseconds / 1000) if isinstance(milliseconds, int | float) else None,
        plan=text(oauth.get("subscriptionType")),
        scopes=texts(oauth.get("scopes")),
    )
