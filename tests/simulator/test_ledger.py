import json
from typing import Any

import httpx
import pytest
import zstandard
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect

from ccproxy.simulator.ledger import Ledger, entry_of
from ccproxy.simulator.server import running


async def hello(request: Request) -> PlainTextResponse:
    entry_of(request.scope).usage = {"input_tokens": 3}
    return PlainTextResponse((await request.body()).decode("latin-1"), status_code=201)


async def chat(socket: WebSocket) -> None:
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text.upper())


def app(ledger: Ledger) -> ASGIApp:
    return ledger.record(
        Router([Route("/hello", hello, methods=["GET", "POST"]), WebSocketRoute("/chat", chat)])
    )


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


async def test_a_request_is_written_down_as_it_came(ledger: Ledger) -> None:
    packed = zstandard.ZstdCompressor().compress(b'{"a": [1, "\xc3\xbc"]}')
    headers = [("X-One", "1"), ("x-two", "2"), ("X-One", "3"), ("content-encoding", "zstd")]
    async with running(app(ledger)) as url, httpx.AsyncClient(base_url=url) as http:
        answer = await http.post("/hello?a=%20b&beta=true", content=packed, headers=headers)
    (entry,) = ledger
    assert (entry.number, entry.method, entry.path) == (1, "POST", "/hello?a=%20b&beta=true")
    assert [pair for pair in entry.headers if pair[0].startswith("x-")] == [
        ("x-one", "1"),
        ("x-two", "2"),
        ("x-one", "3"),
    ]
    assert entry.header("X-ONE") == "1, 3"
    assert entry.body == packed
    assert entry.body_json == {"a": [1, "ü"]}
    assert (entry.status, entry.outcome, entry.usage) == (201, "completed", {"input_tokens": 3})
    assert entry.bytes_sent == len(answer.content)
    json.dumps(entry.as_json())


async def test_the_app_sees_the_whole_body(ledger: Ledger) -> None:
    body = "x" * 3_000_000
    async with running(app(ledger)) as url, httpx.AsyncClient(base_url=url) as http:
        assert (await http.post("/hello", content=body)).text == body
    assert [len(entry.body) for entry in ledger] == [3_000_000]


async def test_a_body_that_never_ends_is_aborted(ledger: Ledger) -> None:
    async def upload() -> Any:
        yield b"half"
        raise ConnectionError

    async with running(app(ledger)) as url, httpx.AsyncClient(base_url=url) as http:
        with pytest.raises(ConnectionError):
            await http.post("/hello", content=upload())
    assert [(entry.outcome, entry.status) for entry in ledger] == [("aborted", None)]


async def test_a_websocket_is_written_down_too(ledger: Ledger) -> None:
    async with running(app(ledger)) as url, connect(url.replace("http", "ws") + "/chat?x=1") as socket:
        await socket.send("one")
        await socket.send("two")
        assert [await socket.recv(), await socket.recv()] == ["ONE", "TWO"]
    (entry,) = ledger
    assert (entry.websocket, entry.method, entry.path, entry.status) == (True, "GET", "/chat?x=1", 101)
    assert entry.messages == ["one", "two"]
    assert (entry.events_sent, entry.bytes_sent, entry.outcome) == (2, 6, "completed")


async def test_the_oldest_entries_make_room(ledger: Ledger) -> None:
    small = Ledger(max_entries=3, max_bytes=1000)
    async with running(app(small)) as url, httpx.AsyncClient(base_url=url) as http:
        for _ in range(5):
            await http.get("/hello")
        assert [entry.number for entry in small] == [3, 4, 5]
        for _ in range(3):
            await http.post("/hello", content="x" * 400)
        assert [entry.number for entry in small] == [7, 8]
        small.clear()
        await http.get("/hello")
    assert [entry.number for entry in small] == [1]
