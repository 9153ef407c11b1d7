from collections.abc import AsyncIterator

import httpx
import pytest

from ccproxy.simulator.app import create_app
from ccproxy.simulator.server import running
from ccproxy.simulator.state import Simulator
from tests.credentials.oauth.browser import Browser


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    sim = Simulator()
    async with running(create_app(sim)) as url, httpx.AsyncClient(base_url=url, trust_env=False) as web:
        yield Browser(sim, web)
