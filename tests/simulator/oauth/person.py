"""Somebody who logs in, and the links a login begins with."""

import html
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from ccproxy.simulator.state import Simulator

# The example pair of RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

ANTHROPIC_CLIENT = "9d1c250a-e61b-44d9-88ed-5944d1962f5e"
CODEX_CLIENT = "app_EMoamEEZ73f0CkXaXp7hrann"
HOST_ID = "urn:uuid:11111111-2222-4333-8444-555555555555"

PKCE = {"response_type": "code", "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
ANTHROPIC_QUERY = PKCE | {
    "code": "true",
    "client_id": ANTHROPIC_CLIENT,
    "redirect_uri": "http://localhost:54545/callback",
    "scope": "user:profile user:inference",
    "state": "state-1",
}
CODEX_QUERY = PKCE | {
    "client_id": CODEX_CLIENT,
    "redirect_uri": "http://localhost:1455/auth/callback",
    "scope": "openid profile email offline_access",
    "state": "state-1",
    "id_token_add_organizations": "true",
    "codex_cli_simplified_flow": "true",
    "originator": "test",
}
SIWC_QUERY = PKCE | {
    "client_id": "dynamic_agent_client",
    "redirect_uri": "http://127.0.0.1:43210/auth/callback",
    "scope": "openid profile email offline_access resource.invoke chatgpt.tokens.use.direct",
    "resource": "https://api.openai.com/v1",
    "state": "state-1",
    "nonce": "nonce-1",
    "ext_agent_host_id": HOST_ID,
    "agent_name_hint": "test",
}


class Person:
    """Somebody with a browser, and the terminal that waits for the login."""

    def __init__(self, sim: Simulator, web: httpx.AsyncClient) -> None:
        self.sim = sim
        self.web = web

    async def consent(
        self, query: dict[str, str], *, choice: str = "Allow", path: str = "/oauth/authorize"
    ) -> httpx.Response:
        """Opens the link, clicks `choice` and returns the redirect."""
        page = await self.web.get(path, params=query)
        assert page.status_code == 200, page.text
        links = {
            label: html.unescape(href) for href, label in re.findall('href="([^"]+)">([^<]+)<', page.text)
        }
        return await self.web.get(links[choice])

    async def allowed(self, query: dict[str, str], path: str = "/oauth/authorize") -> dict[str, str]:
        """What the redirect brings back after "Allow"."""
        return landed(await self.consent(query, path=path))

    async def control(self, **order: Any) -> dict[str, Any]:
        answer = await self.web.post("/_simulator/oauth", json=order)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


def landed(redirect: httpx.Response) -> dict[str, str]:
    assert redirect.status_code == 302, redirect.text
    return dict(parse_qsl(urlsplit(redirect.headers["location"]).query))
