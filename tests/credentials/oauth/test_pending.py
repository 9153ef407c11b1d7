import pytest

from ccproxy.credentials.oauth.claude import ClaudeOAuth
from ccproxy.credentials.oauth.codex import CodexOAuth
from ccproxy.credentials.oauth.pending import LIFETIME, Pending, Provider
from ccproxy.credentials.oauth.siwc import Registration, SiwcOAuth, new_host_id
from ccproxy.credentials.oauth.tokens import LoginError, TokenError
from tests.credentials.oauth.browser import Browser


async def test_every_provider_side_by_side(browser: Browser) -> None:
    pending = Pending()
    providers: list[Provider] = [
        ClaudeOAuth.from_settings(browser.settings),
        CodexOAuth.from_settings(browser.settings),
        SiwcOAuth.from_settings(browser.settings, Registration(new_host_id())),
    ]
    begun = [await pending.begin(provider) for provider in providers]
    for url, state in reversed(begun):
        callback = await browser.callback(url)
        assert callback.state == state
        tokens = await pending.finish(callback.state, callback.code, callback.client_id)
        assert browser.valid(tokens.access_token)


async def test_another_redirect(browser: Browser) -> None:
    pending = Pending()
    url, _ = await pending.begin(
        ClaudeOAuth.from_settings(browser.settings), "http://localhost:8000/callback"
    )
    landing = await browser.open(url)
    callback = await browser.callback(url)

    assert landing.startswith("http://localhost:8000/callback?code=")
    assert browser.valid((await pending.finish(callback.state, callback.code)).access_token)


async def test_a_login_is_finished_once(browser: Browser) -> None:
    pending = Pending()
    url, state = await pending.begin(ClaudeOAuth.from_settings(browser.settings))

    with pytest.raises(TokenError):
        await pending.finish(state, "ac_wrong")
    callback = await browser.callback(url)
    with pytest.raises(LoginError) as caught:
        await pending.finish(state, callback.code)
    assert caught.value.code == "unknown_state"


async def test_a_wrong_state_disturbs_nobody(browser: Browser) -> None:
    pending = Pending()
    url, state = await pending.begin(ClaudeOAuth.from_settings(browser.settings))
    callback = await browser.callback(url)
    for wrong in ("", "x", state[:-1], state + "x"):
        with pytest.raises(LoginError) as caught:
            await pending.finish(wrong, callback.code)
        assert caught.value.code == "unknown_state"

    assert browser.valid((await pending.finish(state, callback.code)).access_token)


@pytest.mark.parametrize(("age", "known"), [(LIFETIME - 1, True), (LIFETIME, False)])
async def test_a_login_is_forgotten_after_ten_minutes(browser: Browser, age: float, known: bool) -> None:
    now = 1000.0
    pending = Pending(lambda: now)
    url, state = await pending.begin(ClaudeOAuth.from_settings(browser.settings))
    callback = await browser.callback(url)
    now += age

    if known:
        await pending.finish(state, callback.code)
    else:
        with pytest.raises(LoginError, match="took too long"):
            await pending.finish(state, callback.code)


async def test_secrets_are_not_shown(browser: Browser) -> None:
    pending = Pending()
    _, state = await pending.begin(ClaudeOAuth.from_settings(browser.settings))

    assert state not in repr(vars(pending))
