"""The consent page and its two ways out, for all three authorisation servers.

Anthropic and Codex share the path `/oauth/authorize` (on other hosts, in real life): the client id tells
them apart. "Sign in with ChatGPT" has its own path and registers unknown installations on the way.
"""

import re
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ccproxy.simulator.oauth.pages import code_page, consent_page, page
from ccproxy.simulator.oauth.providers import (
    ANTHROPIC,
    CODEX,
    DYNAMIC_CLIENT,
    MANUAL_REDIRECTS,
    SIWC,
    SIWC_PLAN_SCOPE,
    SIWC_RESOURCE,
    Provider,
    is_anthropic_redirect,
    is_codex_redirect,
    is_siwc_redirect,
    issued_client_id,
)
from ccproxy.simulator.oauth.store import Grant, TokenStore
from ccproxy.simulator.oauth.wire import origin

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
HOST_ID = re.compile(
    r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|urn:ietf:params:oauth:jwk-thumbprint:\S+"
)


class BadAuthorization(Exception):
    """The link is wrong in a way that must not be reported to its redirect address."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """A checked authorisation request."""

    grant: Grant
    redirect_uri: str
    challenge: str
    state: str
    state_at_exchange: bool = False
    """Anthropic wants the state again at the token endpoint, which RFC 6749 does not know."""
    callback: dict[str, str] = field(default_factory=dict)
    """What else the redirect carries."""


def read_oauth(store: TokenStore, params: dict[str, str], issuer: str) -> Authorization:
    client_id = params.get("client_id")
    redirect_uri = params.get("redirect_uri", "")
    if client_id == ANTHROPIC.client_id:
        provider, good = ANTHROPIC, is_anthropic_redirect(redirect_uri)
    elif client_id == CODEX.client_id:
        provider, good = CODEX, is_codex_redirect(redirect_uri, store.knobs.codex_redirect_ports)
    else:
        raise BadAuthorization(f"Unknown client_id {client_id}")
    if not good:
        raise BadAuthorization(f"redirect_uri {redirect_uri} is not registered for this client")
    _common(provider, params)
    return Authorization(
        Grant(provider.name, provider.client_id, params["scope"], issuer),
        redirect_uri,
        params["code_challenge"],
        params["state"],
        state_at_exchange=provider is ANTHROPIC,
    )


def read_siwc(store: TokenStore, params: dict[str, str], issuer: str) -> Authorization:
    redirect_uri, host_id = params.get("redirect_uri", ""), params.get("ext_agent_host_id", "")
    if not HOST_ID.fullmatch(host_id):
        raise BadAuthorization("ext_agent_host_id must be urn:uuid:<uuid> or a JWK thumbprint URI")
    issued = issued_client_id(host_id)
    first_time = params.get("client_id") == DYNAMIC_CLIENT
    if not first_time and params.get("client_id") != issued:
        raise BadAuthorization("This client_id is not registered for this ext_agent_host_id")
    if first_time and not params.get("agent_name_hint"):
        raise BadAuthorization("agent_name_hint is required to register")
    if not is_siwc_redirect(redirect_uri):
        raise BadAuthorization(f"redirect_uri {redirect_uri}: expected http://127.0.0.1:<port>/auth/callback")
    if params.get("resource") != SIWC_RESOURCE:
        raise BadAuthorization(f"resource must be {SIWC_RESOURCE}")
    if not params.get("nonce"):
        raise BadAuthorization("nonce is required")
    _common(SIWC, params)
    return Authorization(
        Grant("siwc", issued, params["scope"], issuer, nonce=params["nonce"]),
        redirect_uri,
        params["code_challenge"],
        params["state"],
        callback={"client_id": issued} if first_time else {},
    )


def _common(provider: Provider, params: dict[str, str]) -> None:
    if params.get("response_type") != "code":
        raise BadAuthorization("response_type must be code")
    if params.get("code_challenge_method") != "S256":
        raise BadAuthorization("code_challenge_method must be S256")
    if not CHALLENGE.fullmatch(params.get("code_challenge", "")):
        raise BadAuthorization("code_challenge must be the base64url form of a SHA-256 digest")
    if not params.get("state"):
        raise BadAuthorization("state is required")
    scopes = params.get("scope", "").split()
    if not scopes or not provider.scopes.issuperset(scopes):
        unknown = " ".join(sorted(set(scopes) - provider.scopes))
        raise BadAuthorization(f"Unknown or missing scope: {unknown}")


def routes(store: TokenStore) -> list[BaseRoute]:
    def read(request: Request) -> Authorization:
        siwc = request.url.path.startswith("/api/accounts/")
        return (read_siwc if siwc else read_oauth)(store, dict(request.query_params), origin(request))

    async def ask(request: Request) -> Response:
        try:
            wanted = read(request)
        except BadAuthorization as error:
            return page("This sign-in link does not work", str(error), 400)
        decision = f"{request.url.path}/decision?{request.url.query}&decision="
        choices = {"Allow": decision + "allow", "Deny": decision + "deny"}
        if SIWC_PLAN_SCOPE in wanted.grant.scope.split():
            choices["Allow without plan usage"] = decision + "identity"
        return consent_page(wanted.grant.client_id, wanted.grant.scope.split(), choices)

    async def decide(request: Request) -> Response:
        try:
            wanted = read(request)
        except BadAuthorization as error:
            return page("This sign-in link does not work", str(error), 400)
        decision = request.query_params.get("decision")
        if decision not in ("allow", "identity"):
            return _send(wanted, {"error": "access_denied", "error_description": "The user said no"})
        grant = wanted.grant
        if decision == "identity":
            grant = replace(grant, scope=" ".join(s for s in grant.scope.split() if s != SIWC_PLAN_SCOPE))
        code = store.new_code(
            grant,
            redirect_uri=wanted.redirect_uri,
            challenge=wanted.challenge,
            state=wanted.state if wanted.state_at_exchange else None,
        )
        return _send(wanted, {"code": code} | wanted.callback)

    async def show_code(request: Request) -> Response:
        return code_page(request.query_params.get("code", ""), request.query_params.get("state", ""))

    return [
        Route("/oauth/authorize", ask),
        Route("/oauth/authorize/decision", decide),
        Route("/api/accounts/authorize", ask),
        Route("/api/accounts/authorize/decision", decide),
        Route("/oauth/code/callback", show_code),
    ]


def _send(wanted: Authorization, answer: dict[str, str]) -> RedirectResponse:
    query = urlencode(answer | {"state": wanted.state})
    parts = urlsplit(wanted.redirect_uri)
    if wanted.redirect_uri in MANUAL_REDIRECTS:
        return RedirectResponse(f"{parts.path}?{query}", 302)  # the provider's own page, which is ours
    joined = f"{parts.query}&{query}" if parts.query else query
    return RedirectResponse(urlunsplit(parts._replace(query=joined)), 302)
