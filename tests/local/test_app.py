from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp

from ccproxy.backends.backend import backends
from ccproxy.codex.instructions import Instructions
from ccproxy.local.app import SECRET_HEADER, make_app
from ccproxy.local.usage import Usage
from ccproxy.quota.windows import ProviderQuota, Quota, Window
from ccproxy.settings import load


@pytest.fixture
def quota() -> Quota:
    return Quota()


def app_for(given: dict[str, object], folder: Path, secret: str, quota: Quota) -> ASGIApp:
    settings = load(given, environ={}, cwd=folder).settings
    found = backends(settings)
    return make_app(found, secret, Usage(quota, found, settings), Instructions("none"))


@pytest.fixture
async def client(tmp_path: Path, quota: Quota) -> AsyncIterator[httpx.AsyncClient]:
    given: dict[str, object] = {
        "claude.api_key": "sk-ant-api03-hush",
        "claude.base_url": "http://127.0.0.1:1",
        "codex.auth_path": str(tmp_path / "auth.json"),
    }
    app = app_for(given, tmp_path, "s3cret", quota)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://local", headers={SECRET_HEADER: "s3cret"}
    ) as client:
        yield client


@pytest.mark.parametrize("secret", ["", "wrong"])
async def test_only_the_proxy_may_call_it(client: httpx.AsyncClient, secret: str) -> None:
    for path in ("/", "/health", "/api/status", "/quota"):
        assert (await client.get(path, headers={SECRET_HEADER: secret})).status_code == 403


async def test_the_root_names_version_and_routes(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/")).json()
    assert answer["name"] == "ccproxy"
    assert answer["version"]
    assert "/api/v1/messages" in [route["path"] for route in answer["routes"]]
    assert (await client.head("/")).status_code == 200


async def test_health(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health")
    assert answer.headers["content-type"] == "application/health+json"
    report = answer.json()
    assert report["status"] == "warn"
    assert report["checks"]["api:credential"][0]["status"] == "pass"
    assert report["checks"]["openai:credential"][0]["observedValue"] == "missing"
    assert "hush" not in answer.text
    assert (await client.get("/health/live")).json() == {"status": "pass"}
    assert (await client.get("/health/ready")).json() == {"status": "pass"}


async def test_not_ready_without_any_credential(tmp_path: Path) -> None:
    given = {"claude.credentials": "off", "codex.enabled": False}
    app = app_for(given, tmp_path, "s", Quota())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://local") as client:
        answer = await client.get("/health/ready", headers={SECRET_HEADER: "s"})
    assert answer.status_code == 503
    assert "openai.api_key" in answer.json()["output"]


async def test_status_of_the_chatgpt_plan(client: httpx.AsyncClient, tmp_path: Path) -> None:
    status = (await client.get("/codex/status")).json()
    assert (status["backend"], status["ready"], status["credential"]["state"]) == ("codex", False, "missing")
    assert "codex login" in status["reason"]
    assert (status["instructions"]["mode"], status["instructions"]["state"]) == ("none", "off")
    app = app_for({"codex.enabled": False}, tmp_path, "s", Quota())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://local") as other:
        answer = await other.get("/codex/status", headers={SECRET_HEADER: "s"})
    assert answer.json() == {"backend": "codex", "ready": False, "reason": "codex.enabled is false."}


async def test_status_of_a_backend(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/status")).json() == {
        "backend": "api",
        "ready": True,
        "reason": None,
        "upstream": "http://127.0.0.1:1",
        "credential": {"kind": "api_key", "source": "claude.api_key", "expires_at": None, "state": "valid"},
    }
    report = (await client.get("/openai/status")).json()
    assert report["ready"] is False
    assert "OPENAI__API_KEY" in report["reason"]


async def test_the_quota_as_it_is_now(client: httpx.AsyncClient, quota: Quota) -> None:
    assert (await client.get("/quota")).json() == {"claude": None, "codex": None}
    quota.saw("claude", ProviderQuota((Window("5h", 0.42),), datetime.now(UTC), "5h"))
    seen = (await client.get("/quota")).json()
    assert seen == quota.as_json()
    assert seen["claude"]["windows"][0]["used"] == 0.42


async def test_a_quota_that_is_asked_for(quota: Quota, tmp_path: Path) -> None:
    """Who cannot be asked is named, and what was seen stays."""
    (tmp_path / "auth.json").write_text("{")
    given: dict[str, object] = {
        "claude.credentials": "off",
        "codex.auth_path": str(tmp_path / "auth.json"),
        "codex.base_url": "http://127.0.0.1:1/codex",
    }
    quota.saw("codex", ProviderQuota((Window("5h", 0.42),), datetime.now(UTC), "5h"))
    app = app_for(given, tmp_path, "s", quota)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://local") as client:
        client.headers[SECRET_HEADER] = "s"
        answer = await client.get("/quota?ask=1")
        unasked = (await client.get("/quota")).json()
    seen = answer.json()
    assert seen.pop("problems").keys() == {"codex"}
    assert seen == unasked == quota.as_json()
    assert str(tmp_path) not in answer.text
