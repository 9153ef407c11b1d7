import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from ccproxy.credentials.oauth.callback import Callback
from ccproxy.credentials.oauth.loopback import receiver
from ccproxy.credentials.oauth.pkce import Attempt
from ccproxy.credentials.oauth.siwc import Registration, SiwcOAuth, new_host_id
from ccproxy.credentials.oauth.tokens import LoginError, TokenError, Tokens
from ccproxy.settings import Settings
from tests.credentials.oauth.browser import Browser
from tests.credentials.oauth.provider import Provider, http, provider

SUBJECT = "user-5a1e0000000000000000000000000001"
DISCOVERY = "/.well-known/openid-configuration"


async def logged_in(
    browser: Browser, registration: Registration, choice: str = "Allow"
) -> tuple[SiwcOAuth, Tokens]:
    """A first login, and the provider as it is for the registered installation from then on."""
    siwc = SiwcOAuth.from_settings(browser.settings, registration)
    attempt = Attempt(siwc.pasted_redirect_uri)
    tokens = await siwc.exchange(attempt, await browser.callback(await siwc.authorize_url(attempt), choice))
    account = tokens.account
    registered = Registration(registration.host_id, account["client_id"], account["subject"])
    return SiwcOAuth.from_settings(browser.settings, registered), tokens


def first() -> Registration:
    return Registration(new_host_id())


async def test_a_first_login_registers(browser: Browser) -> None:
    siwc = SiwcOAuth.from_settings(browser.settings, first())
    async with receiver(siwc.redirect) as door:
        attempt = Attempt(door.redirect_uri)
        url = await siwc.authorize_url(attempt)
        callback, page = await browser.at_once(
            door.callback(attempt.state, seconds=5), await browser.open(url)
        )
        tokens = await siwc.exchange(attempt, callback)

    query = parse_qs(urlsplit(url).query)
    assert query["client_id"] == ["dynamic_agent_client"]
    assert query["agent_name_hint"] == ["ccproxy"]
    assert page.status_code == 200
    assert door.redirect_uri.startswith("http://127.0.0.1:")
    assert browser.valid(tokens.access_token)
    assert siwc.grants_plan(tokens)
    assert tokens.earliest_refresh_at is None
    assert tokens.expires_at is not None
    assert timedelta(minutes=59) < tokens.expires_at - datetime.now(UTC) <= timedelta(hours=1)
    assert tokens.account == {
        "client_id": callback.client_id,
        "issuer": browser.url,
        "subject": SUBJECT,
        "email": "user@example.com",
    }


async def test_a_later_login_comes_with_its_own_client_id(browser: Browser) -> None:
    siwc, tokens = await logged_in(browser, first())
    attempt = Attempt(siwc.pasted_redirect_uri)
    url = await siwc.authorize_url(attempt, ask_consent=True)
    callback = await browser.callback(url)
    again = await siwc.exchange(attempt, callback)

    query = parse_qs(urlsplit(url).query)
    assert query["client_id"] == [tokens.account["client_id"]]
    assert query["prompt"] == ["consent"]
    assert "agent_name_hint" not in query
    assert callback.client_id is None
    assert again.account == tokens.account


async def test_plan_usage_that_was_not_allowed(browser: Browser) -> None:
    siwc, tokens = await logged_in(browser, first(), "Allow without plan usage")

    assert not siwc.grants_plan(tokens)
    assert tokens.account["client_id"]  # the registration stands all the same


async def test_a_refused_consent(browser: Browser) -> None:
    with pytest.raises(LoginError, match="refused"):
        await logged_in(browser, first(), "Deny")


@pytest.mark.parametrize("client_id", [None, "", "dynamic_agent_client"])
async def test_a_callback_that_registers_nobody(browser: Browser, client_id: str | None) -> None:
    siwc = SiwcOAuth.from_settings(browser.settings, first())
    attempt = Attempt(siwc.pasted_redirect_uri)
    callback = await browser.callback(await siwc.authorize_url(attempt))

    with pytest.raises(LoginError) as caught:
        await siwc.exchange(attempt, Callback(callback.code, callback.state, client_id))
    assert caught.value.code == "no_client_id"
    assert (await browser.control())["grants"]["siwc"] == {}


