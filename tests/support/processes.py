"""Our programs as child processes, with a clean environment and a home of their own."""

import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


_ports = itertools.count(os.getpid() * 37)


def free_port() -> int:
    """A port that nobody has right now, never the same one twice in a row.

    Each worker has a range of its own, below the one from which the system takes the ports of clients.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 3
    while True:
        port = 20_000 + 4_000 * worker + next(_ports) % 4_000
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port


def clean_environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Nothing of the machine's own settings, proxies or credentials."""
    path = f"{BIN}:{os.environ['PATH']}"
    return {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8", **(extra or {})}


class Process:
    """A running child; its output goes to a file, so that no pipe can fill up."""

    def __init__(self, arguments: Sequence[str], home: Path, environment: Mapping[str, str]) -> None:
        self.home = home
        self.log = home / f"{Path(arguments[0]).name}-{time.monotonic_ns()}.log"
        self.forgotten = 0
        with self.log.open("wb") as output:
            self.child = subprocess.Popen(
                arguments,
                cwd=home,
                env=clean_environment(home, environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        return self.log.read_bytes()[self.forgotten :].decode(errors="replace")

    def wait_for(self, pattern: str, seconds: float = 20) -> re.Match[str]:
        """The first match in the output; fails when the process ends or time is up before."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if match := re.search(pattern, self.output):
                return match
            if self.child.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"{pattern!r} not in the output:\n{self.output}")

    def forget(self) -> None:
        """What it has said so far is no longer part of its output."""
        self.forgotten = self.log.stat().st_size

    def stop(self, seconds: float = 15) -> int:
        """End it with SIGTERM, if need be with SIGKILL; returns the exit code."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.child.kill()
        return self.child.wait()


@contextmanager
def started(
    arguments: Sequence[str], home: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """A child process for the length of the block."""
    process = Process(arguments, home, environment or {})
    try:
        yield process
    finally:
        process.stop()


class Simulator:
    """A running simulator, and what it has received."""

    def __init__(self, url: str) -> None:
        self.url = url

    def requests(self) -> list[dict[str, object]]:
        """Every request since the last `clear`, oldest first."""
        found: list[dict[str, object]] = httpx.get(f"{self.url}/_simulator/requests", trust_env=False).json()[
            "requests"
        ]
        return found

    def reset(self) -> None:
        """Forget everything: the ledger, and the counters that make ids."""
        httpx.post(f"{self.url}/_simulator/reset", trust_env=False).raise_for_status()

    def clear(self) -> None:
        """Forget the requests."""
        httpx.delete(f"{self.url}/_simulator/requests", trust_env=False).raise_for_status()


class Proxy:
    """A running proxy: `url` is the reverse listener, `proxy_url` the regular one."""

    def __init__(self, process: Process, port: int, proxy_port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.proxy_url = f"http://127.0.0.1:{proxy_port}"

    @property
    def ca(self) -> Path:
        return self.process.home / ".mitmproxy" / "mitmproxy-ca-cert.pem"


def command(host: str) -> list[str]:
    """How each of our hosts is started. A stock tool first binds a port of its own choice, then ours."""
    script = str(ROOT / "addons" / "ccproxy.py")
    match host:
        case "serve":
            return [str(BIN / "ccproxy"), "serve"]
        case "mitmdump":
            return [str(BIN / "mitmdump"), "--listen-port", "0", "-s", script]
        case "mitmweb":
            return [
                *(str(BIN / "mitmweb"), "--listen-port", "0", "-s", script),
                *("--set", "web_open_browser=false", "--set", f"web_port={free_port()}"),
            ]
    raise ValueError(host)


@contextmanager
def running_proxy(
    home: Path, settings: Mapping[str, str], host: str = "serve", *, proxy_listener: bool = True
) -> Iterator[Proxy]:
    """Our proxy inside one of its hosts; `settings` are environment variables."""
    port, proxy_port = free_port(), free_port() if proxy_listener else 0
    environment = {"SERVER__PORT": str(port), "SERVER__PROXY_PORT": str(proxy_port), **settings}
    with started(command(host), home, environment) as process:
        proxy = Proxy(process, port, proxy_port)
        wait_until_ready(process, port)
        yield proxy


def wait_until_ready(process: Process, port: int, seconds: float = 20) -> None:
    """Until the reverse listener answers its connectivity probe."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.child.poll() is None:
        try:
            httpx.head(f"http://127.0.0.1:{port}/", trust_env=False, timeout=5).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"not ready:\n{process.output}")
