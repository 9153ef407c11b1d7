"""One simulator for all tests of this folder, in its own thread, put back to the beginning before each."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from typing import Any

import httpx
import pytest
from anthropic import AsyncAnthropic

from ccproxy.simulator.app import create_app
from ccproxy.simulator.server import running
from ccproxy.simulator.state import Simulator
from tests.simulator.anthropic.asking import HEADERS, MODEL, Ask


@pytest.fixture(scope="session")
def everything() -> Simulator:
    return Simulator()


@pytest.fixture(scope="session")
def url(everything: Simulator) -> Iterator[str]:
    ready: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def hold() -> None:
        async with running(create_app(everything)) as base_url:
            stop = asyncio.Event()
            ready.set_result((base_url, asyncio.get_running_loop(), stop))
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(hold()))
    thread.start()
    base_url, loop, stop = ready.result(timeout=10)
    yield base_url
    loop.call_soon_threadsafe(stop.set)
    thread.join(timeout=10)


@pytest.fixture
def sim(everything: Simulator) -> Simulator:
    everything.reset()
    return everything


@pytest.fixture
async def http(url: str, sim: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=10) as client:
        yield client


@pytest.fixture
async def sdk(url: str, sim: Simulator) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(api_key="some-key", base_url=url, max_retries=0, timeout=10) as client:
        yield client


@pytest.fixture
def ask(http: httpx.AsyncClient) -> Ask:
    """Sends a Messages request: keyword arguments are body fields; `betas` and `version` become headers.

    `content` is short for one user message; a field of None is left out.
    """

    async def send(
        content: Any = "hello",
        *,
        betas: str | None = None,
        version: str | None = None,
        path: str = "/v1/messages",
        **fields: Any,
    ) -> httpx.Response:
        messages = [{"role": "user", "content": content}]
        body = {"model": MODEL, "max_tokens": 4000, "messages": messages, **fields}
        headers = {"anthropic-beta": betas} if betas else {}
        if version:
            headers["anthropic-version"] = version
        return await http.post(path, json={k: v for k, v in body.items() if v is not None}, headers=headers)

    return send