async def test_a_callback_for_another_registration(browser: Browser) -> None:
    siwc, _ = await logged_in(browser, first())
    attempt = Attempt(siwc.pasted_redirect_uri)
    callback = await browser.callback(await siwc.authorize_url(attempt))

    with pytest.raises(LoginError) as caught:
        await siwc.exchange(attempt, Callback(callback.code, callback.state, "oaiapp_other"))
    assert caught.value.code == "client_id_mismatch"


async def test_another_logins_code_is_not_even_sent(browser: Browser) -> None:
    siwc = SiwcOAuth.from_settings(browser.settings, first())

    with pytest.raises(LoginError) as caught:
        await siwc.exchange(Attempt(siwc.pasted_redirect_uri), Callback("ac", "another", "oaiapp_1"))
    assert caught.value.code == "state_mismatch"


async def test_another_account_is_refused_and_its_tokens_are_ended(browser: Browser) -> None:
    registration = Registration(new_host_id(), subject="user-somebody-else")

    with pytest.raises(LoginError) as caught:
        await logged_in(browser, registration)
    assert caught.value.code == "other_account"
    assert (await browser.control())["active"]["refresh_tokens"] == 0


async def test_a_refresh_rotates_and_works_once(browser: Browser) -> None:
    await browser.control(earliest_refresh_in=600)
    siwc, before = await logged_in(browser, first())
    after = await siwc.refresh(before.refresh_token or "")

    assert after.refresh_token not in (None, before.refresh_token)
    assert browser.valid(after.access_token)
    assert siwc.grants_plan(after)
    assert after.account["client_id"] == before.account["client_id"]
    assert after.earliest_refresh_at is not None
    assert 590 < (after.earliest_refresh_at - datetime.now(UTC)).total_seconds() <= 600
    with pytest.raises(TokenError) as caught:
        await siwc.refresh(before.refresh_token or "")
    assert (caught.value.code, caught.value.terminal) == ("refresh_token_reused", True)


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"revoke_all": True}, "refresh_token_invalidated"),
        ({"refresh_expires_in": 0}, "refresh_token_expired"),
    ],
)
async def test_a_dead_refresh_token_is_terminal(browser: Browser, order: dict[str, Any], code: str) -> None:
    await browser.control(**order)
    siwc, tokens = await logged_in(browser, first())
    await browser.control(**order)

    with pytest.raises(TokenError) as caught:
        await siwc.refresh(tokens.refresh_token or "")
    assert (caught.value.code, caught.value.terminal) == (code, True)


async def test_a_wrong_client_id_does_not_end_the_login(browser: Browser) -> None:
    _, tokens = await logged_in(browser, first())
    other = SiwcOAuth.from_settings(browser.settings, Registration(new_host_id(), "oaiapp_other"))

    with pytest.raises(TokenError) as caught:
        await other.refresh(tokens.refresh_token or "")
    assert (caught.value.code, caught.value.terminal) == ("invalid_client", False)


async def test_without_a_registration_there_is_nothing_to_refresh(browser: Browser) -> None:
    siwc = SiwcOAuth.from_settings(browser.settings, first())

    with pytest.raises(TokenError) as caught:
        await siwc.refresh("rt")
    assert (caught.value.code, caught.value.terminal) == ("not_registered", True)
    assert not await siwc.revoke("rt")


@pytest.mark.parametrize("mode", ["down", "rate_limited"])
async def test_trouble_at_the_provider_costs_nothing(browser: Browser, mode: str) -> None:
    siwc, tokens = await logged_in(browser, first())
    await browser.control(token_endpoint=mode)

    with pytest.raises(TokenError) as caught:
        await siwc.refresh(tokens.refresh_token or "")
    assert not caught.value.terminal
    await browser.control(token_endpoint="ok")
    assert browser.valid((await siwc.refresh(tokens.refresh_token or "")).access_token)


async def test_revoking_ends_the_login(browser: Browser) -> None:
    siwc, tokens = await logged_in(browser, first())

    assert await siwc.revoke(tokens.refresh_token or "")
    with pytest.raises(TokenError) as caught:
        await siwc.refresh(tokens.refresh_token or "")
    assert caught.value.code == "refresh_token_invalidated"


def test_a_host_id_is_a_name_of_its_own() -> None:
    assert re.fullmatch(
        r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", new_host_id()
    )
    assert new_host_id() != new_host_id()


# --- an issuer of one's own


