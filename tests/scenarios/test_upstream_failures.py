"""Upstreams that die, fall silent or talk nonsense: each ends in the right error, in the client's format."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anthropic
import httpx
import openai
import pytest

from tests.conftest import Behind, Proxies
from tests.support import upstreams
from tests.support.processes import Proxy, Simulator, free_port, running_proxy
from tests.support.upstreams import Behaviour, upstream

MESSAGE = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
IDLE = 1.0


SETTINGS = {"RETRIES__IDLE_TIMEOUT_SECONDS": str(IDLE), "RETRIES__ATTEMPTS": "0"}


@contextmanager
def proxy_to(home: Path, host: str, url: str) -> Iterator[Proxy]:
    """For addresses that are no sockets of ours."""
    upstreams = {"CLAUDE__BASE_URL": url, "OPENAI__BASE_URL": url}
    keys = {"CLAUDE__API_KEY": "k", "OPENAI__API_KEY": "k"}
    with running_proxy(home, SETTINGS | upstreams | keys, host, proxy_listener=False) as proxy:
        yield proxy


def claude_error(proxy: Proxy, *, stream: bool = False) -> anthropic.APIStatusError:
    with anthropic.Anthropic(base_url=f"{proxy.url}/api", api_key="c", max_retries=0) as client:
        with pytest.raises(anthropic.APIStatusError) as caught:
            list(client.messages.create(**MESSAGE, stream=stream))  # type: ignore[call-overload]
    return caught.value


def openai_error(proxy: Proxy) -> openai.APIStatusError:
    with (
        openai.OpenAI(base_url=f"{proxy.url}/openai/v1", api_key="c", max_retries=0) as client,
        pytest.raises(openai.APIStatusError) as caught,
    ):
        client.responses.create(model="m", input="x")
    return caught.value


@pytest.mark.parametrize(
    ("behaviour", "status", "code"),
    [
        (upstreams.close_at_once, 502, "upstream_closed"),
        (upstreams.close_without_answer, 502, "upstream_closed"),
        (upstreams.reset, 502, "upstream_closed"),
        (upstreams.garbage, 502, "upstream_invalid"),
        (upstreams.cut_json, 502, "upstream_cut"),
        (upstreams.silent, 504, "upstream_timeout"),
        (upstreams.silent_inside_json, 504, "upstream_timeout"),
    ],
)
def test_before_the_first_byte(
    behind: Behind, host: str, behaviour: Behaviour, status: int, code: str
) -> None:
    proxy = behind.proxy(behaviour, host, **SETTINGS)
    started = time.monotonic()
    error = claude_error(proxy)
    assert error.status_code == status
    assert error.response.headers["x-ccproxy-error"] == code
    assert error.type == ("timeout_error" if status == 504 else "api_error")
    assert "127.0.0.1" in error.message
    assert error.response.headers["content-type"] == "application/json"
    theirs = openai_error(proxy)
    assert (theirs.status_code, theirs.code, theirs.type) == (status, code, "server_error")
    assert time.monotonic() - started < 2 * (IDLE + 2)
    assert httpx.get(f"{proxy.url}/health/live", trust_env=False).status_code == 200


@pytest.mark.parametrize("behaviour", [upstreams.cut_between_events, upstreams.silent_after_events])
def test_in_a_stream_between_events(behind: Behind, host: str, behaviour: Behaviour) -> None:
    """The stream ends with an error event, cleanly, which the SDK raises with our words."""
    proxy = behind.proxy(behaviour, host, **SETTINGS)
    error = claude_error(proxy, stream=True)
    cut = behaviour is upstreams.cut_between_events
    assert ("broke off" if cut else "silent") in error.message
    body = httpx.post(f"{proxy.url}/api/v1/messages", json=MESSAGE, trust_env=False).content
    assert body.startswith(upstreams.EVENT * 2 + b"event: error\n")
    assert body.endswith(b"\n\n")


def test_in_the_middle_of_an_event(behind: Behind, host: str) -> None:
    """Nothing that makes sense can be added: the connection breaks, as the upstream's did."""
    proxy = behind.proxy(upstreams.cut_inside_event, host, **SETTINGS)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(f"{proxy.url}/api/v1/messages", json=MESSAGE, trust_env=False)


def test_nobody_listens_and_then_somebody_does(home: Path, host: str) -> None:
    """Who comes back is used again, on the same connection of the client: a failure is not remembered."""
    port = free_port()
    with proxy_to(home, host, f"http://127.0.0.1:{port}") as proxy, httpx.Client(trust_env=False) as client:
        error = claude_error(proxy)
        assert (error.status_code, error.response.headers["x-ccproxy-error"]) == (502, "upstream_unreachable")
        assert "connection refused" in error.message
        assert openai_error(proxy).code == "upstream_unreachable"
        for _ in range(2):
            assert client.post(f"{proxy.url}/api/v1/messages", json=MESSAGE).status_code == 502
        with upstream(upstreams.InTurn(upstreams.reply(200, {})), port=port):
            assert client.post(f"{proxy.url}/api/v1/messages", json=MESSAGE).status_code == 200


