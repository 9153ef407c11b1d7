"""Anthropic's token endpoint: a JSON body, `state` in the exchange, errors as in RFC 6749."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ccproxy.simulator.oauth.providers import ACCOUNT, ANTHROPIC
from ccproxy.simulator.oauth.store import GrantRefused, Issued, TokenStore
from ccproxy.simulator.oauth.wire import (
    JSON,
    BadBody,
    oauth_error,
    read_params,
    redeem,
    token_body,
    trouble,
)

REQUIRED = {
    "authorization_code": ("code", "redirect_uri", "client_id", "code_verifier", "state"),
    "refresh_token": ("refresh_token", "client_id"),
}
REASONS = {
    "unknown": "not found or invalid",
    "used": "not found or invalid",
    "revoked": "not found or invalid",
    "expired": "expired",
    "client": "was issued to another client",
    "redirect_uri": "redirect_uri does not match",
    "state": "state does not match",
    "verifier": "code_verifier does not match",
}


def routes(store: TokenStore) -> list[BaseRoute]:
    async def token(request: Request) -> Response:
        if (failure := await trouble(store, "anthropic")) is not None:
            return failure
        try:
            params = await read_params(request, JSON)
        except BadBody as error:
            return oauth_error(400, "invalid_request", str(error))
        grant_type = params.get("grant_type", "")
        if grant_type not in REQUIRED:
            return oauth_error(400, "unsupported_grant_type", f"grant_type: {grant_type or 'missing'}")
        if absent := [name for name in REQUIRED[grant_type] if not params.get(name)]:
            return oauth_error(400, "invalid_request", f"Missing: {', '.join(absent)}")
        if params["client_id"] != ANTHROPIC.client_id:
            return oauth_error(400, "invalid_client", "Unknown client_id")
        try:
            return JSONResponse(_body(redeem(store, "anthropic", grant_type, params)))
        except GrantRefused as refused:
            what = "Refresh token" if grant_type == "refresh_token" else "Authorization code"
            return oauth_error(400, "invalid_grant", f"{what} {REASONS[refused.reason]}")

    return [Route("/v1/oauth/token", token, methods=["POST"])]


def _body(issued: Issued) -> dict[str, object]:
    return token_body(issued) | {
        "account": {"uuid": ACCOUNT.account_id, "email_address": ACCOUNT.email},
        "organization": {"uuid": ACCOUNT.organization_id, "name": "Example Organization"},
    }
