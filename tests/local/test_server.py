import asyncio
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
