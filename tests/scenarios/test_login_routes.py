"""A login that a running server begins and finishes, in each of its hosts."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import upstream_settings
from tests.support.logging_in import decided, login_settings
from tests.support.processes import Proxy, Simulator, running_proxy

TOKEN = {"authorization": "Bearer the-token-of-the-proxy"}
ASK = {"model": "claude-opus-4-8", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}


@pytest.fixture
def guarded(home: Path, host: str, simulator: Simulator) -> Iterator[Proxy]:
    """With a token, and without a credential for Claude."""
    settings = upstream_settings(simulator) | login_settings(simulator)
    del settings["CLAUDE__API_KEY"]
    settings["SECURITY__AUTH_TOKEN"] = "the-token-of-the-proxy"
    with running_proxy(home, settings, host) as proxy:
        yield proxy


def test_from_begin_to_end(guarded: Proxy, home: Path) -> None:
    """The redirect has no token and comes from the provider's page; its state is what lets it in."""
    begin = f"{guarded.url}/oauth/login/claude"
    assert httpx.post(begin, trust_env=False).status_code == 401
    for header in ({"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert httpx.post(begin, headers=TOKEN | header, trust_env=False).status_code == 403
    assert httpx.get(begin, headers=TOKEN, trust_env=False).status_code == 404

    login = httpx.post(begin, headers=TOKEN, trust_env=False).raise_for_status().json()
    assert login["comes_back"] is True
    browser = {"sec-fetch-site": "cross-site", "accept": "text/html"}
    page = httpx.get(decided(login["url"]), headers=browser, trust_env=False)
    assert (page.status_code, "has come through" in page.text) == (200, True)
    again = httpx.get(decided(login["url"]), headers=browser, trust_env=False)
    assert (again.status_code, again.headers["x-ccproxy-error"]) == (400, "login_failed")

    status = httpx.get(f"{guarded.url}/api/status", headers=TOKEN, trust_env=False).json()
    assert status["credential"]["source"] == "ccproxy's own login"
    answer = httpx.post(
        f"{guarded.url}/api/v1/messages",
        json=ASK,
        headers=TOKEN | {"anthropic-version": "2023-06-01"},
        trust_env=False,
    )
    assert answer.status_code == 200
    stored = json.loads((home / ".local/share/ccproxy/claude.json").read_text())["claudeAiOauth"]
    assert stored["accessToken"] not in guarded.process.output


@pytest.mark.parametrize("host", ["serve"])
def test_by_hand(guarded: Proxy, home: Path) -> None:
    begin = httpx.post(f"{guarded.url}/oauth/login/openai", headers=TOKEN, trust_env=False).json()
    assert begin["comes_back"] is False
    query = decided(begin["url"]).partition("?")[2]
    done = httpx.get(f"{guarded.url}/oauth/callback?{query}", trust_env=False)
    assert done.json()["status"] == "logged_in"
    assert (home / ".local/share/ccproxy/codex.json").exists()
