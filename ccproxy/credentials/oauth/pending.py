"""Logins that have begun and wait for their redirect, whichever way it comes. In memory only."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ccproxy.credentials.oauth.callback import Callback
from ccproxy.credentials.oauth.pkce import Attempt, same
from ccproxy.credentials.oauth.tokens import LoginError, Tokens

LIFETIME = 10 * 60.0
"""Seconds until a login that has begun is forgotten."""


class Provider(Protocol):
    """What a login needs of ClaudeOAuth, CodexOAuth or SiwcOAuth."""

    @property
    def pasted_redirect_uri(self) -> str: ...

    async def authorize_url(self, attempt: Attempt) -> str: ...

    async def exchange(self, attempt: Attempt, callback: Callback) -> Tokens: ...


@dataclass(frozen=True, slots=True)
class _Login:
    provider: Provider
    attempt: Attempt
    started: float


class Pending:
    """The logins of one process, each of which can be finished once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._logins: list[_Login] = []

    async def begin(self, provider: Provider, redirect_uri: str | None = None) -> tuple[str, str]:
        """The page to open, and the state that its redirect will carry.

        Without a `redirect_uri` the redirect is one whose outcome a person copies. Raises TokenError when
        the provider has to be asked for the page and does not answer.
        """
        attempt = Attempt(redirect_uri or provider.pasted_redirect_uri)
        url = await provider.authorize_url(attempt)
        self._forget_old()
        self._logins.append(_Login(provider, attempt, self._clock()))
        return url, attempt.state

    async def finish(self, state: str, code: str, client_id: str | None = None) -> Tokens:
        """The tokens of the login with that state, which is used up by it. Raises LoginError, TokenError."""
        self._forget_old()
        found = [login for login in self._logins if same(login.attempt.state, state)]
        if not found:
            raise LoginError("That login is not known, or took too long: begin again.", code="unknown_state")
        self._logins.remove(found[0])
        return await found[0].provider.exchange(found[0].attempt, Callback(code, state, client_id))

    def _forget_old(self) -> None:
        oldest = self._clock() - LIFETIME
        self._logins = [login for login in self._logins if login.started > oldest]
