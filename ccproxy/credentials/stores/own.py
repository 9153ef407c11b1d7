"""The logins made with `ccproxy auth`, in our own data folder, laid out as the CLIs lay out theirs.

They are logins of their own, never copies: two programs that hold one refresh token log each other out.
"""

from collections.abc import Mapping

from ccproxy.conversation.parts import JsonObject
from ccproxy.credentials.oauth.tokens import Tokens
from ccproxy.credentials.stores.claude_code import ClaudeCodeStore
from ccproxy.credentials.stores.codex_cli import CodexCliStore
from ccproxy.credentials.stores.file_store import table, text
from ccproxy.credentials.stores.login import Login
from ccproxy.settings.places import data_dir

NAME = "ccproxy's own login"


class OwnClaudeStore(ClaudeCodeStore):
    """`claude.json`; a key `account` says whose login it is."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(data_dir(environ) / "claude.json", NAME)

    def parse(self, content: JsonObject) -> Login | None:
        login, account = super().parse(content), table(content.get("account"))
        if login is None:
            return None
        who = text(account.get("email")) or text(account.get("account_id"))
        return Login(login.access_token, login.refresh_token, login.expires_at, who, login.plan, login.scopes)

    def put(self, content: JsonObject, tokens: Tokens, *, renewal: bool) -> None:
        super().put(content, tokens, renewal=renewal)
        before = table(content.get("account")) if renewal else {}
        content["account"] = before | tokens.account

    def remove(self, content: JsonObject) -> None:
        super().remove(content)
        content.pop("account", None)


class OwnCodexStore(CodexCliStore):
    """`codex.json`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(data_dir(environ) / "codex.json", NAME)
