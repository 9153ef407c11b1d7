import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from ccproxy.simulator.server import running, serve

SCRIPT = """
from ccproxy.simulator.server import serve
serve("127.0.0.1", 0, lambda url: print(url, flush=True))
print("done", flush=True)
"""


@contextlib.contextmanager
def process() -> Iterator[tuple[subprocess.Popen[str], str]]:
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running_process:
        try:
            assert running_process.stdout is not None
            yield running_process, running_process.stdout.readline().strip()
        finally:
            running_process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_process_of_its_own_serves_until_a_signal(number: signal.Signals) -> None:
    with process() as (server, url):
        assert httpx.get(f"{url}/_simulator/health").json()["status"] == "pass"
        server.send_signal(number)
        out, err = server.communicate(timeout=5)
    assert (out, err, server.returncode) == ("done\n", "", 0)


def test_a_silent_answer_does_not_hold_up_the_end() -> None:
    body = {"model": "claude-opus-5", "max_tokens": 9, "messages": [{"role": "user", "content": "sim:mute"}]}
    with process() as (server, url), httpx.Client(base_url=url) as http:
        headers = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
        with pytest.raises(httpx.ReadTimeout):
            http.post("/v1/messages", json=body, headers=headers, timeout=0.1)
        request = http.build_request("POST", "/v1/messages", json=body, headers=headers)
        with socket.create_connection((str(request.url.host), request.url.port)) as client:
            head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
            client.sendall(f"POST /v1/messages HTTP/1.1\r\n{head}\r\n".encode() + request.content)
            time.sleep(0.1)
            start = time.monotonic()
            server.send_signal(signal.SIGTERM)
            out, err = server.communicate(timeout=5)
            assert client.recv(100) == b""
    assert (out, err, server.returncode) == ("done\n", "", 0)
    assert time.monotonic() - start < 2


def test_a_port_in_use_is_an_error_of_the_system() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match=r"in use"):
        serve("127.0.0.1", taken.getsockname()[1], lambda url: None)


async def test_two_servers_in_one_loop() -> None:
    async with running() as one, running() as two, httpx.AsyncClient() as http:
        assert one != two
        await http.get(f"{one}/v1/models")
        assert (await http.get(f"{one}/_simulator/health")).json()["requests"] == 1
        assert (await http.get(f"{two}/_simulator/health")).json()["requests"] == 0
    with pytest.raises(httpx.ConnectError):
        async with httpx.AsyncClient() as http:
            await http.get(f"{one}/_simulator/health")


async def test_ipv6() -> None:
    async with running(host="::1") as url, httpx.AsyncClient() as http:
        assert url.startswith("http://[::1]:")
        assert (await http.get(f"{url}/_simulator/health")).status_code == 200


async def test_answers_are_not_held_back_by_the_network() -> None:
    """Without TCP_NODELAY every answer takes 40 ms: its head and body are written one after the other."""
    async with running() as url, httpx.AsyncClient(base_url=url) as http:
        await http.get("/_simulator/health")
        start = time.monotonic()
        for _ in range(20):
            await http.get("/_simulator/health")
        assert time.monotonic() - start < 0.6


async def test_many_at_once() -> None:
    limits = httpx.Limits(max_connections=200)
    async with running() as url, httpx.AsyncClient(base_url=url, limits=limits) as http:
        answers = await asyncio.gather(*(http.head("/") for _ in range(200)))
    assert {answer.status_code for answer in answers} == {200}
