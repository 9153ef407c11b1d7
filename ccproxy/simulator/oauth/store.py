"""What the authorisation servers remember: codes, access tokens, refresh tokens. All in memory.

The upstreams ask `TokenStore.state` whether a bearer they were shown is still good.
"""

import base64
import hashlib
import itertools
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from ccproxy.simulator.oauth import claims
from ccproxy.simulator.oauth.knobs import Knobs
from ccproxy.simulator.oauth.providers import (
    PROVIDERS,
    SIWC_RESOURCE,
    ProviderName,
)

TokenState = Literal["valid", "expired", "revoked", "unknown"]
Refusal = Literal["unknown", "used", "expired", "revoked", "client", "redirect_uri", "state", "verifier"]

CODE_SECONDS = 600


class GrantRefused(Exception):
    """A code or a refresh token is no good. Every provider words the reason in its own way."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person agreed to: which client may act, with which scopes."""

    provider: ProviderName
    client_id: str
    scope: str
    issuer: str
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """An authorisation code and what the exchange has to prove to get tokens for it."""

    grant: Grant
    redirect_uri: str
    challenge: str
    state: str | None
    expires_at: float


@dataclass(frozen=True, slots=True)
class Issued:
    """A fresh set of tokens. Times are Unix seconds."""

    grant: Grant
    access_token: str
    refresh_token: str
    id_token: str | None
    issued_at: float
    expires_at: float


@dataclass(slots=True)
class _Access:
    grant: Grant
    expires_at: float
    revoked: bool = False


@dataclass(slots=True)
class _Refresh:
    grant: Grant
    expires_at: float
    state: Literal["live", "used", "revoked"] = "live"


@dataclass(slots=True)
class TokenStore:
    clock: Callable[[], float] = time.time
    knobs: Knobs = field(default_factory=Knobs)
    counts: Counter[tuple[ProviderName, str, str]] = field(default_factory=Counter)
    _serial: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _codes: dict[str, CodeRequest] = field(default_factory=dict)
    _used_codes: set[str] = field(default_factory=set)
    _access: dict[str, _Access] = field(default_factory=dict)
    _refresh: dict[str, _Refresh] = field(default_factory=dict)

    def reset(self) -> None:
        """As after the start: no tokens, every knob in its place."""
        fresh = TokenStore(self.clock)
        for name in self.__slots__:
            setattr(self, name, getattr(fresh, name))

    def new_code(self, grant: Grant, *, redirect_uri: str, challenge: str, state: str | None = None) -> str:
        code = self.secret("ac_")
        self._codes[code] = CodeRequest(grant, redirect_uri, challenge, state, self.clock() + CODE_SECONDS)
        return code

    def exchange(
        self, code: str, *, client_id: str, redirect_uri: str, verifier: str, state: str | None = None
    ) -> Issued:
        """Tokens for a code. Raises GrantRefused; a code is spent by its first use, right or wrong."""
        if code in self._used_codes:
            raise GrantRefused("used")
        request = self._codes.pop(code, None)
        if request is None:
            raise GrantRefused("unknown")
        self._used_codes.add(code)
        if request.expires_at <= self.clock():
            raise GrantRefused("expired")
        if client_id != request.grant.client_id:
            raise GrantRefused("client")
        if redirect_uri != request.redirect_uri:
            raise GrantRefused("redirect_uri")
        if request.state is not None and state != request.state:
            raise GrantRefused("state")
        if challenge_of(verifier) != request.challenge:
            raise GrantRefused("verifier")
        return self.issue(request.grant)

    def refresh(self, refresh_token: str, *, client_id: str, scope: str | None = None) -> Issued:
        """A new pair for an old refresh token, which is dead from now on. Raises GrantRefused."""
        known = self._refresh.get(refresh_token)
        if known is None:
            raise GrantRefused("unknown")
        if client_id != known.grant.client_id:
            raise GrantRefused("client")
        if known.state != "live":
            raise GrantRefused(known.state)
        if known.expires_at <= self.clock():
            raise GrantRefused("expired")
        known.state = "used"
        return self.issue(known.grant, scope=scope)

    def issue(self, grant: Grant, *, scope: str | None = None) -> Issued:
        """A set of tokens; `scope` narrows the access token, not the refresh token (RFC 6749, section 6)."""
        granted = grant
        if scope:
            kept = [word for word in grant.scope.split() if word in scope.split()]
            granted = replace(grant, scope=" ".join(kept))
        provider, now = PROVIDERS[grant.provider], self.clock()
        serial = next(self._serial)
        lifetime = provider.access_seconds if self.knobs.expires_in is None else self.knobs.expires_in
        expires_at = now + lifetime
        access, refresh, id_token = self._mint(granted, serial, now, expires_at)
        rolling = self.knobs.refresh_expires_in
        self._access[access] = _Access(granted, expires_at)
        self._refresh[refresh] = _Refresh(
            grant, now + (provider.refresh_seconds if rolling is None else rolling)
        )
        return Issued(granted, access, refresh, id_token, now, expires_at)

    def state(self, access_token: str) -> TokenState:
        known = self._access.get(access_token)
        if known is None:
            return "unknown"
        if known.revoked:
            return "revoked"
        return "expired" if known.expires_at <= self.clock() else "valid"

    def grant_of(self, access_token: str) -> Grant | None:
        known = self._access.get(access_token)
        return known.grant if known else None

    def revoke(self, token: str) -> None:
        """Ends one token of either kind; an unknown one is no error (RFC 7009)."""
        if token in self._access:
            self._access[token].revoked = True
        if token in self._refresh:
            self._refresh[token].state = "revoked"

    def revoke_all(self) -> None:
        for token in [*self._access, *self._refresh]:
            self.revoke(token)

    def expire_all(self) -> None:
        """Ends every access token by its time; the refresh tokens stay good."""
        for known in self._access.values():
            known.expires_at = min(known.expires_at, self.clock())

    def active(self) -> dict[str, int]:
        """How many tokens are good now."""
        return {
            "access_tokens": sum(self.state(token) == "valid" for token in self._access),
            "refresh_tokens": sum(r.state == "live" for r in self._refresh.values()),
        }

    def secret(self, prefix: str) -> str:
        """An opaque string that no other call gives; the same ones in the same order in every run."""
        digest = hashlib.sha512(f"simulator {next(self._serial)}".encode()).digest()
        return prefix + base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def _mint(self, grant: Grant, serial: int, now: float, expires_at: float) -> tuple[str, str, str | None]:
        if grant.provider == "anthropic":
            return self.secret("sk-ant-oat01-"), self.secret("sk-ant-ort01-"), None
        siwc = grant.provider == "siwc"
        vendor = {} if siwc else claims.chatgpt_claims()
        access = claims.access_claims(
            grant.issuer, grant.client_id, grant.scope, SIWC_RESOURCE, serial, now, expires_at
        )
        identity = claims.id_claims(grant.issuer, grant.client_id, grant.scope, grant.nonce, now, expires_at)
        id_token = claims.sign(identity | vendor) if "openid" in grant.scope.split() else None
        return claims.sign(access | vendor), self.secret("rt_"), id_token


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636, section 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii", "replace")).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
