import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ccproxy.credentials.oauth.callback import Callback
from ccproxy.credentials.oauth.claude import ClaudeOAuth
from ccproxy.credentials.oauth.constants import claude_constants
from ccproxy.credentials.oauth.loopback import receiver
from ccproxy.credentials.oauth.pasted import read_pasted
from ccproxy.credentials.oauth.pkce import Attempt
from ccproxy.credentials.oauth.tokens import LoginError, TokenError, Tokens
from ccproxy.settings import Settings
from tests.credentials.oauth.browser import Browser
from tests.credentials.oauth.provider import http, provider


async def logged_in(browser: Browser) -> Tokens:
    claude = ClaudeOAuth.from_settings(browser.settings)
    attempt = Attempt(claude.pasted_redirect_uri)
    return await claude.exchange(attempt, await browser.callback(await claude.authorize_url(attempt)))


async def test_a_login_through_the_loopback(browser: Browser) -> None:
    claude = ClaudeOAuth.from_settings(browser.settings)
    async with receiver(claude.redirect) as door:
        attempt = Attempt(door.redirect_uri)
        landing = await browser.open(await claude.authorize_url(attempt))
        assert (await browser.web.get(landing)).status_code == 400  # nobody waits yet
        waiting = door.callback(attempt.state, seconds=5)
        callback, page = await browser.at_once(waiting, landing)
        tokens = await claude.exchange(attempt, callback)

    assert page.status_code == 200
    assert door.redirect_uri.startswith("http://localhost:")
    assert browser.valid(tokens.access_token)
    assert tokens.access_token.startswith("sk-ant-oat01-")
    assert tokens.refresh_token is not None
    assert set(tokens.scopes) == set(claude_constants(Settings()).scope.split())
    assert tokens.expires_at is not None
    assert timedelta(hours=7.9) < tokens.expires_at - datetime.now(UTC) <= timedelta(hours=8)
    assert tokens.account == {
        "account_id": "99999999-8888-4777-8666-555555555555",
        "email": "user@example.com",
        "organization": "Example Organization",
        "organization_id": "11111111-2222-4333-8444-555555555555",
    }


async def test_a_login_by_pasting_what_the_page_shows(browser: Browser) -> None:
    claude = ClaudeOAuth.from_settings(browser.settings)
    attempt = Attempt(claude.pasted_redirect_uri)
    page = await browser.web.get(await browser.open(await claude.authorize_url(attempt)))
    shown = page.text.partition("<pre id=code>")[2].partition("<")[0]
    tokens = await claude.exchange(attempt, read_pasted(shown))

    assert "#" in shown
    assert browser.valid(tokens.access_token)


async def test_the_page_to_open() -> None:
    url = await ClaudeOAuth.from_settings(Settings()).authorize_url(Attempt("http://localhost:7/callback"))

    assert url.startswith("https://claude.ai/oauth/authorize?code=true&client_id=9d1c250a-")
    assert "redirect_uri=http%3A%2F%2Flocalhost%3A7%2Fcallback" in url


async def test_a_refused_consent(browser: Browser) -> None:
    claude = ClaudeOAuth.from_settings(browser.settings)

    with pytest.raises(LoginError) as caught:
        await browser.callback(await claude.authorize_url(Attempt(claude.pasted_redirect_uri)), "Deny")
    assert caught.value.code == "access_denied"


async def test_another_logins_code_is_not_even_sent(browser: Browser) -> None:
    claude = ClaudeOAuth.from_settings(browser.settings)
    attempt = Attempt(claude.pasted_redirect_uri)
    callback = await browser.callback(await claude.authorize_url(attempt))

    with pytest.raises(LoginError) as caught:
        await claude.exchange(attempt, Callback(callback.code, "another"))
    assert caught.value.code == "state_mismatch"
    assert (await browser.control())["grants"]["anthropic"] == {}


@pytest.mark.parametrize("wrong", ["code", "verifier", "used"])
async def test_a_code_that_is_no_good(browser: Browser, wrong: str) -> None:
    claude = ClaudeOAuth.from_settings(browser.settings)
    attempt = Attempt(claude.pasted_redirect_uri)
    callback = await browser.callback(await claude.authorize_url(attempt))
    if wrong == "code":
        callback = Callback("ac_other", callback.state)
    elif wrong == "verifier":
        attempt = Attempt(attempt.redirect_uri, state=attempt.state)
    else:
        await claude.exchange(attempt, callback)

    with pytest.raises(TokenError) as caught:
        await claude.exchange(attempt, callback)
    assert (caught.value.code, caught.value.terminal) == ("invalid_grant", True)
    assert callback.code not in str(caught.value)


