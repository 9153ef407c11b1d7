import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from starlette.applications import Starlette

from ccproxy.local.logins import login_routes
from ccproxy.settings import Settings
from tests.support.processes import Simulator

OWN = ".local/share/ccproxy"


def settings(simulator: Simulator, port: int) -> Settings:
    return Settings.model_validate(
        {
            "server": {"port": port},
            "claude": {"token_url": f"{simulator.url}/v1/oauth/token"},
            "codex": {"token_url": f"{simulator.url}/oauth/token"},
        }
    )


def app_on(simulator: Simulator, home: Path, port: int) -> httpx.AsyncClient:
    app = Starlette(routes=login_routes(settings(simulator, port), {"HOME": str(home)}))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://local")


@pytest.fixture
async def client(simulator: Simulator, home: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with app_on(simulator, home, 8000) as client:
        yield client


async def begun(client: httpx.AsyncClient, name: str) -> dict[str, Any]:
    answer = await client.post(f"/oauth/login/{name}")
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def landing(url: str, decision: str = "allow") -> httpx.URL:
    """Where the browser is sent to."""
    page = re.sub(r"/authorize\?", "/authorize/decision?", url) + f"&decision={decision}"
    return httpx.URL(urljoin(url, httpx.get(page, trust_env=False).headers["location"]))


async def test_claude(client: httpx.AsyncClient, home: Path) -> None:
    login = await begun(client, "claude")
    assert (login["redirect_uri"], login["comes_back"]) == ("http://localhost:8000/callback", True)
    assert login["expires_in"] == 600
    back = landing(login["url"])
    assert str(back).startswith("http://localhost:8000/callback?")
    query = back.query.decode()
    answer = await client.get(f"/oauth/callback?{query}")
    assert answer.status_code == 200
    assert answer.json()["status"] == "logged_in"
    stored = home / OWN / "claude.json"
    tokens = json.loads(stored.read_text())["claudeAiOauth"]
    assert tokens["accessToken"] not in answer.text
    assert stored.stat().st_mode & 0o777 == 0o600
    again = await client.get(f"/oauth/callback?{query}")
    assert again.status_code == 400
    assert again.headers["x-ccproxy-error"] == "login_failed"
    assert "begin again" in again.json()["error"]["message"]


async def test_openai_is_taken_to_the_callback_by_hand(client: httpx.AsyncClient, home: Path) -> None:
    login = await begun(client, "openai")
    assert (login["redirect_uri"], login["comes_back"]) == ("http://localhost:1455/auth/callback", False)
    answer = await client.get(f"/oauth/callback?{landing(login['url']).query.decode()}")
    assert answer.status_code == 200
    assert (home / OWN / "codex.json").exists()


async def test_openai_comes_back_where_we_have_its_port(simulator: Simulator, home: Path) -> None:
    async with app_on(simulator, home, 1457) as client:
        assert (await begun(client, "openai"))["comes_back"] is True


async def test_a_port_that_nobody_knows(simulator: Simulator, home: Path) -> None:
    async with app_on(simulator, home, 0) as client:
        login = await begun(client, "claude")
        assert login["comes_back"] is False
        query = landing(login["url"]).query.decode()
        assert (await client.get(f"/oauth/callback?{query}")).status_code == 200


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "no code and state"),
        ("code=c&state=s", "not known"),
        ("code=c&code=d&state=s", "no code and state"),
        ("error=access_denied&state=s", "access_denied"),
        ("error=%3Cscript%3E&state=s", "unknown_error"),
    ],
)
async def test_callbacks_that_are_nobodys(
    client: httpx.AsyncClient, home: Path, query: str, words: str
) -> None:
    await begun(client, "claude")
    for accept in ("*/*", "text/html"):
        answer = await client.get(f"/oauth/callback?{query}", headers={"accept": accept})
        assert answer.status_code == 400
        assert words in answer.text
        assert "<script" not in answer.text
    assert not (home / OWN).exists()


async def test_a_browser_gets_a_page(client: httpx.AsyncClient) -> None:
    back = landing((await begun(client, "claude"))["url"])
    answer = await client.get(f"/oauth/callback?{back.query.decode()}", headers={"accept": "text/html"})
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"] == "default-src 'none'"
    assert "has come through" in answer.text


async def test_a_login_that_cannot_be_kept(client: httpx.AsyncClient, home: Path) -> None:
    (home / ".local").write_text("a file where the folder should be")
    back = landing((await begun(client, "claude"))["url"])
    answer = await client.get(f"/oauth/callback?{back.query.decode()}")
    assert answer.status_code == 400
    assert "cannot be" in answer.json()["error"]["message"]
    assert str(home) not in answer.text
