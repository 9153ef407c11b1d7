"""Plan usage of Sign in with ChatGPT: a login that OpenAI documents for local applications."""

import os
from collections.abc import Mapping

from ccproxy.credentials.credential import CredentialError, CredentialStatus, Secret
from ccproxy.credentials.logins import Logins
from ccproxy.credentials.oauth.constants import siwc_constants
from ccproxy.credentials.oauth.siwc import SiwcOAuth
from ccproxy.credentials.oauth.tokens import Tokens
from ccproxy.credentials.refresher import Refresher
from ccproxy.credentials.stores.login import Login
from ccproxy.credentials.stores.siwc import SiwcStore
from ccproxy.settings import Settings

_LOG_IN = "Run 'ccproxy auth login-openai --siwc'."
_MISSING = f"There is no Sign in with ChatGPT. {_LOG_IN}"
_DECLINED = f"This sign-in does not let ccproxy use the ChatGPT plan. {_LOG_IN}"


class Renewal:
    """Renews under the client id that this installation was given, which only its file knows."""

    def __init__(self, settings: Settings, store: SiwcStore) -> None:
        self._settings = settings
        self._store = store

    async def refresh(self, refresh_token: str) -> Tokens:
        """Raises TokenError."""
        registration = await self._store.registration()
        return await SiwcOAuth.from_settings(self._settings, registration).refresh(refresh_token)


class SiwcCredential:
    """The token alone: this way knows no account header."""

    def __init__(self, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
        store = SiwcStore(environ)
        self._scope = siwc_constants(settings).plan_scope
        self._logins = Logins([Refresher(store, Renewal(settings, store), _LOG_IN)], _MISSING)

    async def secret(self) -> Secret:
        """Raises CredentialError."""
        login = await self._logins.fresh()
        if not self._grants(login):
            raise CredentialError(_DECLINED)
        return _secret(login)

    async def rejected(self, secret: Secret) -> Secret | None:
        login = await self._logins.rejected(secret.bearer) if secret.bearer else None
        return _secret(login) if login and self._grants(login) else None

    async def status(self) -> CredentialStatus:
        source, login, state, hint = await self._logins.status()
        if login is None:
            return CredentialStatus("none", source, state, hint=hint)
        if not self._grants(login):
            return CredentialStatus("siwc", source, "missing", None, _DECLINED)
        ends = None if state == "renewable" else login.expires_at
        return CredentialStatus("siwc", source, state, ends, hint)

    def start(self) -> None:
        self._logins.start()

    async def stop(self) -> None:
        await self._logins.stop()

    def _grants(self, login: Login) -> bool:
        return self._scope in login.scopes


def _secret(login: Login) -> Secret:
    return Secret((("authorization", f"Bearer {login.access_token}"),))
