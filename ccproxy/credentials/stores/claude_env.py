"""The long-lived token of `claude setup-token`, in the variable that Claude Code takes it from.

It lives for about a year, nobody can see when it ends, and it cannot be renewed (Claude Code 2.1, read
2026-11-22). Claude Code prefers it to a stored login, and so do we.
"""

from collections.abc import Mapping

from ccproxy.credentials.credential import CredentialError
from ccproxy.credentials.oauth.tokens import Tokens
from ccproxy.credentials.stores.login import Login

VARIABLE = "CLAUDE_CODE_OAUTH_TOKEN"

_NOT_OURS = f"{VARIABLE} is set in the environment: change or unset it there."


class ClaudeEnvStore:
    """What the variable says; nobody but the user can change it."""

    name = VARIABLE

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    async def read(self) -> Login | None:
        token = self._environ.get(VARIABLE, "").strip()
        return Login(token, scopes=("user:inference",)) if token else None

    async def write(self, tokens: Tokens) -> Login:
        raise CredentialError(_NOT_OURS)

    async def clear(self) -> None:
        raise CredentialError(_NOT_OURS)
