"""Logins that the running server has begun: where they begin, and `GET /oauth/callback`, where they end.

The redirect comes by itself where the provider lets it: to Claude's `http://localhost:<our port>/callback`,
to Codex's `/auth/callback` if we listen on one of the two ports that are registered for it. Else a person
takes code and state to the callback (what the providers accept: see their constants, read 2026-11-22).
"""

import os
from collections.abc import Mapping
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ccproxy import failures
from ccproxy.credentials.credential import CredentialError
from ccproxy.credentials.oauth.callback import Callback, read_query
from ccproxy.credentials.oauth.claude import ClaudeOAuth
from ccproxy.credentials.oauth.codex import CodexOAuth
from ccproxy.credentials.oauth.constants import Redirect
from ccproxy.credentials.oauth.pending import LIFETIME, Pending
from ccproxy.credentials.oauth.pkce import Attempt
from ccproxy.credentials.oauth.tokens import OAuthError, Tokens
from ccproxy.credentials.stores.login import Store
from ccproxy.credentials.stores.own import OwnClaudeStore, OwnCodexStore
from ccproxy.formats import utility
from ccproxy.settings import Settings

DONE = "The login has come through: requests use it from now on. You can close this page."
PAGE_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'",
}


class _Stored:
    """A provider whose tokens are in their store before anybody hears of them."""

    def __init__(self, oauth: ClaudeOAuth | CodexOAuth, store: Store) -> None:
        self._oauth = oauth
        self._store = store
        self.redirect: Redirect = oauth.redirect
        self.pasted_redirect_uri = oauth.pasted_redirect_uri

    async def authorize_url(self, attempt: Attempt) -> str:
        return await self._oauth.authorize_url(attempt)

    async def exchange(self, attempt: Attempt, callback: Callback) -> Tokens:
        tokens = await self._oauth.exchange(attempt, callback)
        await self._store.write(tokens)
        return tokens


def login_routes(settings: Settings, environ: Mapping[str, str] = os.environ) -> list[BaseRoute]:
    """`POST /oauth/login/{claude|openai}` and `GET /oauth/callback`, for one server.

    The first answers `{"url", "redirect_uri", "comes_back", "expires_in"}`: without `comes_back` code and
    state have to be taken to the callback by hand.
    """
    pending, port = Pending(), settings.server.port
    found: dict[str, _Stored] = {
        "claude": _Stored(ClaudeOAuth.from_settings(settings), OwnClaudeStore(environ)),
        "openai": _Stored(CodexOAuth.from_settings(settings), OwnCodexStore(environ)),
    }

    async def begin(request: Request) -> Response:
        provider = found[request.path_params["provider"]]
        ports = provider.redirect.ports
        ours = port in ports if ports else port != 0
        redirect_uri = provider.redirect.uri(port) if ours else provider.pasted_redirect_uri
        url, _ = await pending.begin(provider, redirect_uri)
        return JSONResponse(
            {"url": url, "redirect_uri": redirect_uri, "comes_back": ours, "expires_in": int(LIFETIME)},
            headers={"cache-control": "no-store"},
        )

    async def finish(request: Request) -> Response:
        try:
            callback = read_query(request.url.query)
            tokens = await pending.finish(callback.state, callback.code, callback.client_id)
        except (OAuthError, CredentialError) as problem:
            return _failed(request, str(problem))
        if _reads_html(request):
            return _page(DONE)
        ends = tokens.expires_at.isoformat() if tokens.expires_at else None
        return JSONResponse({"status": "logged_in", "expires_at": ends}, headers=PAGE_HEADERS)

    return [
        Route("/oauth/login/{provider}", begin, methods=["POST"]),
        Route("/oauth/callback", finish),
    ]


def _failed(request: Request, message: str) -> Response:
    failure = failures.login_failed(message)
    headers = {**PAGE_HEADERS, "x-ccproxy-error": failure.code}
    if _reads_html(request):
        return _page(message, failure.status, headers)
    return Response(utility.body(failure, ""), failure.status, headers, "application/json")


def _reads_html(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _page(text: str, status: int = 200, headers: Mapping[str, str] = PAGE_HEADERS) -> Response:
    head = "<!doctype html><meta charset=utf-8><title>ccproxy</title><h1>ccproxy</h1>"
    return HTMLResponse(f"{head}<p>{escape(text)}</p>", status, dict(headers))
