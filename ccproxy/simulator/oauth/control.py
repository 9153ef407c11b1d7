"""`/_simulator/oauth`: how a test makes the token endpoints fail, ends tokens, and counts what happened."""

from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ccproxy.simulator.oauth.knobs import Change, Knobs
from ccproxy.simulator.oauth.providers import PROVIDERS, ProviderName, issued_client_id
from ccproxy.simulator.oauth.store import Grant, TokenStore
from ccproxy.simulator.oauth.wire import origin, token_body

HOST_ID = "urn:uuid:5a1e0000-0000-4000-8000-00000000000f"
"""The installation to which tokens belong that were asked for here and not through a login."""


def routes(store: TokenStore) -> list[BaseRoute]:
    async def change(request: Request) -> Response:
        try:
            wanted = Change.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": {"type": "invalid_request_error", "message": str(error)}}, 400)
        for knob in wanted.model_fields_set & Knobs.model_fields.keys():
            setattr(store.knobs, knob, getattr(wanted, knob))
        if wanted.revoke_all:
            store.revoke_all()
        if wanted.expire_all:
            store.expire_all()
        report = status(store)
        if wanted.issue is not None:
            report["issued"] = token_body(store.issue(plain_grant(wanted.issue, origin(request))))
        return JSONResponse(report)

    async def show(request: Request) -> Response:
        return JSONResponse(status(store))

    return [
        Route("/_simulator/oauth", change, methods=["POST"]),
        Route("/_simulator/oauth", show, methods=["GET"]),
    ]


def plain_grant(name: ProviderName, issuer: str = "https://auth.openai.com") -> Grant:
    """The grant that an ordinary login with every scope ends in."""
    provider = PROVIDERS[name]
    client_id = issued_client_id(HOST_ID) if name == "siwc" else provider.client_id
    return Grant(name, client_id, provider.default_scope, issuer)


def status(store: TokenStore) -> dict[str, Any]:
    """`{"knobs", "active", "grants": {provider: {grant type: {"ok": n, "refused": n}}}}`."""
    grants: dict[str, dict[str, dict[str, int]]] = {name: {} for name in PROVIDERS}
    for (provider, grant_type, outcome), count in sorted(store.counts.items()):
        grants[provider].setdefault(grant_type, {})[outcome] = count
    return {"knobs": store.knobs.model_dump(mode="json"), "active": store.active(), "grants": grants}
