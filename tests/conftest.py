"""Servers that the tests of one worker share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import BIN, Proxy, Simulator, running_proxy, started

HOSTS = ("serve", "mitmdump", "mitmweb")


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A simulator of all upstreams, in its own process."""
    home = tmp_path_factory.mktemp("simulator")
    with started([str(BIN / "ccproxy"), "simulator", "--port", "0"], home) as process:
        yield Simulator(process.wait_for(r"Simulator at (\S+)")[1])


@pytest.fixture(scope="session", params=HOSTS)
def proxy(
    request: pytest.FixtureRequest, simulator: Simulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    """Our proxy in front of the simulator with an API key, once in each of its hosts."""
    home = tmp_path_factory.mktemp(request.param)
    with running_proxy(home, upstream_settings(simulator), request.param) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def served(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """`ccproxy serve` in front of the simulator with an API key."""
    with running_proxy(tmp_path_factory.mktemp("served"), upstream_settings(simulator)) as proxy:
        yield proxy


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home for one process."""
    return tmp_path


def upstream_settings(simulator: Simulator) -> dict[str, str]:
    """Environment variables that put the simulator in the place of the providers."""
    return {
        "CLAUDE__BASE_URL": simulator.url,
        "CLAUDE__API_KEY": "sk-ant-api03-of-the-proxy",
        "OPENAI__BASE_URL": f"{simulator.url}/openai/v1",
        "OPENAI__API_KEY": "sk-of-the-proxy",
    }
