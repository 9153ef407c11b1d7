"""ChatGPT plan: the login of the Codex CLI, or the client's own credential."""

from ccproxy.credentials.codex_cli import ApiKeyLogin, ChatGPTLogin, CodexFile
from ccproxy.credentials.credential import CredentialError, CredentialStatus, Secret
from ccproxy.settings import Settings

_MISSING = (
    "There is no ChatGPT login: log in with the Codex CLI (run 'codex login' and choose ChatGPT), or set "
    'codex.credentials = "client" to pass the client\'s own.'
)
_API_KEY = (
    "The Codex CLI is logged in with an API key, which the ChatGPT plan does not take: run 'codex login' and "
    "choose ChatGPT, or use the /openai routes with openai.api_key (OPENAI__API_KEY)."
)
_NO_ACCOUNT = "The Codex login names no ChatGPT account: run 'codex login' again and choose ChatGPT."
_EXPIRED = "The ChatGPT login has expired: run 'codex' once, it renews its login, then try again."
_OFF = 'Codex is switched off: codex.credentials is "off".'
_SIWC = 'Signing in with ChatGPT is not built yet: set codex.credentials = "codex".'


class CodexCredential:
    """Finds the credential for each request, as `codex.credentials` says."""

    def __init__(self, settings: Settings) -> None:
        self._mode = settings.codex.credentials
        self._file = CodexFile(settings.codex.auth_path)

    async def secret(self) -> Secret | None:
        if self._mode == "client":
            return None
        login, problem, expired = await self._find()
        if login is None or problem:
            raise CredentialError(problem, expired=expired)
        token = ("authorization", f"Bearer {login.access_token}")
        return Secret((token, ("chatgpt-account-id", login.account_id)))

    async def status(self) -> CredentialStatus:
        if self._mode == "client":
            return CredentialStatus("client", "the client's own", "client")
        login, problem, expired = await self._find()
        if login is None:
            off = self._mode in ("off", "siwc")
            source = "codex.credentials" if off else "nowhere"
            return CredentialStatus("none", source, "off" if off else "missing", hint=problem)
        state = "expired" if expired else "missing" if problem else "valid"
        return CredentialStatus("chatgpt", "Codex CLI", state, login.expires_at, problem)  # type: ignore[arg-type]

    async def _find(self) -> tuple[ChatGPTLogin | None, str, bool]:
        """The login, what is wrong, and whether that is its age."""
        if self._mode in ("off", "siwc"):
            return None, _OFF if self._mode == "off" else _SIWC, False
        login = await self._file.login()
        if not isinstance(login, ChatGPTLogin):
            return None, _API_KEY if isinstance(login, ApiKeyLogin) else _MISSING, False
        if login.expired():
            return login, _EXPIRED, True
        return login, "" if login.account_id else _NO_ACCOUNT, False
