import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from ccproxy.credentials.oauth import http as under_test
from ccproxy.credentials.oauth.http import MOST, get_json, post_form, post_json
from ccproxy.credentials.oauth.tokens import TokenError
from tests.credentials.oauth.browser import Browser
from tests.credentials.oauth.provider import http, provider
from tests.support.processes import free_port

SECRET = "rt-very-secret"


async def failure(answer: bytes) -> TokenError:
    """How a refresh fails when the provider answers so."""
    async with provider(answer) as server:
        with pytest.raises(TokenError) as caught:
            await post_json(f"{server.url}/token", {"refresh_token": SECRET})
    assert SECRET not in str(caught.value)
    return caught.value


async def test_json_form_and_get() -> None:
    async with provider(http(200, {"a": 1})) as server:
        assert await post_json(f"{server.url}/token", {"x": "é y"}, headers={"anthropic-beta": "b"}) == {
            "a": 1
        }
        assert await post_form(f"{server.url}/token", {"x": "é y"}) == {"a": 1}
        assert await get_json(f"{server.url}/me", headers={"authorization": "Bearer t"}) == {"a": 1}

    as_json, as_form, got = (request.lower() for request in server.requests)
    assert as_json.startswith(b"post /token ")
    assert b"content-type: application/json" in as_json
    assert b"anthropic-beta: b" in as_json
    assert b"user-agent: ccproxy/" in as_json
    assert as_form.endswith(b"x=%c3%a9+y")
    assert got.startswith(b"get /me ")
    assert b"authorization: bearer t" in got


async def test_an_empty_success_says_nothing() -> None:
    async with provider(http(200, b"")) as server:
        assert await post_form(server.url, {"token": "t"}) == {}


@pytest.mark.parametrize(
    ("status", "body", "code", "terminal"),
    [
        (400, {"error": "invalid_grant", "error_description": f"no {SECRET}"}, "invalid_grant", True),
        (401, {"error": {"code": "refresh_token_reused", "message": SECRET}}, "refresh_token_reused", True),
        (401, {"error": {"code": None, "type": "unheard_of"}}, "unheard_of", True),
        (401, {"detail": "no"}, "http_401", True),
        (401, {"error": "invalid_client"}, "invalid_client", False),
        (400, {"error": "invalid_request"}, "invalid_request", False),
        (400, {"type": "error", "error": {"type": "invalid_request_error"}}, "invalid_request_error", False),
        (400, {"error": f"{SECRET} is bad"}, "http_400", False),
        (403, b"<html>Just a moment</html>", "http_403", False),
        (401, b"<html>login</html>", "http_401", False),
        (401, b"", "http_401", False),
        (503, {"error": "temporarily_unavailable"}, "temporarily_unavailable", False),
        (500, {"error": "invalid_grant"}, "invalid_grant", False),
        (502, b"", "http_502", False),
        (429, {"error": "invalid_grant"}, "invalid_grant", False),
        (200, b"<html>hello</html>", "bad_answer", False),
        (200, b"[1]", "bad_answer", False),
        (200, b"[" * 100_000, "bad_answer", False),
        (200, b'{"access_token": "a', "bad_answer", False),
        (200, b"\xff\xfe", "bad_answer", False),
        (200, b'{"a": "' + b"x" * MOST + b'"}', "bad_answer", False),
    ],
)
async def test_a_refusal(status: int, body: Any, code: str, terminal: bool) -> None:
    error = await failure(http(status, body))

    assert (error.code, error.terminal, error.status) == (code, terminal, status)
    assert "127.0.0.1" in str(error)
    assert ("log in again" in str(error)) >= terminal


async def test_a_redirect_is_not_followed() -> None:
    async with provider(http(200, {})) as other:
        error = await failure(http(307, b"", {"location": f"{other.url}/token"}))

    assert error.code == "http_307"
    assert not error.terminal
    assert other.requests == []


async def test_without_a_grant_nothing_is_lost() -> None:
    async with provider(http(401, {"error": "invalid_grant"})) as server:
        with pytest.raises(TokenError) as caught:
            await get_json(server.url)

    assert (caught.value.code, caught.value.terminal) == ("invalid_grant", False)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("1.5", 1.5), ("0", 0), ("soon", None), ("-3", None)]
)
async def test_when_to_come_back(header: str, seconds: float | None) -> None:
    error = await failure(http(429, {}, {"retry-after": header}))

    assert error.retry_after == seconds
    assert ("in 7 seconds" in str(error)) == (header == "7")


@pytest.mark.parametrize(("hours", "least", "most"), [(1, 3590, 3600), (-1, 0, 0)])
async def test_when_to_come_back_as_a_date(hours: int, least: float, most: float) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
    error = await failure(http(503, {}, {"retry-after": moment}))

    assert error.retry_after is not None
    assert least <= error.retry_after <= most


async def test_nobody_there() -> None:
    with pytest.raises(TokenError, match="cannot be reached") as caught:
        await post_json(f"http://127.0.0.1:{free_port()}/token", {"refresh_token": SECRET})

    assert (caught.value.code, caught.value.terminal, caught.value.status) == ("unreachable", False, None)


async def test_a_connection_that_breaks() -> None:
    assert (await failure(b"")).code == "unreachable"
    assert (await failure(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{")).code == "unreachable"
    assert (await failure(b"hello\r\n\r\n")).code == "unreachable"


async def test_no_answer_in_time(browser: Browser) -> None:
    await browser.control(token_endpoint="slow", delay_seconds=5)

    with pytest.raises(TokenError, match=r"within 0\.1 seconds") as caught:
        await post_json(f"{browser.url}/v1/oauth/token", {}, seconds=0.1)
    assert (caught.value.code, caught.value.terminal) == ("timeout", False)


async def test_errors_do_not_carry_the_request() -> None:
    with pytest.raises(TokenError) as caught:
        await post_json(f"http://127.0.0.1:{free_port()}/token", {"refresh_token": SECRET})

    assert caught.value.__context__ is None


async def test_bodies_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with provider(http(200, {"access_token": "at-secret"})) as server:
        await post_form(f"{server.url}/token", {"refresh_token": SECRET})

    assert SECRET not in caplog.text
    assert "at-secret" not in caplog.text


async def test_a_proxy_is_used_but_not_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with provider(http(502, b"")) as proxy, provider(http(200, {"a": 1})) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert await post_json(server.url, {}) == {"a": 1}
        assert proxy.requests == []
        with pytest.raises(TokenError) as caught:
            await post_json("https://login.example/token", {"refresh_token": SECRET})

    assert caught.value.code == "unreachable"
    assert proxy.requests[0].startswith(b"CONNECT login.example:443 ")
    assert SECRET.encode() not in proxy.requests[0]


async def test_an_environment_that_makes_no_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "gopher://127.0.0.1:1")

    with pytest.raises(TokenError, match="HTTPS_PROXY"):
        await post_json("https://login.example/token", {})


def test_codes_that_blame_us_do_not_end_a_login() -> None:
    assert not under_test.DEAD_LOGIN & under_test.OUR_FAULT
