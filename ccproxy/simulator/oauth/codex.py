"""The token endpoint behind the Codex CLI's login: form or JSON, refusals with OpenAI's codes."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ccproxy.simulator.oauth.claims import jwks
from ccproxy.simulator.oauth.providers import CODEX
from ccproxy.simulator.oauth.store import GrantRefused, TokenStore
from ccproxy.simulator.oauth.wire import (
    FORM,
    JSON,
    BadBody,
    openai_error,
    read_params,
    redeem,
    token_body,
    trouble,
)

REQUIRED = {
    "authorization_code": ("code", "redirect_uri", "client_id", "code_verifier"),
    "refresh_token": ("refresh_token", "client_id"),
}
REFRESH_CODES = {
    "used": "refresh_token_reused",
    "expired": "refresh_token_expired",
    "revoked": "refresh_token_invalidated",
}


def routes(store: TokenStore) -> list[BaseRoute]:
    async def token(request: Request) -> Response:
        if (failure := await trouble(store, "codex")) is not None:
            return failure
        try:
            params = await read_params(request, FORM, JSON)
        except BadBody as error:
            return openai_error(400, "invalid_request", str(error))
        grant_type = params.get("grant_type", "")
        if grant_type not in REQUIRED:
            return openai_error(400, "unsupported_grant_type", f"grant_type: {grant_type or 'missing'}")
        if absent := [name for name in REQUIRED[grant_type] if not params.get(name)]:
            return openai_error(400, "invalid_request", f"Missing: {', '.join(absent)}")
        if params["client_id"] != CODEX.client_id:
            return openai_error(401, "invalid_client", "Unknown client_id")
        try:
            return JSONResponse(token_body(redeem(store, "codex", grant_type, params)))
        except GrantRefused as refused:
            if grant_type == "refresh_token":
                code = REFRESH_CODES.get(refused.reason, "invalid_grant")
                return openai_error(401, code, f"The refresh token cannot be used: {refused.reason}")
            return openai_error(400, "invalid_grant", f"The code cannot be used: {refused.reason}")

    async def revoke(request: Request) -> Response:
        """RFC 7009: also serves "Sign in with ChatGPT", whose discovery document points here."""
        try:
            params = await read_params(request, FORM, JSON)
        except BadBody as error:
            return openai_error(400, "invalid_request", str(error))
        if not params.get("token"):
            return openai_error(400, "invalid_request", "Missing: token")
        store.revoke(params["token"])
        return JSONResponse({})

    async def keys(request: Request) -> Response:
        return JSONResponse(jwks())

    return [
        Route("/oauth/token", token, methods=["POST"]),
        Route("/oauth/revoke", revoke, methods=["POST"]),
        Route("/.well-known/jwks.json", keys),
    ]
