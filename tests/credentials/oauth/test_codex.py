from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from ccproxy.credentials.oauth.callback import Callback
from ccproxy.credentials.oauth.claims import AUTH_CLAIM
from ccproxy.credentials.oauth.codex import CodexOAuth, account_of
from ccproxy.credentials.oauth.constants import Redirect, codex_constants
from ccproxy.credentials.oauth.loopback import receiver
from ccproxy.credentials.oauth.pkce import Attempt
from ccproxy.credentials.oauth.tokens import LoginError, TokenError, Tokens
from ccproxy.settings import Settings
from tests.credentials.oauth.browser import Browser
from tests.credentials.oauth.provider import http, provider
from tests.support.processes import free_port

ACCOUNT = {
    "account_id": "99999999-8888-4777-8666-555555555555",
    "plan": "pro",
    "user_id": "user-5a1e0000000000000000000000000001",
    "email": "user@example.com",
}


async def logged_in(browser: Browser) -> Tokens:
    codex = CodexOAuth.from_settings(browser.settings)
    attempt = Attempt(codex.pasted_redirect_uri)
    return await codex.exchange(attempt, await browser.callback(await codex.authorize_url(attempt)))


async def test_a_login_through_the_loopback(browser: Browser) -> None:
    port = free_port()
    await browser.control(codex_redirect_ports=[port])
    registered = Redirect("localhost", "/auth/callback", (port,))
    codex = CodexOAuth(replace(codex_constants(browser.settings), redirect=registered))
    async with receiver(codex.redirect) as door:
        attempt = Attempt(door.redirect_uri)
        landing = await browser.open(await codex.authorize_url(attempt))
        callback, page = await browser.at_once(door.callback(attempt.state, seconds=5), landing)
        tokens = await codex.exchange(attempt, callback)

    assert page.status_code == 200
    assert browser.valid(tokens.access_token)
    assert tokens.account == ACCOUNT
    assert tokens.id_token is not None
    assert "offline_access" in tokens.scopes
    assert tokens.expires_at is not None
    assert timedelta(days=9.9) < tokens.expires_at - datetime.now(UTC) <= timedelta(days=10)


async def test_the_page_to_open() -> None:
    codex = CodexOAuth.from_settings(Settings())
    url = await codex.authorize_url(Attempt(codex.pasted_redirect_uri))

    assert url.startswith("https://auth.openai.com/oauth/authorize?client_id=app_")
    assert "redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback" in url
    assert "originator=ccproxy" in url


async def test_a_refused_consent(browser: Browser) -> None:
    codex = CodexOAuth.from_settings(browser.settings)

    with pytest.raises(LoginError, match="refused"):
        await browser.callback(await codex.authorize_url(Attempt(codex.pasted_redirect_uri)), "Deny")


async def test_another_logins_code_is_not_even_sent(browser: Browser) -> None:
    codex = CodexOAuth.from_settings(browser.settings)

    with pytest.raises(LoginError) as caught:
        await codex.exchange(Attempt(codex.pasted_redirect_uri), Callback("ac_1", "another"))
    assert caught.value.code == "state_mismatch"
    assert (await browser.control())["grants"]["codex"] == {}


async def test_a_code_works_once(browser: Browser) -> None:
    codex = CodexOAuth.from_settings(browser.settings)
    attempt = Attempt(codex.pasted_redirect_uri)
    callback = await browser.callback(await codex.authorize_url(attempt))
    await codex.exchange(attempt, callback)

    with pytest.raises(TokenError) as caught:
        await codex.exchange(attempt, callback)
    assert (caught.value.code, caught.value.terminal) == ("invalid_grant", True)


async def test_a_refresh_rotates_and_works_once(browser: Browser) -> None:
    codex = CodexOAuth.from_settings(browser.settings)
    first = await logged_in(browser)
    second = await codex.refresh(first.refresh_token or "")

    assert second.refresh_token not in (None, first.refresh_token)
    assert browser.valid(second.access_token)
    assert second.account == ACCOUNT
    with pytest.raises(TokenError) as caught:
        await codex.refresh(first.refresh_token or "")
    assert (caught.value.code, caught.value.terminal) == ("refresh_token_reused", True)


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"revoke_all": True}, "refresh_token_invalidated"),
        ({"refresh_expires_in": 0}, "refresh_token_expired"),
    ],
)
async def test_a_dead_refresh_token_is_terminal(
    browser: Browser, order: dict[str, object], code: str
) -> None:
    await browser.control(**order)
    tokens = await logged_in(browser)
    await browser.control(**order)

    with pytest.raises(TokenError) as caught:
        await CodexOAuth.from_settings(browser.settings).refresh(tokens.refresh_token or "")
    assert (caught.value.code, caught.value.terminal) == (code, True)


@pytest.mark.parametrize("mode", ["down", "rate_limited"])
async def test_trouble_at_the_provider_costs_nothing(browser: Browser, mode: str) -> None:
    codex = CodexOAuth.from_settings(browser.settings)
    tokens = await logged_in(browser)
    await browser.control(token_endpoint=mode)

    with pytest.raises(TokenError) as caught:
        await codex.refresh(tokens.refresh_token or "")
    assert not caught.value.terminal
    await browser.control(token_endpoint="ok")
    assert browser.valid((await codex.refresh(tokens.refresh_token or "")).access_token)


async def test_what_a_refresh_leaves_out_stays_as_it_was() -> None:
    async with provider(http(200, {"access_token": "at"})) as server:
        constants = replace(codex_constants(Settings()), token_url=server.url)
        tokens = await CodexOAuth(constants).refresh("rt")

    assert (tokens.refresh_token, tokens.id_token, tokens.scopes, tokens.expires_at) == (None, None, (), None)


async def test_revoking_ends_the_login(browser: Browser) -> None:
    codex = CodexOAuth.from_settings(browser.settings)
    tokens = await logged_in(browser)

    assert await codex.revoke(tokens.refresh_token or "")
    with pytest.raises(TokenError) as caught:
        await codex.refresh(tokens.refresh_token or "")
    assert caught.value.code == "refresh_token_invalidated"


async def test_revoking_is_no_more_than_tried() -> None:
    constants = replace(codex_constants(Settings()), revoke_url=f"http://127.0.0.1:{free_port()}/revoke")

    assert not await CodexOAuth(constants).revoke("rt")


def test_the_account_is_in_either_token() -> None:
    def token(**auth: object) -> str:
        return jwt.encode({AUTH_CLAIM: auth}, "k" * 32, algorithm="HS256")

    access = token(chatgpt_account_id="of access", chatgpt_plan_type="plus")
    assert account_of(None, access) == {"account_id": "of access", "plan": "plus"}
    assert account_of(token(chatgpt_account_id="of id"), access) == {"account_id": "of id", "plan": "plus"}
    assert account_of("rubbish", 7) == {}