async def test_a_refresh_rotates_and_works_once(browser: Browser) -> None:
    claude = ClaudeOAuth.from_settings(browser.settings)
    first = await logged_in(browser)
    assert first.refresh_token is not None
    second = await claude.refresh(first.refresh_token)

    assert second.refresh_token != first.refresh_token
    assert browser.valid(second.access_token)
    assert second.account["email"] == "user@example.com"
    with pytest.raises(TokenError) as caught:
        await claude.refresh(first.refresh_token)
    assert (caught.value.code, caught.value.terminal) == ("invalid_grant", True)
    assert first.refresh_token not in str(caught.value)


@pytest.mark.parametrize("order", [{"revoke_all": True}, {"refresh_expires_in": 0}])
async def test_a_dead_refresh_token_is_terminal(browser: Browser, order: dict[str, object]) -> None:
    await browser.control(**order)
    tokens = await logged_in(browser)
    await browser.control(**order)

    with pytest.raises(TokenError, match="log in again") as caught:
        await ClaudeOAuth.from_settings(browser.settings).refresh(tokens.refresh_token or "")
    assert caught.value.terminal


@pytest.mark.parametrize(("mode", "retry_after"), [("down", None), ("rate_limited", 3)])
async def test_trouble_at_the_provider_costs_nothing(
    browser: Browser, mode: str, retry_after: float | None
) -> None:
    claude = ClaudeOAuth.from_settings(browser.settings)
    tokens = await logged_in(browser)
    await browser.control(token_endpoint=mode, retry_after_seconds=3)

    with pytest.raises(TokenError) as caught:
        await claude.refresh(tokens.refresh_token or "")
    assert (caught.value.terminal, caught.value.retry_after) == (False, retry_after)
    await browser.control(token_endpoint="ok")
    assert browser.valid((await claude.refresh(tokens.refresh_token or "")).access_token)


async def test_the_wait_for_a_slow_answer_is_part_of_its_lifetime(browser: Browser) -> None:
    await browser.control(token_endpoint="slow", delay_seconds=0.3, expires_in=60)
    begun = datetime.now(UTC)
    tokens = await logged_in(browser)

    assert tokens.expires_at is not None
    assert tokens.expires_at - begun < timedelta(seconds=60.3)
    assert datetime.now(UTC) - begun > timedelta(seconds=0.3)


async def test_what_a_refresh_sends() -> None:
    async with provider(http(200, {"access_token": "at"})) as server:
        constants = replace(claude_constants(Settings()), token_url=f"{server.url}/t")
        tokens = await ClaudeOAuth(constants).refresh("rt")

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert b"anthropic-beta: oauth-2025-04-20" in head.lower()
    assert json.loads(body) == {
        "grant_type": "refresh_token",
        "refresh_token": "rt",
        "client_id": constants.client_id,
    }
    assert (tokens.refresh_token, tokens.account) == (None, {})
    assert tokens.expires_at is not None
    assert tokens.expires_at - datetime.now(UTC) < timedelta(hours=1)


async def test_profile_and_usage(browser: Browser) -> None:
    claude = ClaudeOAuth.from_settings(browser.settings)
    tokens = await logged_in(browser)

    profile = await claude.profile(tokens.access_token)
    assert profile["email"] == "user@example.com"
    assert profile["plan"]
    assert "five_hour" in await claude.usage(tokens.access_token)
    await browser.control(expire_all=True)
    with pytest.raises(TokenError) as caught:
        await claude.profile(tokens.access_token)
    assert not caught.value.terminal  # a refresh may help


@pytest.mark.parametrize(
    ("answer", "plan"),
    [
        ({"account": {"has_claude_max": True, "has_claude_pro": True}}, "max"),
        ({"account": {"has_claude_pro": True}, "organization": {"organization_type": "claude_team"}}, "pro"),
        ({"account": {}, "organization": {"organization_type": "claude_enterprise"}}, "enterprise"),
        ({"account": None}, None),
    ],
)
async def test_the_plan(answer: object, plan: str | None) -> None:
    async with provider(http(200, answer)) as server:
        constants = replace(claude_constants(Settings()), profile_url=server.url)
        assert (await ClaudeOAuth(constants).profile("at")).get("plan") == plan
