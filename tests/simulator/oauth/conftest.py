from collections.abc import AsyncIterator

import httpx
import pytest

from ccproxy.simulator.app import create_app
from ccproxy.simulator.server import running
from ccproxy.simulator.state import Simulator
from tests.simulator.oauth.person import Person


@pytest.fixture
async def person() -> AsyncIterator[Person]:
    sim = Simulator()
    async with running(create_app(sim)) as url, httpx.AsyncClient(base_url=url) as web:
        yield Person(sim, web)
