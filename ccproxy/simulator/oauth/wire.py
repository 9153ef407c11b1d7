"""What the token endpoints share: reading a body, being made to fail, the two shapes of an error."""

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ccproxy.simulator.oauth.providers import ProviderName
from ccproxy.simulator.oauth.store import GrantRefused, Issued, TokenStore

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class BadBody(Exception):
    """The body is not what this endpoint reads; the text says what it is instead."""


async def read_params(request: Request, *kinds: str) -> dict[str, str]:
    """The parameters of a token request, from a body of one of `kinds`. Raises BadBody."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in kinds:
        raise BadBody(f"content-type {kind or 'missing'}: expected {' or '.join(kinds)}")
    body = await request.body()
    if kind == FORM:
        return dict(parse_qsl(body.decode("utf-8", "replace")))
    try:
        parsed = json.loads(body)
    except ValueError:
        raise BadBody("invalid JSON") from None
    if not isinstance(parsed, dict):
        raise BadBody("expected a JSON object")
    return {key: value for key, value in parsed.items() if isinstance(value, str)}


def origin(request: Request) -> str:
    """The server as the client addressed it: its issuer name."""
    return str(request.base_url).rstrip("/")


def oauth_error(status: int, error: str, description: str) -> JSONResponse:
    """An error as RFC 6749, section 5.2, words it."""
    return JSONResponse({"error": error, "error_description": description}, status)


def openai_error(status: int, code: str, message: str) -> JSONResponse:
    body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    return JSONResponse(body, status)


async def trouble(store: TokenStore, provider: ProviderName) -> Response | None:
    """The answer of a token endpoint that was told to misbehave, or None when it works."""
    knobs = store.knobs
    match knobs.token_endpoint:
        case "slow":
            await asyncio.sleep(knobs.delay_seconds)
        case "down":
            store.counts[provider, "any", "down"] += 1
            return oauth_error(503, "temporarily_unavailable", "The server is unavailable")
        case "rate_limited":
            store.counts[provider, "any", "rate_limited"] += 1
            headers = {"retry-after": str(knobs.retry_after_seconds)}
            body = {"error": {"type": "rate_limit_error", "message": "Too many requests"}}
            return JSONResponse(body, 429, headers)
    return None


def redeem(store: TokenStore, provider: ProviderName, grant_type: str, params: dict[str, str]) -> Issued:
    """Serves one grant and counts it. Raises GrantRefused."""
    client_id = params.get("client_id", "")
    try:
        if grant_type == "authorization_code":
            issued = store.exchange(
                params.get("code", ""),
                client_id=client_id,
                redirect_uri=params.get("redirect_uri", ""),
                verifier=params.get("code_verifier", ""),
                state=params.get("state"),
            )
        else:
            refresh_token = params.get("refresh_token", "")
            issued = store.refresh(refresh_token, client_id=client_id, scope=params.get("scope"))
    except GrantRefused:
        store.counts[provider, grant_type, "refused"] += 1
        raise
    store.counts[provider, grant_type, "ok"] += 1
    return issued


def token_body(issued: Issued) -> dict[str, Any]:
    """The token response of RFC 6749, section 5.1. `expires_in` is in seconds."""
    body: dict[str, Any] = {
        "token_type": "Bearer",
        "access_token": issued.access_token,
        "refresh_token": issued.refresh_token,
        "expires_in": round(issued.expires_at - issued.issued_at),
        "scope": issued.grant.scope,
    }
    return body | ({"id_token": issued.id_token} if issued.id_token else {})
