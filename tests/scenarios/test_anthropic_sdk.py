"""The official SDK sees through us exactly what it sees without us."""

import asyncio

import pytest

from tests.support.anthropic_script import async_script, sync_script
from tests.support.processes import Proxy, Simulator


def test_sync(proxy: Proxy, simulator: Simulator) -> None:
    simulator.reset()
    direct = sync_script(simulator.url)
    simulator.reset()
    ours = sync_script(f"{proxy.url}/api")
    for part in direct:
        assert ours[part] == direct[part], part
    assert direct["tools"][0]["stop_reason"] == "tool_use"
    assert direct["errors"]["429 with seconds"]["retry_after"] == "13"


def test_async(proxy: Proxy, simulator: Simulator) -> None:
    simulator.reset()
    direct = asyncio.run(async_script(simulator.url))
    simulator.reset()
    ours = asyncio.run(async_script(f"{proxy.url}/api"))
    for part in direct:
        assert ours[part] == direct[part], part


@pytest.mark.parametrize("prefix", ["/claude", ""])
def test_the_other_prefixes(served: Proxy, simulator: Simulator, prefix: str) -> None:
    simulator.reset()
    direct = asyncio.run(async_script(simulator.url))
    simulator.reset()
    assert asyncio.run(async_script(f"{served.url}{prefix}")) == direct
