from collections.abc import AsyncIterator

import httpx
import pytest
from openai import AsyncOpenAI

from ccproxy.simulator.app import create_app
from ccproxy.simulator.server import running
from ccproxy.simulator.state import Simulator


@pytest.fixture
def sim() -> Simulator:
    return Simulator()


@pytest.fixture
async def url(sim: Simulator) -> AsyncIterator[str]:
    """The base URL of the OpenAI API of a fresh simulator."""
    async with running(create_app(sim)) as base:
        yield f"{base}/openai/v1"


@pytest.fixture
async def http(url: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": "Bearer sk-test"}
    async with httpx.AsyncClient(base_url=url, headers=headers) as client:
        yield client


@pytest.fixture
async def sdk(url: str) -> AsyncIterator[AsyncOpenAI]:
    """The official client, which does not try anything twice."""
    async with AsyncOpenAI(base_url=url, api_key="sk-test", max_retries=0) as client:
        yield client
