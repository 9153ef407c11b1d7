import asyncio
import json

import httpx
import pytest
import zstandard
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from ccproxy.codex import capture_server as module
from ccproxy.codex.capture_server import CaptureServer, capture_server

TOKEN = "made.for.once"
BODY = {"model": "gpt-x", "input": [], "stream": True}


async def post(
    server: CaptureServer, content: bytes, caller: bytes = b"Bearer made.for.once", encoding: str = ""
) -> httpx.Response:
    headers = {b"authorization": caller}
    if encoding:
        headers[b"content-encoding"] = encoding.encode()
    async with httpx.AsyncClient(trust_env=False) as client:
        url = f"{server.url}/backend-api/codex/responses"
        return await client.post(url, content=content, headers=headers)


@pytest.mark.parametrize("encoding", ["", "zstd"])
async def test_it_takes_the_request_and_answers_with_a_stream(encoding: str) -> None:
    plain = json.dumps(BODY).encode()
    async with capture_server(TOKEN) as server:
        content = zstandard.ZstdCompressor().compress(plain) if encoding else plain
        response = await post(server, content, encoding=encoding)
        assert server.request.result() == BODY
    assert response.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]
    kinds = [event["type"] for event in events]
    assert kinds == ["response.created", "response.output_item.done", "response.completed"]
    assert [f"event: {kind}" for kind in kinds] == [
        line for line in response.text.splitlines() if line.startswith("event: ")
    ]
    assert events[-1]["response"]["id"] == events[0]["response"]["id"]
    assert events[-1]["response"]["output"] == [events[1]["item"]]


async def test_the_first_request_counts() -> None:
    async with capture_server(TOKEN) as server:
        for number in (1, 2):
            assert (await post(server, json.dumps({"number": number}).encode())).status_code == 200
        assert server.request.result() == {"number": 1}


@pytest.mark.parametrize("caller", [b"", b"made.for.once", b"Bearer made.for.onc", b"Bearer \xe9"])
async def test_nobody_else_plants_a_prompt(caller: bytes) -> None:
    async with capture_server(TOKEN) as server:
        response = await post(server, json.dumps(BODY).encode(), caller)
        assert response.status_code == 401
        assert not server.request.done()


@pytest.mark.parametrize(
    ("content", "encoding"),
    [(b"[]", ""), (b"{", ""), (b"\xff", ""), (b"{}", "zstd"), (b"{}", "br"), (b"{}", "zz")],
)
async def test_a_body_that_cannot_be_read(content: bytes, encoding: str) -> None:
    async with capture_server(TOKEN) as server:
        assert (await post(server, content, encoding=encoding)).status_code == 400
        assert not server.request.done()


@pytest.mark.parametrize("encoding", ["", "zstd"])
async def test_a_body_that_is_too_large(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    monkeypatch.setattr(module, "LIMIT", 1000)
    plain = json.dumps({"input": "x" * 1000}).encode()
    async with capture_server(TOKEN) as server:
        content = zstandard.ZstdCompressor().compress(plain) if encoding else plain
        assert (await post(server, content, encoding=encoding)).status_code == 400
        assert not server.request.done()


async def test_whatever_else_a_cli_asks_for() -> None:
    async with capture_server(TOKEN) as server, httpx.AsyncClient(trust_env=False) as client:
        models = await client.get(f"{server.url}/backend-api/codex/models?client_version=1.2.3")
        assert models.json() == {"models": []}
        missing = await client.get(f"{server.url}/backend-api/wham/accounts/check")
        assert missing.status_code == 404


async def test_no_websocket() -> None:
    async with capture_server(TOKEN) as server:
        url = f"{server.url}/backend-api/codex/responses".replace("http", "ws", 1)
        with pytest.raises(InvalidStatus) as caught:
            async with connect(url, additional_headers={"authorization": f"Bearer {TOKEN}"}, proxy=None):
                pass
    assert caught.value.response.status_code == 426


@pytest.mark.parametrize("turns", [0, 1, 2, 5, 50])
async def test_it_stops_at_once_and_closes_its_port(turns: int) -> None:
    """Even when it was still about to start."""
    async with capture_server(TOKEN) as server:
        for _ in range(turns):
            await asyncio.sleep(0)
    with pytest.raises(httpx.ConnectError):
        await post(server, b"{}")
