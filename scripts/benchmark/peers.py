"""Other proxies that forward to Anthropic Messages, each in an environment of its own.

Installed once under the cache directory from PyPI and npm, and reused. The versions are those current on
2026-11-22. Each is configured as its documentation says, with a dummy key, and kept from fetching
version or price lists at start.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from .canned import MODEL
from .contenders import Contender, Place
from .legs import routes
from .process import Command

LITELLM = "1.106.2"
CCPROXY_API = "0.2.10"
PORTKEY = "1.15.2"
HONO_NODE_SERVER = "1.13.5"
"""Portkey 1.15.2 with a newer @hono/node-server answers every streamed request with a 500."""


PORTKEY_ON_LOOPBACK = """data:text/javascript,
import { Server } from "node:net";
const listen = Server.prototype.listen;
Server.prototype.listen = function (port, host, ...rest) {
  return listen.call(this, port, "127.0.0.1", ...rest);
};"""
"""A module for `node --import`: Portkey has no option for the address and would listen on every one."""


class InstallError(Exception):
    """A peer could not be installed; the message holds the installer's last words."""


def litellm(cache: Path) -> Contender:
    bin_directory = _python_environment(cache, f"litellm-{LITELLM}", f"litellm[proxy]=={LITELLM}")

    def command(place: Place) -> Command:
        model = {"model": f"anthropic/{MODEL}", "api_base": place.upstream, "api_key": "dummy"}
        config = place.home / "config.yaml"  # JSON is YAML
        config.write_text(json.dumps({"model_list": [{"model_name": MODEL, "litellm_params": model}]}))
        listener = ["--host", "127.0.0.1", "--port", str(place.port), "--num_workers", "1"]
        return Command(
            [
                str(bin_directory / "python"),
                str(bin_directory / "litellm"),
                "--config",
                str(config),
                *listener,
            ],
            {
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
            },
        )

    return Contender("litellm", LITELLM, routes("/v1"), command)


def ccproxy_api(cache: Path) -> Contender:
    bin_directory = _python_environment(cache, f"ccproxy-api-{CCPROXY_API}", f"ccproxy-api=={CCPROXY_API}")
    login = {
        "accessToken": "dummy",
        "refreshToken": "dummy",
        "expiresAt": 4_102_444_800_000,
        "scopes": ["user:inference"],
        "subscriptionType": "max",
    }

    def command(place: Place) -> Command:
        credentials = place.home / ".claude" / ".credentials.json"
        credentials.parent.mkdir(exist_ok=True)
        credentials.write_text(json.dumps({"claudeAiOauth": login}))
        return Command(
            [str(bin_directory / "python"), str(bin_directory / "ccproxy"), "serve"],
            {
                "SERVER__HOST": "127.0.0.1",
                "SERVER__PORT": str(place.port),
                "PLUGINS__CLAUDE_API__BASE_URL": place.upstream,
                "ENABLED_PLUGINS": '["claude_api", "oauth_claude"]',
                "SCHEDULER__ENABLED": "false",
                "LOGGING__LEVEL": "WARNING",
            },
        )

    return Contender("ccproxy-api", CCPROXY_API, routes("/claude/v1"), command)


def portkey(cache: Path) -> Contender:
    package = {
        "private": True,
        "dependencies": {"@portkey-ai/gateway": PORTKEY},
        "overrides": {"@hono/node-server": HONO_NODE_SERVER},
    }
    directory = _node_environment(cache, f"portkey-{PORTKEY}", package)
    start = directory / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    node = _tool("node")

    def command(place: Place) -> Command:
        argv = [node, "--import", PORTKEY_ON_LOOPBACK, str(start), "--headless", f"--port={place.port}"]
        return Command(argv, {"NODE_ENV": "production"})

    def headers(place: Place) -> dict[str, str]:
        return {"x-portkey-provider": "anthropic", "x-portkey-custom-host": f"{place.upstream}/v1"}

    return Contender("portkey", PORTKEY, routes("/v1", "passthrough", "chat"), command, headers)


PEERS: dict[str, Callable[[Path], Contender]] = {
    "litellm": litellm,
    "ccproxy-api": ccproxy_api,
    "portkey": portkey,
}
"""Each installs its peer into the given cache directory, unless it is there, and describes it."""


def cache_directory() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ccproxy-bench"


def _python_environment(cache: Path, name: str, requirement: str) -> Path:
    """The bin directory of a virtual environment that holds the requirement."""
    directory = cache / f"{name}-py{sys.version_info.major}.{sys.version_info.minor}"
    python = directory / "bin" / "python"
    base = Path(sys.base_prefix) / "bin" / "python3"

    def install() -> None:
        uv = os.environ.get("UV") or _tool("uv")
        _run([uv, "venv", "--quiet", "--python", str(base), str(directory)])
        _run([uv, "pip", "install", "--quiet", "--python", str(python), requirement])

    _once(directory, install)
    return python.parent


def _node_environment(cache: Path, name: str, package: dict[str, object]) -> Path:
    """A directory with the package's dependencies installed; no install script of theirs is run."""
    directory = cache / name

    def install() -> None:
        directory.mkdir(parents=True)
        (directory / "package.json").write_text(json.dumps(package))
        _run([_tool("npm"), "install", "--ignore-scripts", "--no-audit", "--no-fund"], directory)

    _once(directory, install)
    return directory


def _once(directory: Path, install: Callable[[], None]) -> None:
    """Installs into the directory unless an earlier run finished doing so."""
    finished = directory / ".finished"
    if not finished.exists():
        shutil.rmtree(directory, ignore_errors=True)
        install()
        finished.touch()


def _tool(name: str) -> str:
    found = shutil.which(name)
    if not found:
        raise InstallError(f"{name} is not on the PATH")
    return found


def _run(argv: list[str], directory: Path | None = None) -> None:
    result = subprocess.run(argv, cwd=directory, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise InstallError(f"{' '.join(argv[:3])} …: {(result.stderr or result.stdout)[-1500:]}")
