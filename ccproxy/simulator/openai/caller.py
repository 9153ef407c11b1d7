"""Who calls the OpenAI API, and the headers every answer carries."""

from dataclasses import dataclass
from typing import Literal

from starlette.datastructures import Headers

from ccproxy.simulator.oauth.providers import SIWC_PLAN_SCOPE
from ccproxy.simulator.openai.errors import ApiError
from ccproxy.simulator.state import Simulator

VERSION = "2020-10-01"


@dataclass(frozen=True, slots=True)
class Caller:
    """`key` is an API key; `siwc` an access token of Sign in with ChatGPT, which may do less."""

    kind: Literal["key", "siwc"]


def bearer(headers: Headers) -> str:
    """The token of the one authorization header. Raises ApiError when there is none."""
    values = headers.getlist("authorization")
    scheme, _, token = values[0].partition(" ") if values else ("", "", "")
    if len(values) != 1 or scheme.lower() != "bearer" or not token.strip():
        raise ApiError(401, "You didn't provide an API key.")
    return token.strip()


def identify(sim: Simulator, headers: Headers) -> Caller:
    """The caller of a request, or the ApiError the real API answers with.

    Any dummy value is a valid key, with exceptions that make failures testable: one that contains `invalid`
    is a 401, one that contains `quota` has no money left. Tokens of a login are known to `sim.tokens`.
    """
    token = bearer(headers)
    if "invalid" in token:
        raise ApiError(401, f"Incorrect API key provided: {_masked(token)}.", code="invalid_api_key")
    if "quota" in token:
        message = "You exceeded your current quota, please check your plan and billing details."
        raise ApiError(429, message, kind="insufficient_quota", code="insufficient_quota")
    grant = sim.tokens.grant_of(token)
    if grant is None:
        return Caller("key")
    if grant.provider != "siwc":
        raise ApiError(401, "You have insufficient permissions for this operation.")
    match sim.tokens.state(token):
        case "expired":
            raise ApiError(401, "Your token has expired.", code="token_expired")
        case "revoked":
            raise ApiError(401, "Your token has been invalidated.", code="token_invalidated")
    if SIWC_PLAN_SCOPE not in grant.scope.split():
        message = "This sign-in does not include plan usage."
        raise ApiError(403, message, code="chatpass_v2_scope_not_authorized")
    return Caller("siwc")


def answer_headers(sim: Simulator, body: bytes) -> dict[str, str]:
    """Request id and rate limits, as every answer of the API has them."""
    return {
        "x-request-id": sim.new_id("req_", body),
        "openai-version": VERSION,
        "openai-organization": "org-simulator",
        "openai-processing-ms": "12",
        "x-ratelimit-limit-requests": "10000",
        "x-ratelimit-remaining-requests": "9999",
        "x-ratelimit-reset-requests": "6ms",
        "x-ratelimit-limit-tokens": "2000000",
        "x-ratelimit-remaining-tokens": "1999000",
        "x-ratelimit-reset-tokens": "30ms",
    }


def _masked(token: str) -> str:
    return token[:8] + "*" * 8 + token[-4:] if len(token) > 16 else "*" * 8
