"""Who runs: no proxy at all, the stock mitmdump, and ccproxy in both of its forms."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from .legs import UNTRANSLATED, Leg, Routes, routes
from .load import Target
from .process import Command

ROOT = Path(__file__).resolve().parents[2]
DIRECT = "direct"
STOCK = "mitmdump"
ADDON = "mitmdump-addon"
SERVE = "serve"


@dataclass(frozen=True)
class Place:
    """Where one start of a contender happens: its own directory, its port, and the upstream's URL."""

    home: Path
    port: int
    upstream: str


@dataclass(frozen=True)
class Contender:
    """Something that answers from the canned upstream.

    `command` says how it is started (None: the load goes to the upstream itself), `routes` which legs it can
    do and where, `headers` what a request has to carry besides the usual. Everyone can pass Messages through.
    """

    name: str
    version: str
    routes: Routes
    command: Callable[[Place], Command] | None
    headers: Callable[[Place], Mapping[str, str]] = lambda place: {}

    def target(self, leg: Leg, place: Place) -> Target:
        route = self.routes[leg]
        return Target(place.port, route.path, route.dialect, self.headers(place))


def script(name: str) -> list[str]:
    """A command of this project's environment, started by its interpreter."""
    return [sys.executable, str(Path(sys.executable).parent / name)]


def _stock(place: Place) -> Command:
    options = {"connection_strategy": "lazy", "flow_detail": "0", "stream_large_bodies": "1"}
    settings = [part for name, value in options.items() for part in ("--set", f"{name}={value}")]
    listener = ["--mode", f"reverse:{place.upstream}", "--listen-host", "127.0.0.1"]
    return Command([*script("mitmdump"), "-q", *settings, *listener, "--listen-port", str(place.port)])


def _ccproxy_settings(place: Place) -> dict[str, str]:
    return {
        "SERVER__PORT": str(place.port),
        "SERVER__PROXY_PORT": "0",
        "CLAUDE__BASE_URL": place.upstream,
        "CLAUDE__API_KEY": "dummy",
    }


def _addon(place: Place) -> Command:
    addon = str(ROOT / "addons" / "ccproxy.py")
    return Command([*script("mitmdump"), "-q", "-s", addon], _ccproxy_settings(place))


def _serve(place: Place) -> Command:
    return Command([*script("ccproxy"), "serve"], _ccproxy_settings(place))


def _own() -> list[Contender]:
    mitmproxy, ccproxy = version("mitmproxy"), version("ccproxy")
    return [
        Contender(DIRECT, "", UNTRANSLATED, None),
        Contender(STOCK, mitmproxy, routes("/v1", "passthrough"), _stock),
        Contender(ADDON, f"{mitmproxy} with ccproxy {ccproxy}", routes("/api/v1"), _addon),
        Contender(SERVE, ccproxy, routes("/api/v1"), _serve),
    ]


OWN = {contender.name: contender for contender in _own()}
"""The contenders that need nothing but this project's environment."""
