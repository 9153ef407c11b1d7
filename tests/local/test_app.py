from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from ccproxy.backends.backend import backends
from ccproxy.local.app import SECRET_HEADER, make_app
from ccproxy.settings import load


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    given = {
        "claude.api_key": "sk-ant-api03-hush",
        "claude.base_url": "http://127.0.0.1:1",
    }
    app = make_app(backends(load(given, environ={}, cwd=tmp_path).settings), "s3cret")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://local", headers={SECRET_HEADER: "s3cret"}
    ) as client:
        yield client


@pytest.mark.parametrize("secret", ["", "wrong"])
async def test_only_the_proxy_may_call_it(client: httpx.AsyncClient, secret: str) -> None:
    for path in ("/", "/health", "/api/status"):
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
    given = {"claude.credentials": "off"}
    app = make_app(backends(load(given, environ={}, cwd=tmp_path).settings), "s")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://local") as client:
        answer = await client.get("/health/ready", headers={SECRET_HEADER: "s"})
    assert answer.status_code == 503
    assert "openai.api_key" in answer.json()["output"]


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
