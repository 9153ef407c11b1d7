import asyncio
import time
from dataclasses import replace

import pytest

from ccproxy.credentials.oauth.constants import codex_constants
from ccproxy.credentials.oauth.device import LEAST_INTERVAL, DeviceCode, DeviceLogin
from ccproxy.credentials.oauth.tokens import LoginError, TokenError
from ccproxy.settings import Settings
from tests.credentials.oauth.browser import Browser
from tests.credentials.oauth.provider import http, provider
from tests.credentials.oauth.test_codex import ACCOUNT


async def begun(browser: Browser) -> tuple[DeviceLogin, DeviceCode]:
    await browser.control(device_interval=LEAST_INTERVAL)
    device = DeviceLogin.from_settings(browser.settings)
    return device, await device.begin()


async def type_code(browser: Browser, code: DeviceCode, decision: str = "allow") -> None:
    page = await browser.web.post(code.page, data={"user_code": code.user_code, "decision": decision})
    assert page.status_code == 200


async def test_a_login_by_a_code_that_is_typed_elsewhere(browser: Browser) -> None:
    device, code = await begun(browser)
    waiting = asyncio.create_task(device.finish(code))
    await asyncio.sleep(LEAST_INTERVAL * 1.5)
    assert not waiting.done()
    await type_code(browser, code)
    tokens = await waiting

    assert browser.valid(tokens.access_token)
    assert tokens.account == ACCOUNT
    assert code.page == f"{browser.url}/codex/device"
    assert code.device_auth_id not in repr(code)


async def test_nobody_types_it(browser: Browser) -> None:
    device, code = await begun(browser)
    await type_code(browser, code, "deny")
    begin = time.monotonic()

    with pytest.raises(LoginError) as caught:
        await device.finish(code, lifetime=0.3)
    assert caught.value.code == "timeout"
    assert 0.3 <= time.monotonic() - begin < 2


async def test_it_is_switched_off(browser: Browser) -> None:
    await browser.control(device_login=False)

    with pytest.raises(LoginError, match="switched off") as caught:
        await DeviceLogin.from_settings(browser.settings).begin()
    assert caught.value.code == "device_login_off"


async def test_trouble_on_the_way_is_waited_out(browser: Browser) -> None:
    _, code = await begun(browser)
    async with provider() as server:
        server.queue = [http(503, b"<html>"), http(429, {}, {"retry-after": "0"}), b""]
        server.answer = http(200, {"authorization_code": "ac_none", "code_verifier": "v" * 43})
        device = DeviceLogin(replace(codex_constants(browser.settings), device_token_url=server.url))
        with pytest.raises(TokenError) as caught:
            await device.finish(code)

    assert len(server.requests) == 4
    assert caught.value.code == "invalid_grant"  # of the exchange: the code above is made up


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (http(401, {"error": "invalid_client"}), "invalid_client"),
        (http(400, {}), "http_400"),
        (http(200, {"authorization_code": "c"}), "bad_answer"),
        (http(200, b"<html>"), "bad_answer"),
    ],
)
async def test_what_no_waiting_mends(answer: bytes, code: str) -> None:
    async with provider(answer) as server:
        device = DeviceLogin(replace(codex_constants(Settings()), device_token_url=server.url))
        with pytest.raises(TokenError) as caught:
            await device.finish(DeviceCode("A", "p", 5, "d"), lifetime=5)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("7", 7), (3, 3), (None, 5), ("often", 5), (0, LEAST_INTERVAL), (-1, LEAST_INTERVAL), ("inf", 5)],
)
async def test_how_often_to_ask(given: object, seconds: float) -> None:
    answer = {"device_auth_id": "d", "usercode": "ABCD-EFGHI", "interval": given}
    async with provider(http(200, answer)) as server:
        device = DeviceLogin(replace(codex_constants(Settings()), device_code_url=server.url))
        code = await device.begin()

    assert (code.user_code, code.interval) == ("ABCD-EFGHI", seconds)


async def test_an_answer_without_a_code() -> None:
    async with provider(http(200, {"user_code": "A"})) as server:
        with pytest.raises(TokenError):
            await DeviceLogin(replace(codex_constants(Settings()), device_code_url=server.url)).begin()
