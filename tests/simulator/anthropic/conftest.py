"""One simulator for all tests of this folder, put back to the beginning before each."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from anthropic import AsyncAnthropic

from ccproxy.simulator.app import create_app
from ccproxy.simulator.server import running
from ccproxy.simulator.state import Simulator
from tests.simulator.anthropic.asking import HEADERS, MODEL, Ask


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and item.path.is_relative_to(__file__.rpartition("/")[0]):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"))


@pytest.fixture(scope="session")
def everything() -> Simulator:
    return Simulator()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def url(everything: Simulator) -> AsyncIterator[str]:
    async with running(create_app(everything)) as base_url:
        yield base_url


@pytest.fixture
def sim(everything: Simulator) -> Simulator:
    everything.reset()
    return everything


@pytest_asyncio.fixture(loop_scope="session")
async def http(url: str, sim: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=10) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
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
