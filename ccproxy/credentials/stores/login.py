"""A login, and what every place that keeps one can do."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from ccproxy.credentials.oauth.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Login:
    """Times are UTC; None when nobody knows.

    Without `refresh_token` it is not ours to renew. `account` is the id that goes along with requests
    (ChatGPT), or who it is, for people (Claude).
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    account: str | None = None
    plan: str | None = None
    scopes: tuple[str, ...] = ()
    earliest_refresh_at: datetime | None = None

    def expired(self, now: datetime | None = None) -> bool:
        return self.expires_at is not None and self.expires_at <= (now or datetime.now(UTC))


class Store(Protocol):
    """A place. `name` is what people call it. Every method raises CredentialError when it is broken."""

    @property
    def name(self) -> str: ...

    async def read(self) -> Login | None:
        """The login as it is now: another program may change it at any time. None when there is none."""
        ...

    async def write(self, tokens: Tokens) -> Login:
        """Keep a new login, in place of any that was there."""
        ...

    async def clear(self) -> None:
        """Forget the login, and nothing else."""
        ...