@asynccontextmanager
async def issuer(**changed: Any) -> AsyncIterator[tuple[Provider, SiwcOAuth]]:
    """An issuer whose discovery document is `changed`, and its client."""
    async with provider() as server:
        document = {
            "issuer": server.url,
            "authorization_endpoint": "https://auth.example/authorize",
            "token_endpoint": f"{server.url}/token",
            "revocation_endpoint": f"{server.url}/revoke",
        } | changed
        server.paths[DISCOVERY] = http(200, document)
        server.paths["/revoke"] = http(200, b"")
        settings = Settings.model_validate({"codex": {"siwc": {"issuer": server.url}}})
        yield server, SiwcOAuth.from_settings(settings, first())


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "https://auth.openai.com"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": "http://127.0.0.1:1/token"},
        {"token_endpoint": "http://auth.example/token"},
        {"token_endpoint": "https://[auth.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"revocation_endpoint": "https:///revoke"},
    ],
)
async def test_a_discovery_document_that_is_not_trusted(changed: dict[str, Any]) -> None:
    async with issuer(**changed) as (_, siwc):
        with pytest.raises(TokenError) as caught:
            await siwc.endpoints()

    assert (caught.value.code, caught.value.terminal) == ("bad_answer", False)


async def test_discovery_is_asked_once() -> None:
    async with issuer() as (server, siwc):
        assert await siwc.endpoints() == await siwc.endpoints()
        assert len(server.requests) == 1


async def test_an_issuer_without_revocation() -> None:
    async with issuer(revocation_endpoint=None) as (_, siwc):
        assert (await siwc.endpoints()).revoke is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": ["oaiapp_other"]},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": ""},
        {"sub": None},
    ],
)
async def test_an_id_token_that_is_not_for_us(wrong: dict[str, Any]) -> None:
    async with issuer() as (server, siwc):
        attempt = Attempt(siwc.pasted_redirect_uri)
        server.answer = tokens_with(server, attempt, wrong)
        with pytest.raises(LoginError) as caught:
            await siwc.exchange(attempt, Callback("c", attempt.state, "oaiapp_1"))

    assert caught.value.code == "bad_id_token"
    assert next(iter(wrong)) in str(caught.value)
    assert server.requests[-1].startswith(b"POST /revoke ")
    assert b"token=rt-1" in server.requests[-1]


@pytest.mark.parametrize("good", [{}, {"aud": "oaiapp_1"}, {"exp": -10}])
async def test_an_id_token_that_is_for_us(good: dict[str, Any]) -> None:
    if "exp" in good:
        good = {"exp": int(time.time()) + good["exp"]}
    async with issuer() as (server, siwc):
        attempt = Attempt(siwc.pasted_redirect_uri)
        server.answer = tokens_with(server, attempt, good)
        tokens = await siwc.exchange(attempt, Callback("c", attempt.state, "oaiapp_1"))

    assert siwc.grants_plan(tokens)  # no scope in the answer: all that was asked for
    assert tokens.account["subject"] == "user-1"


async def test_no_id_token_at_all() -> None:
    async with issuer() as (server, siwc):
        attempt = Attempt(siwc.pasted_redirect_uri)
        server.answer = http(200, {"access_token": "at"})
        with pytest.raises(LoginError):
            await siwc.exchange(attempt, Callback("c", attempt.state, "oaiapp_1"))


async def test_a_refresh_without_an_id_token_keeps_the_tokens() -> None:
    async with issuer() as (server, _):
        settings = Settings.model_validate({"codex": {"siwc": {"issuer": server.url}}})
        siwc = SiwcOAuth.from_settings(settings, Registration(new_host_id(), "oaiapp_1"))
        server.answer = http(200, {"access_token": "at", "refresh_token": "rt-2"})
        tokens = await siwc.refresh("rt-1")

    assert (tokens.refresh_token, tokens.scopes) == ("rt-2", ())
    assert tokens.account == {"client_id": "oaiapp_1"}


def tokens_with(server: Provider, attempt: Attempt, changed: dict[str, Any]) -> bytes:
    claims = {
        "iss": server.url,
        "aud": ["oaiapp_1"],
        "exp": int(time.time()) + 60,
        "nonce": attempt.nonce,
        "sub": "user-1",
    } | changed
    given = {name: value for name, value in claims.items() if value is not None}
    id_token = jwt.api_jws.encode(json.dumps(given).encode(), "k" * 32, algorithm="HS256")
    return http(200, {"access_token": "at", "refresh_token": "rt-1", "id_token": id_token})
