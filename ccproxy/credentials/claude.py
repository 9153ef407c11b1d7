"""Claude: an API key, or the login of Claude Code, or the client's own credential."""

from ccproxy.credentials.claude_code import ClaudeCodeFile, Login
from ccproxy.credentials.credential import CredentialError, CredentialStatus, Secret
from ccproxy.settings import Settings

OAUTH_BETA = "oauth-2025-04-20"
"""An OAuth token is refused without this flag (official Python SDK 2.12, read 2026-11-22)."""

_MISSING = (
    "There is no credential for Claude: set claude.api_key (CLAUDE__API_KEY), or log in with Claude Code "
    "(run 'claude' and use /login), or set claude.credentials = \"client\" to pass the client's own."
)
_EXPIRED = (
    "The Claude login has expired: run 'claude' once, it renews its login, then try again; "
    "or set claude.api_key (CLAUDE__API_KEY)."
)
_OFF = 'Claude is switched off: claude.credentials is "off".'


class ClaudeCredential:
    """Finds the credential for each request, in the order that `claude.credentials` names."""

    def __init__(self, settings: Settings) -> None:
        self._mode = settings.claude.credentials
        key = settings.claude.api_key
        self._api_key = key.get_secret_value() if key and self._mode in ("auto", "api_key") else ""
        self._file = ClaudeCodeFile(settings.claude.credentials_path)

    async def secret(self) -> Secret | None:
        if self._mode == "client":
            return None
        if self._mode == "off":
            raise CredentialError(_OFF)
        if self._api_key:
            return for_token(self._api_key)
        login = await self._login()
        if login is None:
            raise CredentialError(_MISSING)
        if login.expired():
            raise CredentialError(_EXPIRED, expired=True)
        return for_token(login.access_token)

    async def status(self) -> CredentialStatus:
        if self._mode == "client":
            return CredentialStatus("client", "the client's own", "client")
        if self._mode == "off":
            return CredentialStatus("none", "claude.credentials", "off", hint=_OFF)
        if self._api_key:
            return CredentialStatus(_kind(self._api_key), "claude.api_key", "valid")
        login = await self._login()
        if login is None:
            return CredentialStatus("none", "nowhere", "missing", hint=_MISSING)
        state, hint = ("expired", _EXPIRED) if login.expired() else ("valid", "")
        return CredentialStatus("oauth", "Claude Code", state, login.expires_at, hint)  # type: ignore[arg-type]

    async def _login(self) -> Login | None:
        return await self._file.login() if self._mode in ("auto", "oauth") else None


def for_token(token: str) -> Secret:
    """The headers for a key or a token; its prefix tells which it is, whatever header it came in."""
    if _kind(token) == "oauth":
        return Secret((("authorization", f"Bearer {token}"),), beta=OAUTH_BETA)
    return Secret((("x-api-key", token),))


def _kind(token: str) -> str:
    return "oauth" if token.startswith("sk-ant-oat") else "api_key"
