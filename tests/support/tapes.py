"""Proxies with a cassette in them, and what is recorded without a proxy."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ccproxy.records.cassette import Recorded, append, create
from tests.conftest import upstream_settings
from tests.support.processes import (
    BIN,
    Proxy,
    Simulator,
    clean_environment,
    free_port,
    started,
    wait_until_ready,
)

NO_UPSTREAM = {
    "CLAUDE__BASE_URL": "http://127.0.0.1:9",
    "OPENAI__BASE_URL": "http://127.0.0.1:9",
    "CODEX__BASE_URL": "http://127.0.0.1:9",
}
"""Nobody is there, and there is no credential for it."""


@contextmanager
def running_tape(
    home: Path, does: str, cassette: Path, *options: str, settings: Mapping[str, str] | None = None
) -> Iterator[Proxy]:
    """`ccproxy record` or `ccproxy replay` as a server."""
    port, proxy_port = free_port(), free_port()
    environment = {"SERVER__PORT": str(port), "SERVER__PROXY_PORT": str(proxy_port), **(settings or {})}
    with started([str(BIN / "ccproxy"), does, str(cassette), *options], home, environment) as process:
        proxy = Proxy(process, port, proxy_port)
        wait_until_ready(process, port)
        yield proxy


def recording(home: Path, cassette: Path, simulator: Simulator, *options: str, **settings: str) -> Any:
    """A recording of what goes to the simulator."""
    own = {**upstream_settings(simulator), "CLAUDE__API_KEY": "sk-ant-api03-of-the-proxy", **settings}
    return running_tape(home, "record", cassette, *options, settings=own)


def replaying(home: Path, cassette: Path, *options: str) -> Any:
    """A replay with nobody behind it."""
    return running_tape(home, "replay", cassette, *options, settings=NO_UPSTREAM)


def ccproxy(
    home: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """A command of ours to its end, in a folder of its own in this home."""
    folder = home / "work"
    folder.mkdir(parents=True, exist_ok=True)
    ports = {"SERVER__PORT": str(free_port()), "SERVER__PROXY_PORT": str(free_port())}
    own = clean_environment(home, {"TMPDIR": str(folder), **ports, **(environment or {})})
    return subprocess.run(
        [str(BIN / "ccproxy"), *arguments],
        cwd=folder,
        env=own,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def cassette_with(folder: Path, *recorded: Recorded) -> Path:
    """A cassette in this folder."""
    path = folder / "a.cassette"
    create(path)
    for one in recorded:
        append(path, one)
    return path
