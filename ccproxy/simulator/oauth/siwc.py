"""Sign in with ChatGPT, for local apps: discovery, and a token endpoint that takes a form.

Source: OpenAI's developer pages on Sign in with ChatGPT, read 2026-11-22.
"""

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ccproxy.simulator.oauth.providers import DYNAMIC_CLIENT, SIWC, SIWC_RESOURCE
from ccproxy.simulator.oauth.store import GrantRefused, Issued, TokenStore
from ccproxy.simulator.oauth.wire import (
    FORM,
    BadBody,
    oauth_error,
    origin,
    read_params,
    redeem,
    token_body,
    trouble,
)

REQUIRED = {
    "authorization_code": ("code", "redirect_uri", "client_id", "code_verifier", "resource"),
    "refresh_token": ("refresh_token", "client_id", "resource"),
}
REFRESH_ERRORS = {
    "unknown": "invalid_refresh_token",
    "used": "refresh_token_reused",
    "expired": "refresh_token_expired",
    "revoked": "refresh_token_invalidated",
}


def routes(store: TokenStore) -> list[BaseRoute]:
    async def discovery(request: Request) -> Response:
        issuer = origin(request)
        return JSONResponse(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/api/accounts/authorize",
                "token_endpoint": f"{issuer}/api/accounts/oauth/token",
                "revocation_endpoint": f"{issuer}/oauth/revoke",
                "jwks_uri": f"{issuer}/.well-known/jwks.json",
                "response_types_supported": ["code"],
                "grant_types_supported": list(REQUIRED),
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": sorted(SIWC.scopes),
            }
        )

    async def token(request: Request) -> Response:
        if (failure := await trouble(store, "siwc")) is not None:
            return failure
        try:
            params = await read_params(request, FORM)
        except BadBody as error:
            return oauth_error(400, "invalid_request", str(error))
        grant_type = params.get("grant_type", "")
        if grant_type not in REQUIRED:
            return oauth_error(400, "unsupported_grant_type", f"grant_type: {grant_type or 'missing'}")
        if absent := [name for name in REQUIRED[grant_type] if not params.get(name)]:
            return oauth_error(400, "invalid_request", f"Missing: {', '.join(absent)}")
        if params["client_id"] == DYNAMIC_CLIENT:
            return oauth_error(
                401, "invalid_client", f"{DYNAMIC_CLIENT} only registers: use the issued client_id"
            )
        if params["resource"] != SIWC_RESOURCE:
            return oauth_error(400, "invalid_target", f"resource must be {SIWC_RESOURCE}")
        try:
            return JSONResponse(_body(store, redeem(store, "siwc", grant_type, params)))
        except GrantRefused as refused:
            if refused.reason == "client":
                return oauth_error(401, "invalid_client", "The grant belongs to another client")
            if grant_type == "refresh_token":
                code = REFRESH_ERRORS.get(refused.reason, "invalid_grant")
                return oauth_error(400, code, "The refresh token cannot be used")
            return oauth_error(400, "invalid_grant", f"The code cannot be used: {refused.reason}")

    return [
        Route("/.well-known/openid-configuration", discovery),
        Route("/api/accounts/oauth/token", token, methods=["POST"]),
    ]


def _body(store: TokenStore, issued: Issued) -> dict[str, object]:
    body = token_body(issued)
    if (wait := store.knobs.earliest_refresh_in) is not None:
        earliest = datetime.fromtimestamp(issued.issued_at + wait, UTC)
        body["earliest_refresh_at"] = earliest.isoformat().replace("+00:00", "Z")
    return body
