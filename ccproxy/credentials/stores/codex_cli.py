"""The login that the Codex CLI keeps in its file, which it renews as well.

Place and layout as the Codex CLI writes them (its source, read 2026-11-22): `auth.json` in `CODEX_HOME` or
`~/.codex`, with `tokens.{id_token, access_token, refresh_token, account_id}` and `last_refresh`. The end of
an access token is in its claim `exp`, the account in `tokens.account_id` or in a claim; `sub` is the user
and no account.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from ccproxy.conversation.parts import JsonObject
from ccproxy.credentials.credential import CredentialError
from ccproxy.credentials.oauth.claims import claims, moment
from ccproxy.credentials.oauth.codex import account_of
from ccproxy.credentials.oauth.tokens import Tokens
from ccproxy.credentials.stores.file_store import FileStore, table, text
from ccproxy.credentials.stores.login import Login
from ccproxy.settings.places import home_dir

API_KEY = (
    "The Codex CLI is logged in with an API key, which the ChatGPT plan does not take: run 'ccproxy auth "
    "login-openai', or 'codex login' and choose ChatGPT, or use the /openai routes with openai.api_key "
    "(OPENAI__API_KEY)."
)


def default_path(environ: Mapping[str, str]) -> Path:
    """Where the Codex CLI keeps its login on this machine."""
    folder = environ.get("CODEX_HOME")
    return (Path(folder) if folder else home_dir(environ) / ".codex") / "auth.json"


class CodexCliStore(FileStore):
    """The Codex CLI's file, or one of the same layout."""

    def __init__(self, path: Path, name: str = "Codex CLI") -> None:
        super().__init__(path, name)

    def parse(self, content: JsonObject) -> Login | None:
        """Raises CredentialError for a CLI that is logged in with a key of the OpenAI platform."""
        tokens = table(content.get("tokens"))
        access_token = text(tokens.get("access_token"))
        if access_token is None:
            if text(content.get("OPENAI_API_KEY")):
                raise CredentialError(API_KEY)
            return None
        known = account_of(tokens.get("id_token"), access_token)
        return Login(
            access_token,
            text(tokens.get("refresh_token")),
            moment(claims(access_token).get("exp")),
            text(tokens.get("account_id")) or known.get("account_id"),
            known.get("plan"),
        )

    def put(self, content: JsonObject, tokens: Tokens, *, renewal: bool) -> None:
        if not renewal:
            content["auth_mode"] = "chatgpt"
            content.setdefault("OPENAI_API_KEY", None)
        before = table(content.get("tokens")) if renewal else {}
        after = {
            "id_token": tokens.id_token or before.get("id_token"),
            "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token or before.get("refresh_token"),
            "account_id": before.get("account_id") or tokens.account.get("account_id"),
        }
        content["tokens"] = before | after
        content["last_refresh"] = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

    def remove(self, content: JsonObject) -> None:
        content.pop("tokens", None)
        content.pop("last_refresh", None)
