"""The logins that may serve one provider, in order: the first one that can be used does."""

from collections.abc import Sequence
from typing import Protocol

from ccproxy.credentials.credential import CredentialError, State, TryLater
from ccproxy.credentials.stores.login import Login


class Source(Protocol):
    """A Refresher, or a Fixed."""

    name: str

    async def fresh(self) -> Login | None: ...
    async def rejected(self, access_token: str) -> Login | None: ...
    async def status(self) -> tuple[Login | None, State, str]: ...
    def start(self) -> None: ...
    async def stop(self) -> None: ...


class Logins:
    """`missing` says what to do when there is none at all."""

    def __init__(self, sources: Sequence[Source], missing: str) -> None:
        self._sources = sources
        self._missing = missing
        self._serving: Source | None = None

    async def fresh(self) -> Login:
        """The login to use now. Raises CredentialError.

        One that only a person can mend is passed by; one that can be renewed a little later is waited for, so
        that requests do not go to another account and back.
        """
        first: CredentialError | None = None
        for source in self._sources:
            try:
                login = await source.fresh()
            except TryLater:
                raise
            except CredentialError as problem:
                first = first or problem
                continue
            if login:
                self._serving = source
                return login
        raise first or CredentialError(self._missing)

    async def rejected(self, access_token: str) -> Login | None:
        """Another login after a 401, from the same place; None if nothing helps."""
        return await self._serving.rejected(access_token) if self._serving else None

    async def status(self) -> tuple[str, Login | None, State, str]:
        """Where the login is found, the login, whether it can be used, and what people should know."""
        first: tuple[str, Login | None, State, str] | None = None
        for source in self._sources:
            login, state, hint = await source.status()
            if state in ("valid", "renewable"):
                return source.name, login, state, hint
            if hint and first is None:
                first = source.name, login, state, hint
        return first or ("nowhere", None, "missing", self._missing)

    def start(self) -> None:
        """Begin to renew ahead of time what is in use."""
        for source in self._sources:
            source.start()

    async def stop(self) -> None:
        """End that. Waits for a renewal that is under way."""
        for source in self._sources:
            await source.stop()
