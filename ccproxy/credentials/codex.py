"""ChatGPT plan: a Codex login, Sign in with ChatGPT, or the client's own credential."""

import os
from collections.abc import Mapping
from typing import Literal

from ccproxy.credentials.credential import CredentialError, CredentialStatus, Secret
from ccproxy.credentials.logins import Logins, Source
from ccproxy.credentials.oauth.codex import CodexOAuth
from ccproxy.credentials.refresher import Refresher
from ccproxy.credentials.siwc import SiwcCredential
from ccproxy.credentials.stores import codex_cli
from ccproxy.credentials.stores.login import Login
from ccproxy.credentials.stores.own import OwnCodexStore
from ccproxy.settings import Settings

ACCOUNT = "chatgpt-account-id"

_MISSING = (
    "There is no ChatGPT login: run 'ccproxy auth login-openai', or 'codex login' and choose ChatGPT, or set "
    'codex.credentials = "client" to pass the client\'s own.'
)
_NO_ACCOUNT = "The Codex login names no ChatGPT account."
_LOG_IN = "Run 'ccproxy auth login-openai', or 'codex login' and choose ChatGPT."
_OFF = 'Codex is switched off: codex.credentials is "off".'

Way = Literal["plan", "siwc"]
"""How the plan is reached: by the Codex CLI's backend, or by the public API with Sign in with ChatGPT."""


class CodexCredential:
    """Finds the credential for each request, as `codex.credentials` says."""

    def __init__(self, settings: Settings, environ: Mapping[str, str] = os.environ) -> None:
        self._mode = settings.codex.credentials
        wanted = self._mode in ("auto", "codex")
        self._logins = Logins(codex_logins(settings, environ) if wanted else [], _MISSING)
        self._siwc = SiwcCredential(settings, environ) if self._mode in ("auto", "siwc") else None

    async def way(self) -> Way:
        """Which of the two the next request uses: a Codex login goes first, if both are there."""
        return "plan" if await self._signed_in() is None else "siwc"

    async def secret(self) -> Secret | None:
        if self._mode == "client":
            return None
        if self._mode == "off":
            raise CredentialError(_OFF)
        if siwc := await self._signed_in():
            return await siwc.secret()
        return _secret(await self._logins.fresh())

    async def rejected(self, secret: Secret) -> Secret | None:
        if self._siwc and not any(name == ACCOUNT for name, _ in secret.headers):
            return await self._siwc.rejected(secret)
        login = await self._logins.rejected(secret.bearer) if secret.bearer else None
        return _secret(login) if login and login.account else None

    async def status(self) -> CredentialStatus:
        if self._mode == "client":
            return CredentialStatus("client", "the client's own", "client")
        if self._mode == "off":
            return CredentialStatus("none", "codex.credentials", "off", hint=_OFF)
        if siwc := await self._signed_in():
            return await siwc.status()
        source, login, state, hint = await self._logins.status()
        if login is None:
            return CredentialStatus("none", source, state, hint=hint)
        if not login.account and state != "expired":
            state, hint = "missing", f"{_NO_ACCOUNT} {_LOG_IN}"
        ends = None if state == "renewable" else login.expires_at
        return CredentialStatus("chatgpt", source, state, ends, hint)

    def start(self) -> None:
        self._logins.start()
        if self._siwc:
            self._siwc.start()

    async def stop(self) -> None:
        await self._logins.stop()
        if self._siwc:
            await self._siwc.stop()

    async def _signed_in(self) -> SiwcCredential | None:
        """Sign in with ChatGPT, if that is to be used now."""
        if self._siwc is None or self._mode == "siwc":
            return self._siwc
        _, _, state, _ = await self._logins.status()
        if state in ("valid", "renewable") or not (await self._siwc.status()).usable:
            return None
        return self._siwc


def codex_logins(settings: Settings, environ: Mapping[str, str] = os.environ) -> list[Source]:
    """Every place where a Codex login may be, in the order in which they are asked."""
    oauth = CodexOAuth.from_settings(settings)
    path = settings.codex.auth_path or codex_cli.default_path(environ)
    return [
        Refresher(codex_cli.CodexCliStore(path), oauth, _LOG_IN),
        Refresher(OwnCodexStore(environ), oauth, _LOG_IN),
    ]


def _secret(login: Login) -> Secret:
    if not login.account:
        raise CredentialError(f"{_NO_ACCOUNT} {_LOG_IN}")
    token = ("authorization", f"Bearer {login.access_token}")
    return Secret((token, (ACCOUNT, login.account)))
