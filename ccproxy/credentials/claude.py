"""Claude: an API key, or a login, or the client's own credential."""

import getpass
import os
from collections.abc import Mapping

from ccproxy.credentials.credential import CredentialError, CredentialStatus, Secret
from ccproxy.credentials.fixed import Fixed
from ccproxy.credentials.logins import Logins, Source
from ccproxy.credentials.oauth.claude import ClaudeOAuth
from ccproxy.credentials.refresher import Refresher
from ccproxy.credentials.stores import claude_code, keychain
from ccproxy.credentials.stores.claude_env import ClaudeEnvStore
from ccproxy.credentials.stores.own import OwnClaudeStore
from ccproxy.settings import Settings

OAUTH_BETA = "oauth-2025-04-20"
"""An OAuth token is refused without this flag (official Python SDK 2.12, read 2026-11-22)."""

_MISSING = (
    "There is no credential for Claude: set claude.api_key (CLAUDE__API_KEY), or log in (run 'ccproxy auth "
    "login', or run 'claude' and use /login), or set claude.credentials = \"client\" to pass on the "
    "client's own."
)
_LOG_IN = "Run 'ccproxy auth login', or run 'claude' and use /login; or set claude.api_key (CLAUDE__API_KEY)."
_NEW_TOKEN = "Run 'claude setup-token' for a new one, or 'ccproxy auth login'."  # noqa: S105 - advice, no secret
_RUN_CLAUDE = "Run 'claude' once, it renews its login, then try again; or run 'ccproxy auth login'."
_OFF = 'Claude is switched off: claude.credentials is "off".'


class ClaudeCredential:
    """Finds the credential for each request, in the order that `claude.credentials` names."""

    def __init__(self, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
        self._mode = settings.claude.credentials
        key = settings.claude.api_key
        self._api_key = key.get_secret_value() if key and self._mode in ("auto", "api_key") else ""
        wanted = self._mode in ("auto", "oauth") and not self._api_key
        self._logins = Logins(claude_logins(settings, environ) if wanted else [], _MISSING)

    async def secret(self) -> Secret | None:
        if self._mode == "client":
            return None
        if self._mode == "off":
            raise CredentialError(_OFF)
        return for_token(self._api_key or (await self._logins.fresh()).access_token)

    async def rejected(self, secret: Secret) -> Secret | None:
        login = await self._logins.rejected(secret.bearer) if secret.bearer else None
        return for_token(login.access_token) if login else None

    async def status(self) -> CredentialStatus:
        if self._mode == "client":
            return CredentialStatus("client", "the client's own", "client")
        if self._mode == "off":
            return CredentialStatus("none", "claude.credentials", "off", hint=_OFF)
        if self._api_key:
            return CredentialStatus(_kind(self._api_key), "claude.api_key", "valid")
        source, login, state, hint = await self._logins.status()
        if login is None:
            return CredentialStatus("none", source, state, hint=hint)
        ends = None if state == "renewable" else login.expires_at
        return CredentialStatus("oauth", source, state, ends, hint)

    def start(self) -> None:
        self._logins.start()

    async def stop(self) -> None:
        await self._logins.stop()


def claude_logins(settings: Settings, environ: Mapping[str, str] = os.environ) -> list[Source]:
    """Every place where a login for Claude may be, in the order in which they are asked."""
    given, oauth = settings.claude.credentials_path, ClaudeOAuth.from_settings(settings)
    sources: list[Source] = [Fixed(ClaudeEnvStore(environ), _NEW_TOKEN)]
    if given is None and (program := keychain.find()):
        sources.append(Fixed(keychain.KeychainStore(program, getpass.getuser()), _RUN_CLAUDE))
    file = claude_code.ClaudeCodeStore(given or claude_code.default_path(environ))
    sources.append(Refresher(file, oauth, _LOG_IN))
    sources.append(Refresher(OwnClaudeStore(environ), oauth, _LOG_IN))
    return sources


def for_token(token: str) -> Secret:
    """The headers for a key or a token; its prefix tells which it is, whatever header it came in."""
    if _kind(token) == "oauth":
        return Secret((("authorization", f"Bearer {token}"),), beta=OAUTH_BETA)
    return Secret((("x-api-key", token),))


def _kind(token: str) -> str:
    return "oauth" if token.startswith("sk-ant-oat") else "api_key"
