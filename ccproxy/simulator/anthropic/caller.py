"""Who calls: the credential, the API version and the beta flags of a request."""

from dataclasses import dataclass
from typing import Literal

from starlette.datastructures import Headers

from ccproxy.simulator.anthropic.catalogue import betas
from ccproxy.simulator.anthropic.errors import ApiError, invalid
from ccproxy.simulator.oauth.store import TokenStore

OAUTH_BETA = "oauth-2025-04-20"
OAUTH_PREFIX = "sk-ant-oat"
OLD_VERSION = "2023-06-01"
NEW_VERSION = "2026-10-21"


EXPIRED = "OAuth token has expired. Please obtain a new token or refresh your existing token."
REVOKED = "OAuth token has been revoked. Please obtain a new token."


@dataclass(frozen=True, slots=True)
class Caller:
    """`kind` decides which limits the answer reports; `version` is None where none was asked for."""

    kind: Literal["key", "oauth"]
    credential: str
    version: str | None
    flags: frozenset[str]

    def has_any(self, flags: frozenset[str]) -> bool:
        return not self.flags.isdisjoint(flags)


def identify(headers: Headers, tokens: TokenStore, needs_version: bool = True) -> Caller:
    """The caller of a request, or the `ApiError` the real API answers with.

    An access token that the simulator issued itself is good until it expires or is revoked. Any other value
    is good too, with exceptions that make failures testable: one that contains `invalid` or `expired` is a
    401, one that contains `revoked` a 403. `sk-ant-oat…` is an OAuth access token, the rest are API keys.
    """
    flags = _flags(headers)
    name, value = _credential(headers)
    kind: Literal["key", "oauth"] = "key"
    if name == "authorization" and value.startswith(OAUTH_PREFIX):
        kind = "oauth"
        if OAUTH_BETA not in flags:
            raise ApiError(401, "OAuth authentication is currently not supported.")
        _check_token(value, tokens)
    else:
        _check_key(value, "invalid x-api-key" if name == "x-api-key" else "Invalid bearer token")
    version = headers.get("anthropic-version")
    if needs_version and version is None:
        raise invalid("anthropic-version: header is required")
    if version not in (None, OLD_VERSION, NEW_VERSION):
        raise invalid(f'anthropic-version: "{version}" is not a valid version')
    unknown = sorted(flags - betas().known)
    if unknown:
        names = ", ".join(f"`{name}`" for name in unknown)
        raise invalid(f"Unexpected value(s) {names} for the `anthropic-beta` header.")
    return Caller(kind, value, version, flags)


def _flags(headers: Headers) -> frozenset[str]:
    values = ",".join(headers.getlist("anthropic-beta")).split(",")
    return frozenset(flag.strip() for flag in values if flag.strip())


def _credential(headers: Headers) -> tuple[str, str]:
    """The header that carries the one credential, and its value without the scheme."""
    keys, bearers = headers.getlist("x-api-key"), headers.getlist("authorization")
    if len(keys) + len(bearers) > 1:
        raise invalid("Send either x-api-key or authorization, and only once.")
    if keys:
        return "x-api-key", keys[0]
    if not bearers:
        raise ApiError(401, "x-api-key header is required")
    scheme, _, token = bearers[0].partition(" ")
    if scheme.lower() != "bearer":
        raise ApiError(401, "Invalid authorization header")
    return "authorization", token.strip()


def _check_token(token: str, tokens: TokenStore) -> None:
    state = tokens.state(token)
    if state == "expired" or (state == "unknown" and "expired" in token):
        raise ApiError(401, EXPIRED)
    if state == "revoked" or (state == "unknown" and "revoked" in token):
        raise ApiError(403, REVOKED)
    if state == "unknown" and "invalid" in token:
        raise ApiError(401, "Invalid bearer token")


def _check_key(key: str, wrong: str) -> None:
    # OAuth tokens are no API keys: an access token in x-api-key, or a refresh token anywhere, is wrong.
    if not key or key.startswith(("sk-ant-oat", "sk-ant-ort")) or "invalid" in key or "expired" in key:
        raise ApiError(401, wrong)
    if "revoked" in key:
        raise ApiError(403, "This API key has been disabled.")
