"""What every kind of credential comes down to."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

State = Literal["valid", "renewable", "expired", "missing", "off", "client"]
"""`renewable`: the access token has ended, and the next request gets a new one."""


@dataclass(frozen=True, slots=True)
class CredentialStatus:
    """A credential as people may see it: never its value, never a path.

    `source` says where it was found, in words; `expires_at` is None when nobody knows.
    """

    kind: str
    source: str
    state: State
    expires_at: datetime | None = None
    hint: str = ""

    @property
    def usable(self) -> bool:
        return self.state in ("valid", "renewable", "client")


@dataclass(frozen=True, slots=True)
class Secret:
    """The headers that authenticate a request, and the beta flag that has to go with them, if any."""

    headers: tuple[tuple[str, str], ...] = field(repr=False)
    beta: str | None = None

    @property
    def bearer(self) -> str | None:
        """The token, if it goes as one."""
        values = [value for name, value in self.headers if name == "authorization"]
        return values[0].removeprefix("Bearer ") if values else None


class CredentialError(Exception):
    """There is no usable credential; the text says what to do."""

    def __init__(self, message: str, *, expired: bool = False) -> None:
        super().__init__(message)
        self.expired = expired


class TryLater(CredentialError):
    """The login is good, as far as anybody knows, but could not be renewed just now."""


class CredentialSource(Protocol):
    """What a backend asks for the credential of a request."""

    async def secret(self) -> Secret | None:
        """The credential to attach, or None when the client's own goes through.

        Raises CredentialError when there is none.
        """
        ...

    async def rejected(self, secret: Secret) -> Secret | None:
        """After the upstream has refused `secret` (401): another one to try once; None if nothing helps."""
        ...

    async def status(self) -> CredentialStatus:
        """The credential for people. Asks no provider."""
        ...

    def start(self) -> None:
        """Begin to renew ahead of time what is in use; needs a running event loop."""
        ...

    async def stop(self) -> None:
        """End that. Waits for a renewal that is under way."""
        ...