def test_a_certificate_that_nobody_knows(home: Path) -> None:
    context, _ = upstreams.tls_context("127.0.0.1", home)
    with upstream(upstreams.silent, context) as dead:
        with proxy_to(home, "serve", f"https://127.0.0.1:{dead.port}") as proxy:
            error = claude_error(proxy)
    assert (error.status_code, error.response.headers["x-ccproxy-error"]) == (502, "upstream_tls")
    assert "certificate" in error.message.lower()


def test_the_name_is_unknown(home: Path) -> None:
    with proxy_to(home, "serve", "https://nobody.invalid") as proxy:
        error = claude_error(proxy)
        assert error.response.headers["x-ccproxy-error"] == "upstream_unreachable"
        assert "nobody.invalid" in error.message


def test_an_upstream_that_takes_no_connection(home: Path) -> None:
    """A full backlog: the kernel neither accepts nor refuses."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        with proxy_to(home, "serve", f"http://127.0.0.1:{port}") as proxy:
            error = claude_error(proxy)
        for filler in fillers:
            filler.close()
    assert (error.status_code, error.response.headers["x-ccproxy-error"]) == (502, "upstream_unreachable")
    assert "in time" in error.message


@pytest.mark.parametrize("behaviour", [upstreams.garbage, upstreams.close_at_once])
def test_no_tls_where_tls_is_expected(behind: Behind, host: str, behaviour: Behaviour) -> None:
    url = f"https://127.0.0.1:{behind.server.port}"
    error = claude_error(behind.proxy(behaviour, host, CLAUDE__BASE_URL=url, **SETTINGS))
    assert (error.status_code, error.response.headers["x-ccproxy-error"]) == (502, "upstream_tls")


@pytest.mark.parametrize("marker", ["sim:mute", "sim:silence", "sim:slow 200 0.05"])
def test_a_client_that_leaves_cancels_the_upstream(
    host: str, proxies: Proxies, simulator: Simulator, marker: str
) -> None:
    proxy = proxies.get(host)
    simulator.clear()
    body = {**MESSAGE, "model": "claude-opus-4-8", "stream": True}
    body["messages"] = [{"role": "user", "content": marker}]
    headers = {"anthropic-version": "2023-06-01"}
    with httpx.Client(trust_env=False, timeout=0.5) as client:
        if marker == "sim:mute":
            with pytest.raises(httpx.ReadTimeout):
                client.post(f"{proxy.url}/api/v1/messages", json=body, headers=headers)
        else:
            with client.stream("POST", f"{proxy.url}/api/v1/messages", json=body, headers=headers) as answer:
                next(answer.iter_raw())
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline and simulator.requests()[0]["outcome"] != "aborted":
        time.sleep(0.05)
    assert simulator.requests()[0]["outcome"] == "aborted"


def test_headers_that_are_not_allowed(behind: Behind, host: str) -> None:
    def both_lengths(connection: socket.socket) -> None:
        upstreams.read_request(connection)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
        )

    error = claude_error(behind.proxy(both_lengths, host, **SETTINGS))
    assert (error.status_code, error.response.headers["x-ccproxy-error"]) == (502, "upstream_invalid")


def test_a_slow_reader_is_not_a_silent_upstream(behind: Behind) -> None:
    """While the client does not read we do not listen, and the stream goes on when it reads again."""
    size = 40_000_000

    def much(connection: socket.socket) -> None:
        upstreams.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: x/y\r\ncontent-length: %d\r\n\r\n" % size)
        connection.sendall(b"x" * size)

    proxy = behind.proxy(much, **SETTINGS)
    with httpx.stream("GET", f"{proxy.url}/api/v1/files", trust_env=False) as answer:
        pieces = answer.iter_raw()
        got = len(next(pieces))
        time.sleep(3 * IDLE)
        assert got + sum(map(len, pieces)) == size


def test_an_answer_nested_too_deeply_passes(behind: Behind, host: str) -> None:
    event = b'event: message_start\ndata: {"message":' + b"[" * 50_000 + b"\n\n"

    def deep(connection: socket.socket) -> None:
        upstreams.read_request(connection)
        connection.sendall(upstreams.SSE_HEAD + upstreams.chunk(event) + b"0\r\n\r\n")

    proxy = behind.proxy(deep, host, **SETTINGS)
    answer = httpx.post(f"{proxy.url}/api/v1/messages", json=MESSAGE, trust_env=False)
    assert answer.content == event
    assert "crashed" not in proxy.process.output
