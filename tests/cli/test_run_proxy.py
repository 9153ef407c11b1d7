import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx
import psutil
import pytest

from ccproxy.cli.run_proxy import NoProxyError, find_running, own_proxy
from ccproxy.settings import Settings, load
from tests.conftest import Proxies
from tests.support.processes import Proxy, Simulator, clean_environment, free_port
from tests.support.sockets import port_of

OWN: dict[str, object] = {"server.host": "127.0.0.1", "server.port": 0, "server.drain_seconds": 1}
HOLDER = """
import sys, time
from ccproxy.cli.run_proxy import own_proxy
with own_proxy({"server.host": "127.0.0.1", "server.port": 0}, None) as where:
    print(where.url, where.log, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _own_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TMPDIR", str(home))
    monkeypatch.setattr("tempfile.tempdir", str(home))
    monkeypatch.chdir(home)


def settings_of(proxy: Proxy) -> Settings:
    ports = {"server.port": port_of(proxy.url), "server.proxy_port": port_of(proxy.proxy_url)}
    return load(ports, environ={}).settings


def logs(home: Path) -> list[Path]:
    return list(home.glob("ccproxy-run-*.log"))


def test_the_one_that_runs(host: str, proxies: Proxies, simulator: Simulator) -> None:
    """No provider hears of it."""
    proxy = proxies.get(host)
    simulator.clear()
    for ca in (proxy.ca, None):
        where = find_running(settings_of(proxy), None, ca)
        assert where
        assert (where.url, where.proxy, where.log) == (proxy.url, proxy.proxy_url, None)
    assert simulator.requests() == []


def test_one_that_asks_for_a_token(proxies: Proxies) -> None:
    proxy = proxies.get(settings={"SECURITY__AUTH_TOKEN": "t0ken"})
    assert find_running(settings_of(proxy), "t0ken", proxy.ca)
    assert find_running(settings_of(proxy), None, proxy.ca) is None


def test_one_with_another_ca_is_none_of_ours(proxies: Proxies, simulator: Simulator) -> None:
    first, second = proxies.get(), proxies.get("mitmdump")
    assert find_running(settings_of(first), None, second.ca) is None


@contextmanager
def somebody(body: bytes) -> Iterator[int]:
    """A server that is not ours."""

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join(5)


@pytest.mark.parametrize("body", [b"hello", b"[]", b'{"name": "other"}'])
def test_somebody_else_on_the_port(body: bytes) -> None:
    with somebody(body) as port:
        assert find_running(load({"server.port": port}, environ={}).settings, None, None) is None


def test_nobody_or_no_proxy_there(proxies: Proxies) -> None:
    nobody = load({"server.port": free_port()}, environ={}).settings
    assert find_running(nobody, None, None) is None
    proxy = proxies.get()
    with somebody(b'{"name": "ccproxy"}') as other, socket.create_server(("127.0.0.1", 0)) as closed:
        gone = closed.getsockname()[1]
        closed.close()
        for port in (other, gone):
            ports = {"server.port": port_of(proxy.url), "server.proxy_port": port}
            assert find_running(load(ports, environ={}).settings, None, proxy.ca) is None


def test_one_of_its_own(home: Path) -> None:
    with own_proxy(OWN, None) as where:
        assert httpx.get(f"{where.url}/", trust_env=False).json()["name"] == "ccproxy"
        ca = home / ".mitmproxy" / "mitmproxy-ca-cert.pem"
        ports = {"server.port": port_of(where.url), "server.proxy_port": port_of(where.proxy)}
        assert find_running(load(ports, environ={}).settings, None, ca)
        assert logs(home) == [where.log]
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{where.url}/", trust_env=False)
    assert logs(home) == []


def test_its_log_is_kept_when_that_is_asked_for(home: Path) -> None:
    with own_proxy(OWN, None) as where:
        httpx.get(f"{where.url}/health/live", trust_env=False)
        where.keep_log = True
    assert where.log
    assert "GET /health/live -> 200" in where.log.read_text()
    assert where.log.stat().st_mode & 0o777 == 0o600


def test_what_goes_wrong_in_the_block_is_not_the_proxys(home: Path) -> None:
    with pytest.raises(KeyError), own_proxy(OWN, None):
        raise KeyError
    assert logs(home) == []


def test_it_ends_before_its_client(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with own_proxy(OWN, None):
        (child,) = [one for one in psutil.Process().children() if "serve_until_eof" in str(one.cmdline())]
        child.kill()
        child.wait(5)
    (log,) = logs(home)
    assert capsys.readouterr().err == f"ccproxy: the proxy has ended before its client; its log: {log}\n"


def test_a_port_that_is_taken(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(NoProxyError) as raised, own_proxy({**OWN, "server.port": port}, None):
            pass
    (log,) = logs(home)
    assert str(raised.value) == (
        f"The proxy did not start: Port {port} is in use: choose another with --port\nIts log: {log}"
    )


def test_it_does_not_outlive_who_started_it(home: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        cwd=home,
        env=clean_environment(home, {"TMPDIR": str(home)}),
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout
        url = holder.stdout.readline().split()[0]
        (proxy,) = psutil.Process(holder.pid).children()
        # apart from the terminal, whose keys are for the client
        assert os.getsid(proxy.pid) == proxy.pid
        holder.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/health/live", trust_env=False)
        except httpx.TransportError:
            return
        time.sleep(0.05)
    proxy.kill()
    raise AssertionError("it still answers")
