"""What a test can turn through `POST /_simulator/oauth`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ccproxy.simulator.oauth.providers import CODEX_REDIRECT_PORTS, ProviderName

Seconds = Annotated[float, Field(ge=0)]


class Knobs(BaseModel):
    """A knob keeps its value until it is changed. A lifetime of None is the provider's own."""

    model_config = ConfigDict(extra="forbid")

    token_endpoint: Literal["ok", "down", "slow", "rate_limited"] = "ok"  # noqa: S105 - a mode, no secret
    delay_seconds: Seconds = 1.0
    """How slow `slow` is."""
    retry_after_seconds: Annotated[int, Field(ge=0)] = 2
    """What `rate_limited` asks for."""
    expires_in: Seconds | None = None
    refresh_expires_in: Seconds | None = None
    earliest_refresh_in: Seconds | None = None
    """Only Sign in with ChatGPT names such a time, and only sometimes."""
    device_login: bool = True
    device_interval: Seconds = 5
    codex_redirect_ports: tuple[int, ...] = CODEX_REDIRECT_PORTS


class Change(Knobs):
    """One order: the knobs to turn, and what to do at once."""

    revoke_all: bool = False
    """Ends every access and refresh token."""
    expire_all: bool = False
    """Ends every access token by its time; refreshing still works."""
    issue: ProviderName | None = None
    """Hands out a set of tokens without a login."""
