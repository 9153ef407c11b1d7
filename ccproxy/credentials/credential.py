"""What every kind of credential comes down to."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

State = Literal["valid", "expired", "missing", "off", "client"]


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
        return self.state in ("valid", "client")


@dataclass(frozen=True, slots=True)
class Secret:
    """The headers that authenticate a request, and the beta flag that has to go with them, if any."""

    headers: tuple[tuple[str, str], ...] = field(repr=False)
    beta: str | None = None


class CredentialError(Exception):
    """There is no usable credential; the text says what to do."""

    def __init__(self, message: str, *, expired: bool = False) -> None:
        super().__init__(message)
        self.expired = expired


class CredentialSource(Protocol):
    """What a backend asks for the credential of a request."""

    async def secret(self) -> Secret | None:
        """The credential to attach, or None when the client's own goes through.

        Raises CredentialError when there is none.
        """
        ...

    async def status(self) -> CredentialStatus: ...
