"""Another attempt before the first byte: for what passes, with the same bytes, and never twice too often."""

import gzip
import json
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import pytest

from tests.conformance.translating import completed, created, message_item, sse
from tests.conftest import Behind, Proxies
from tests.scenarios.test_intercept import through
from tests.support import upstreams
from tests.support.processes import (
    BIN,
    ROOT,
    Proxy,
    Simulator,
    free_port,
    running_proxy,
    started,
    wait_until_ready,
)
from tests.support.sockets import port_of, receive_until
from tests.support.upstreams import InTurn, Upstream, chunk, reply, upstream

CLAUDE, GPT = "claude-opus-4-8", "gpt-5.5"
BODY = b'{ "model": "claude-opus-4-8",\n "max_tokens":9, "messages":[{"role":"user","content":"x"}] }'
CHAT = {"model": CLAUDE, "messages": [{"role": "user", "content": "x"}]}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": CLAUDE,
    "content": [{"type": "text", "text": "Hello."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}

FINE = reply(200, MESSAGE)
BUSY = reply(529, OVERLOADED)
HANGS_UP = b""


def limited(**headers: str) -> bytes:
    return reply(429, {"type": "error", "error": {"type": "rate_limit_error", "message": "Slow."}}, **headers)


AS_BY_DEFAULT = {"RETRIES__ATTEMPTS": "2"}
SOON, LATE = limited(retry_after_ms="200", retry_after="1"), limited(retry_after="60")


def asking(behind: Behind, *answers: bytes, host: str = "serve", **settings: str) -> tuple[Proxy, InTurn]:
    """A proxy to an upstream that gives these answers, the last one for ever."""
    script = InTurn(*answers)
    return behind.proxy(script, host, **AS_BY_DEFAULT | settings), script


def post(
    proxy: Proxy,
    path: str = "/api/v1/messages",
    body: Any = None,
    *,
    seconds: float = 20,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    content = BODY if body is None else json.dumps(body).encode()
    sent = {"content-type": "application/json", **(headers or {})}
    return httpx.post(proxy.url + path, content=content, headers=sent, trust_env=False, timeout=seconds)


# --- what is tried again


def test_a_limit_that_ends_soon(behind: Behind, host: str) -> None:
    """The same request, byte for byte and with its credential, and only the last answer is told of."""
    proxy, script = asking(behind, SOON, FINE, host=host)
    with httpx.Client(trust_env=False) as client:
        begun = time.monotonic()
        first = client.post(f"{proxy.url}/api/v1/messages", content=BODY)
        took = time.monotonic() - begun
        second = client.post(f"{proxy.url}/api/v1/messages", content=BODY)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == MESSAGE
    assert 0.2 <= took < 2
    assert len(script.requests) == 3
    assert len(set(script.requests)) == 1
    assert script.requests[0].endswith(BODY)
    assert b"x-api-key: sk-ant-api03-of-the-proxy\r\n" in script.requests[0]
    # a whole answer leaves its connection as it was
    assert script.connections == 1
    if host == "serve":
        proxy.process.wait_for(r"POST /api/v1/messages -> 200 .* retries=1 ")
        assert proxy.process.output.count("retries=") == 1
    assert "crashed" not in proxy.process.output


def test_an_overload_without_a_wait(behind: Behind) -> None:
    proxy, script = asking(behind, BUSY, BUSY, FINE)
    begun = time.monotonic()
    assert post(proxy).status_code == 200
    assert 1.1 < time.monotonic() - begun < 4
    assert len(script.requests) == 3


def test_the_upstream_hangs_up(behind: Behind, host: str) -> None:
    proxy, script = asking(behind, HANGS_UP, FINE, host=host)
    assert post(proxy).json() == MESSAGE
    assert (len(script.requests), script.connections) == (2, 2)
    assert len(set(script.requests)) == 1


def test_a_connection_that_had_been_kept_open(behind: Behind) -> None:
    """Closed as idle just when we wrote to it: at once on a fresh one."""
    proxy, script = asking(behind, FINE, HANGS_UP, FINE)
    with httpx.Client(trust_env=False) as client:
        client.post(f"{proxy.url}/api/v1/messages", content=BODY).raise_for_status()
        begun = time.monotonic()
        assert client.post(f"{proxy.url}/api/v1/messages", content=BODY).status_code == 200
        assert time.monotonic() - begun < 0.35
    assert (len(script.requests), script.connections) == (3, 2)


def test_an_upstream_that_is_just_starting(home: Path) -> None:
    port, script = free_port(), InTurn(FINE)
    settings = {"CLAUDE__BASE_URL": f"http://127.0.0.1:{port}", "CLAUDE__API_KEY": "k"}
    with running_proxy(home, settings, proxy_listener=False) as proxy:
        answers: list[httpx.Response] = []
        client = threading.Thread(target=lambda: answers.append(post(proxy)))
        client.start()
        time.sleep(0.2)
        with upstream(script, port=port):
            client.join(10)
    assert answers[0].status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_a_translated_request(behind: Behind, *, stream: bool) -> None:
    events = sse(
        {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    )
    fine = upstreams.SSE_HEAD + chunk(events) + b"0\r\n\r\n" if stream else FINE
    proxy, script = asking(behind, SOON, BUSY, fine)
    answer = post(proxy, "/api/v1/chat/completions", {**CHAT, "stream": stream})
    assert answer.status_code == 200
    assert "Hello." in answer.text
    assert len(script.requests) == 3
    assert len(set(script.requests)) == 1


def test_a_stream_that_began_with_an_error(behind: Behind, host: str) -> None:
    """As if it had been the status; what the upstream goes on to say is heard by nobody."""
    late = {"code": "rate_limit_exceeded", "message": "Please try again in 0.2s."}
    failing = chunk(sse(created())) + chunk(sse(completed("failed", error=late)))
    failing += chunk(sse(*message_item(0, "Ignored."))) + b"0\r\n\r\n"
    healthy = chunk(sse(created(), *message_item(0, "Hello."), completed())) + b"0\r\n\r\n"
    busy = chunk(sse(completed("failed", error={"code": "server_is_overloaded", "message": "Busy"})))
    answers = [upstreams.SSE_HEAD + rest for rest in (failing, busy, healthy)]
    body = {"model": GPT, "max_tokens": 9, "messages": [{"role": "user", "content": "x"}], "stream": True}
    proxy, script = asking(behind, *answers, host=host)
    with httpx.Client(trust_env=False) as client:
        for count in (3, 4):
            answer = client.post(f"{proxy.url}/openai/v1/messages", json=body, timeout=10)
            assert answer.status_code == 200
            assert "Hello." in answer.text
            assert "Ignored" not in answer.text
            assert "event: error" not in answer.text
            assert len(script.requests) == count
    assert "crashed" not in proxy.process.output


@pytest.mark.parametrize("marker", ["sim:once error 503 capacity", "sim:once drop"])
@pytest.mark.parametrize("wire", ["chat", "responses", "messages"])
def test_the_plans_backend(proxies: Proxies, simulator: Simulator, marker: str, wire: str) -> None:
    proxy = proxies.get("serve", {"RETRIES__ATTEMPTS": "2"})
    simulator.reset()
    said: str | None
    if wire == "messages":
        with anthropic.Anthropic(base_url=f"{proxy.url}/codex", api_key="x", max_retries=0) as claude:
            turn: Any = {"role": "user", "content": marker}
            said = str(claude.messages.create(model=GPT, max_tokens=9, messages=[turn]).content)
    else:
        with openai.OpenAI(base_url=f"{proxy.url}/codex/v1", api_key="x", max_retries=0) as client:
            if wire == "responses":
                said = client.responses.create(model=GPT, input=marker).output_text
            else:
                turn = {"role": "user", "content": marker}
                said = client.chat.completions.create(model=GPT, messages=[turn]).choices[0].message.content
    assert said
    bodies = [entry["body"] for entry in simulator.requests()]
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]


def test_the_upgrade_to_a_websocket(behind: Behind) -> None:
    """Until it is answered it is a request like any other."""
    accepted = b"HTTP/1.1 101 X\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    accepted += b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    request = (
        b"GET /codex/v1/responses HTTP/1.1\r\nhost: 127.0.0.1\r\noriginator: codex_cli_rs\r\n"
        b"user-agent: codex_cli_rs/0.98.0\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    proxy, script = asking(behind, SOON, HANGS_UP, accepted)
    with socket.create_connection(("127.0.0.1", port_of(proxy.url))) as client:
        client.sendall(request)
        assert receive_until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")
        assert len(script.requests) == 3
    assert "crashed" not in proxy.process.output


# --- what is not


PASSING = [
    LATE,
    limited(retry_after="1", x_should_retry="false"),
    limited(retry_after="1", anthropic_ratelimit_unified_status="rejected"),
    reply(529, OVERLOADED, x_should_retry="false"),
    reply(429, b"x" * 200_000, retry_after="1"),
    *(reply(status, {"type": "error"}) for status in (400, 401, 403, 404, 408, 409, 413, 500, 502, 504)),
]


def test_answers_that_pass_at_once(behind: Behind) -> None:
    proxy, script = asking(behind, *PASSING)
    for count, answer in enumerate(PASSING, 1):
        begun = time.monotonic()
        passed = post(proxy)
        assert time.monotonic() - begun < 0.35
        assert len(script.requests) == count
        head, _, body = answer.partition(b"\r\n\r\n")
        assert passed.content == body
        for line in head.decode().splitlines()[1:]:
            name, value = line.split(": ")
            assert passed.headers[name] == value
        assert head.startswith(b"HTTP/1.1 %d " % passed.status_code)
    assert "retries=" not in proxy.process.output


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_a_plan_that_is_used_up(behind: Behind, encoding: str) -> None:
    body = json.dumps(
        {"error": {"type": "usage_limit_reached", "message": "x", "resets_in_seconds": 1}}
    ).encode()
    packed = gzip.compress(body) if encoding else body
    proxy, script = asking(behind, reply(429, packed, content_encoding=encoding or "identity"))
    answer = post(proxy, "/openai/v1/responses", {"model": GPT, "input": "x"})
    assert (answer.status_code, answer.content) == (429, body)
    assert len(script.requests) == 1


def test_an_error_passes_when_all_attempts_are_made(behind: Behind) -> None:
    """As it is on the same format, and in the client's words on another."""
    proxy, script = asking(behind, BUSY, RETRIES__MAX_WAIT_SECONDS="0.1")
    same = post(proxy)
    assert (same.status_code, same.content) == (529, BUSY.partition(b"\r\n\r\n")[2])
    assert len(script.requests) == 3
    other = post(proxy, "/api/v1/chat/completions", CHAT)
    assert (other.status_code, other.json()["error"]["code"]) == (503, "server_is_overloaded")
    assert len(script.requests) == 6
    proxy.process.wait_for(r"-> 529 .*retries=2 ")


def test_a_connection_that_never_answers(behind: Behind) -> None:
    proxy, script = asking(behind, HANGS_UP, RETRIES__MAX_WAIT_SECONDS="0.1")
    answer = post(proxy)
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (502, "upstream_closed")
    assert len(script.requests) == 3


@pytest.mark.parametrize(
    ("goes_on", "status", "code"), [(InTurn.CUT, 502, "upstream_cut"), (b"", 504, "upstream_timeout")]
)
def test_an_error_that_never_ends(behind: Behind, goes_on: bytes, status: int, code: str) -> None:
    half = SOON.replace(b"content-length: ", b"content-length: 9") + goes_on
    proxy, script = asking(behind, half, FINE, RETRIES__IDLE_TIMEOUT_SECONDS="1")
    answer = post(proxy)
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (status, code)
    assert len(script.requests) == 1


def test_none_if_none_is_wanted(behind: Behind) -> None:
    """Not even where the connection had been kept open: that it closed does not say that nothing was done."""
    proxy, script = asking(behind, FINE, HANGS_UP, SOON, RETRIES__ATTEMPTS="0")
    with httpx.Client(trust_env=False) as client:
        got = [client.post(f"{proxy.url}/api/v1/messages", content=BODY).status_code for _ in range(3)]
    assert got == [200, 502, 429]
    assert len(script.requests) == 3


def test_not_what_is_only_observed(behind: Behind, host: str) -> None:
    proxy, script = asking(behind, SOON, FINE, host=host)
    with through(proxy) as client:
        answer = client.post("https://api.anthropic.com/v1/messages", content=BODY)
    assert (answer.status_code, len(script.requests)) == (429, 1)


@pytest.mark.parametrize("path", ["/api/v1/messages", "/api/v1/chat/completions"])
def test_not_a_stream_that_has_begun(behind: Behind, path: str) -> None:
    start = sse({"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}})
    proxy, script = asking(behind, upstreams.SSE_HEAD + chunk(start) + InTurn.CUT, FINE)
    answer = post(proxy, path, {**CHAT, "max_tokens": 9, "stream": True})
    assert answer.status_code == 200
    assert '"error"' in answer.text
    assert len(script.requests) == 1


# --- while it waits


def test_the_client_leaves(behind: Behind, host: str) -> None:
    proxy, script = asking(behind, limited(retry_after="1"), FINE, host=host)
    with pytest.raises(httpx.ReadTimeout):
        post(proxy, seconds=0.3)
    if host == "serve":
        proxy.process.wait_for("client_disconnected", 2)
    time.sleep(1)
    assert len(script.requests) == 1
    assert "crashed" not in proxy.process.output
    assert post(proxy).status_code == 200


def test_others_are_served(behind: Behind) -> None:
    proxy, script = asking(behind, limited(retry_after="1"), FINE)
    slow = threading.Thread(target=lambda: post(proxy))
    slow.start()
    while not script.requests:
        time.sleep(0.01)
    begun = time.monotonic()
    assert post(proxy).status_code == 200
    assert time.monotonic() - begun < 0.5
    slow.join(5)
    assert len(script.requests) == 3


@contextmanager
def proxy_to(home: Path, server: Upstream) -> Iterator[Proxy]:
    """One that nobody else needs."""
    settings = {"CLAUDE__BASE_URL": f"http://127.0.0.1:{server.port}", "CLAUDE__API_KEY": "k"}
    patient = {"RETRIES__KEEPALIVE_SECONDS": "2", "RETRIES__ATTEMPTS": "10"}
    with running_proxy(home, settings | patient, proxy_listener=False) as proxy:
        yield proxy


@pytest.mark.parametrize("answer", [limited(retry_after="8"), HANGS_UP])
def test_the_proxy_stops(home: Path, answer: bytes) -> None:
    """Who stops waits for no further attempt: the client gets what there is."""
    script = InTurn(answer)
    with upstream(script) as server, proxy_to(home, server) as proxy:
        answers: list[httpx.Response] = []
        client = threading.Thread(target=lambda: answers.append(post(proxy)))
        client.start()
        while len(script.requests) < (1 if answer else 3):
            time.sleep(0.01)
        time.sleep(0.1)
        begun = time.monotonic()
        proxy.process.child.send_signal(signal.SIGTERM)
        client.join(10)
        proxy.process.child.wait(10)
        assert time.monotonic() - begun < 5
    assert answers[0].status_code == (429 if answer else 502)


def test_the_clock_runs_for_each_attempt(behind: Behind) -> None:
    """An attempt after which the upstream is silent ends like a first one."""

    def silent_then(connection: socket.socket) -> None:
        upstreams.read_request(connection)
        connection.sendall(SOON)
        upstreams.read_request(connection)
        connection.recv(1)

    answer = post(behind.proxy(silent_then, RETRIES__IDLE_TIMEOUT_SECONDS="1", **AS_BY_DEFAULT))
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (504, "upstream_timeout")


# --- HTTP/2


class Http2Only(ssl.SSLContext):
    """httpx prefers HTTP/1.1 where it offers both."""

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        super().set_alpn_protocols(["h2"])


def test_over_http2(home: Path) -> None:
    """After an answer and after a reset: a stream of its own for each attempt, on the one connection."""
    context, authority = upstreams.tls_context("127.0.0.1", home)
    context.set_alpn_protocols(["h2"])
    script = upstreams.Http2([(429, {"retry-after-ms": "100"}), (0, {}), (200, {})])
    port, proxy_port = free_port(), free_port()
    arguments = [str(BIN / "mitmdump"), "--listen-port", "0", "-s", str(ROOT / "addons" / "ccproxy.py")]
    arguments += ["--set", f"ssl_verify_upstream_trusted_ca={authority}"]
    with upstream(script, context) as server:
        settings = {"CLAUDE__BASE_URL": f"https://127.0.0.1:{server.port}", "CLAUDE__API_KEY": "k"}
        settings |= {"INTERCEPT__HOSTS": '{"api.anthropic.com": "credentials"}'}
        settings |= {"SERVER__PORT": str(port), "SERVER__PROXY_PORT": str(proxy_port)}
        with started(arguments, home, settings) as process:
            wait_until_ready(process, port)
            proxy = Proxy(process, port, proxy_port)
            trusted = Http2Only(ssl.PROTOCOL_TLS_CLIENT)
            trusted.load_verify_locations(proxy.ca)
            with httpx.Client(proxy=proxy.proxy_url, verify=trusted, http2=True, trust_env=False) as client:
                answers = [
                    client.post("https://api.anthropic.com/v1/messages", content=BODY) for _ in range(2)
                ]
            assert "crashed" not in process.output
    assert [(answer.status_code, answer.http_version) for answer in answers] == [(200, "HTTP/2")] * 2
    assert script.bodies == [BODY] * 4
    assert server.accepted == 1
