"""Servers that the tests of one worker share."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import certifi
import httpx
import pytest
import trustme
from hypothesis import settings

from tests.support.chatgpt import write_login
from tests.support.processes import BIN, Proxy, Simulator, running_proxy, started
from tests.support.upstreams import Behaviour, Upstream, close_at_once, upstream

# CI looks at the same examples every time; elsewhere each run looks for new ones
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")

HOSTS = ("serve", "mitmdump", "mitmweb")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests come first, so that at the end of a parallel run there are small ones to share."""
    items.sort(key=lambda item: (item.get_closest_marker("slow") is None, "scenarios" not in item.path.parts))


class Proxies:
    """Our proxies by host and settings: each is started once and runs until the tests end."""

    def __init__(self, simulator: Simulator, folders: pytest.TempPathFactory, stack: ExitStack) -> None:
        self.simulator = simulator
        self.folders = folders
        self.stack = stack
        self.login = write_login(folders.mktemp("codex") / "auth.json")
        self.running: dict[tuple[str, frozenset[tuple[str, str]]], Proxy] = {}

    def get(self, host: str = "serve", settings: Mapping[str, str] | None = None) -> Proxy:
        """A proxy in front of the simulator; `settings` are environment variables, on top of the usual."""
        chosen = {
            **upstream_settings(self.simulator),
            "CODEX__AUTH_PATH": str(self.login),
            **(settings or {}),
        }
        key = (host, frozenset(chosen.items()))
        if key not in self.running:
            context = running_proxy(self.folders.mktemp(host), chosen, host)
            self.running[key] = self.stack.enter_context(context)
        return self.running[key]

    def kill(self) -> None:
        """The end of all; how a proxy ends well is the matter of tests that start their own."""
        for proxy in self.running.values():
            proxy.process.child.kill()


class Behind:
    """Shared proxies in front of an upstream that behaves as each test says."""

    def __init__(self, proxies: Proxies, server: Upstream) -> None:
        self.proxies = proxies
        self.server = server

    def proxy(self, behaviour: Behaviour, host: str = "serve", **settings: str) -> Proxy:
        """One whose upstreams all behave like this from now on."""
        self.server.become(behaviour)
        url = f"http://127.0.0.1:{self.server.port}"
        upstreams = {f"{name}__BASE_URL": url for name in ("CLAUDE", "OPENAI", "CODEX")}
        proxy = self.proxies.get(host, upstreams | settings)
        # once it answers, it has also logged whatever it had answered before
        httpx.head(proxy.url, trust_env=False).raise_for_status()
        proxy.process.forget()
        return proxy


@pytest.fixture(scope="session", autouse=True)
def no_certificates_of_the_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """To read them takes each new HTTP client 20 ms, and there are thousands; tests talk to loopback only."""
    one = tmp_path_factory.mktemp("authority") / "one.pem"
    trustme.CA().cert_pem.write_to_path(str(one))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certifi, "where", lambda: str(one))
        yield


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A simulator of all upstreams, in its own process."""
    home = tmp_path_factory.mktemp("simulator")
    with started([str(BIN / "ccproxy"), "simulator", "--port", "0"], home) as process:
        yield Simulator(process.wait_for(r"Simulator at (\S+)")[1])


@pytest.fixture(scope="session")
def proxies(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxies]:
    with ExitStack() as stack:
        made = Proxies(simulator, tmp_path_factory, stack)
        yield made
        made.kill()


@pytest.fixture(scope="session")
def behind(proxies: Proxies) -> Iterator[Behind]:
    with upstream(close_at_once) as server:
        yield Behind(proxies, server)


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest) -> str:
    """Each program that our addons run in."""
    return str(request.param)


@pytest.fixture
def proxy(host: str, proxies: Proxies) -> Proxy:
    """Our proxy in front of the simulator with an API key, once in each of its hosts."""
    return proxies.get(host)


@pytest.fixture
def served(proxies: Proxies) -> Proxy:
    """`ccproxy serve` in front of the simulator with an API key."""
    return proxies.get()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home for one process."""
    return tmp_path


def upstream_settings(simulator: Simulator) -> dict[str, str]:
    """Environment variables that put the simulator in the place of the providers.

    Without further attempts: a test that asks for an error is to see that one, and at once.
    """
    return {
        "RETRIES__ATTEMPTS": "0",
        "CLAUDE__BASE_URL": simulator.url,
        "CLAUDE__API_KEY": "sk-ant-api03-of-the-proxy",
        "OPENAI__BASE_URL": f"{simulator.url}/openai/v1",
        "OPENAI__API_KEY": "sk-of-the-proxy",
        "CODEX__BASE_URL": f"{simulator.url}/backend-api/codex",
        "CODEX__INSTRUCTIONS": "none",
    }
