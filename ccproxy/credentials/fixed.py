"""A login that we only read: nobody can renew it, or only the program that it belongs to."""

from ccproxy.credentials.credential import CredentialError, State
from ccproxy.credentials.stores.login import Login, Store


class Fixed:
    """The counterpart of a Refresher. `advice` is a sentence that says how to get another login."""

    def __init__(self, store: Store, advice: str) -> None:
        self.name = store.name
        self._store = store
        self._advice = advice

    async def fresh(self) -> Login | None:
        """The login; None when there is none. Raises CredentialError."""
        login = await self._store.read()
        if login and login.expired():
            raise CredentialError(self._expired(), expired=True)
        return login

    async def rejected(self, access_token: str) -> Login | None:
        """Another login, if there is one by now."""
        try:
            login = await self.fresh()
        except CredentialError:
            return None
        return login if login and login.access_token != access_token else None

    async def status(self) -> tuple[Login | None, State, str]:
        """The login, whether it can be used, and what people should know about it."""
        try:
            login = await self._store.read()
        except CredentialError as problem:
            return None, "missing", str(problem)
        if login is None:
            return None, "missing", ""
        return (login, "expired", self._expired()) if login.expired() else (login, "valid", "")

    def start(self) -> None:
        """There is nothing to renew."""

    async def stop(self) -> None:
        """There is nothing to end."""

    def _expired(self) -> str:
        return f"The login of {self.name} has expired. {self._advice}"
