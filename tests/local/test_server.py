import asyncio
import gc
import logging
import socket
import time

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ccproxy.local.server import LocalServer


async def hello(request: Request) -> Response:
    return PlainTextResponse("hello")


async def test_it_serves_in_this_loop_and_stops() -> None:
    server = LocalServer(2**20)
    url = server.target.origin
    server.start(Starlette(routes=[Route("/", hello)]))
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(url)).text == "hello"
        started = time.monotonic()
        for _ in range(10):
            await client.get(url)
        # forty milliseconds each, if small writes waited for acknowledgements
        assert time.monotonic() - started < 0.3
    server.stop()
    await asyncio.sleep(0.5)
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(url)


async def test_a_request_that_is_cancelled_with_the_loop_is_not_reported_as_a_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun: asyncio.Future[asyncio.Task[object] | None] = asyncio.get_running_loop().create_future()

    async def hold(request: Request) -> Response:
        begun.set_result(asyncio.current_task())
        await asyncio.sleep(60)
        return PlainTextResponse("")

    server = LocalServer(2**20)
    server.start(Starlette(routes=[Route("/", hold)]))
    _reader, writer = await asyncio.open_connection(server.target.host, server.target.port)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    task = await begun
    assert task
    with caplog.at_level(logging.DEBUG, "uvicorn.error"):
        task.cancel()
        await asyncio.wait({task})
    writer.close()
    await writer.wait_closed()
    server.stop()
    await asyncio.sleep(0.5)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_one_that_is_never_started_lets_go_of_its_port() -> None:
    """Warnings are errors: a socket left open would be one."""
    port = LocalServer(2**20).target.port
    gc.collect()
    socket.create_server(("127.0.0.1", port)).close()
