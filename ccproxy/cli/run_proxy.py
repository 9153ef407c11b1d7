"""The proxy of a client: the one that runs, or one of its own for as long as the client does.

The one of its own is a child in a session apart, so that no key of the terminal reaches it. It says on
standard output where it listens, and ends when its standard input does: with us, whatever becomes of us.
"""

import asyncio
import contextlib
import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from ccproxy.cli.running import headers, server_host, server_url
from ccproxy.cli.tape import Tape
from ccproxy.settings import Settings, load
from ccproxy.settings.kinds import host_for_url

CHILD = "from ccproxy.cli.run_proxy import serve_until_eof; serve_until_eof()"
START_SECONDS = 20.0
STOP_SECONDS = 5.0
PATIENCE = 3.0
"""Seconds that what runs already has for an answer."""


class NoProxyError(Exception):
    """There is no proxy; the text says why, and where its log is."""


@dataclass
class Where:
    """The addresses of a proxy; `log` is the file of one of our own, to keep or not."""

    url: str
    proxy: str
    log: Path | None = None
    keep_log: bool = False


def find_running(settings: Settings, token: str | None, ca: Path | None) -> Where | None:
    """The proxy on the settings' ports, if there is one: it names itself, and signs with our CA.

    Without `ca` the HTTPS_PROXY listener is not asked for.
    """
    url = server_url(settings)
    try:
        answer = httpx.get(f"{url}/", headers=headers(token), timeout=PATIENCE, trust_env=False)
        found = answer.json() if answer.status_code == 200 else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None
    if not isinstance(found, dict) or found.get("name") != "ccproxy":
        return None
    host = server_host(settings)
    if ca and not intercepts(host, settings.server.proxy_port, token, ca):
        return None
    return Where(url, f"http://{host_for_url(host)}:{settings.server.proxy_port}")


def intercepts(host: str, port: int, token: str | None, ca: Path) -> bool:
    """Whether a provider behind this proxy has a certificate of our CA; the provider itself is not asked."""
    trusting_us_only = ssl.create_default_context(cafile=str(ca))
    connection = http.client.HTTPSConnection(host, port, timeout=PATIENCE, context=trusting_us_only)
    connection.set_tunnel(
        "api.anthropic.com", 443, {"Proxy-Authorization": f"Bearer {token}"} if token else {}
    )
    try:
        connection.connect()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


@contextlib.contextmanager
def own_proxy(given: Mapping[str, object], config: Path | None, tape: Tape | None = None) -> Iterator[Where]:
    """A proxy with these settings on top of the user's, for the block. Raises NoProxyError.

    Its regular listener is on a free port, and so is the other when `server.port` is 0.

    Its log is deleted at the end, unless it is to be kept or the proxy has ended by itself.
    """
    handle, name = tempfile.mkstemp(prefix="ccproxy-run-", suffix=".log")
    log = Path(name)
    with os.fdopen(handle, "wb") as output:
        child = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", CHILD, json.dumps([given, config and str(config), tape and asdict(tape)])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,
        )
    try:
        where = announced(child, log)
        try:
            yield where
        finally:
            if child.poll() is not None:
                print(f"ccproxy: the proxy has ended before its client; its log: {log}", file=sys.stderr)
            elif not where.keep_log:
                log.unlink()
    finally:
        stop(child)


def announced(child: "subprocess.Popen[bytes]", log: Path) -> Where:
    """Where it listens, as it says itself."""
    assert child.stdout
    late = threading.Timer(START_SECONDS, child.kill)
    late.start()
    line = child.stdout.readline()
    late.cancel()
    late.join()
    if not line:
        child.wait()
        said = log.read_text(errors="replace").strip().splitlines()[-1:]
        raise NoProxyError(f"The proxy did not start: {''.join(said)}\nIts log: {log}")
    url, proxy = json.loads(line)
    return Where(url, proxy, log)


def stop(child: "subprocess.Popen[bytes]") -> None:
    """End its input, and wait for it to end."""
    for pipe in (child.stdin, child.stdout):
        if pipe:
            pipe.close()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def serve_until_eof() -> None:
    """What the child runs."""
    from ccproxy.addons.listeners import free_or_any, listener_modes
    from ccproxy.cli.demo import addresses
    from ccproxy.cli.logs import logs
    from ccproxy.cli.serve import serve
    from ccproxy.cli.tape_chain import chain_with

    given, config, tape = json.loads(sys.argv[1])
    port = free_or_any(given["server.port"])
    if given["server.port"] not in (0, port):
        sys.exit(f"Port {given['server.port']} is in use: choose another with --port")
    ports = {"server.port": port, "server.proxy_port": free_or_any(0)}
    settings = load({**given, **ports}, config=config and Path(config)).settings
    modes, _ = listener_modes(settings, proxy_port_given=True)

    def ready(master: Any) -> None:
        where = addresses(master)
        print(json.dumps([where.reverse, where.proxy]), flush=True)
        threading.Thread(target=end_with_input, daemon=True).start()

    with logs("info"), contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(settings, modes, ready, chain_with(tape and Tape(**tape))))


def end_with_input() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
