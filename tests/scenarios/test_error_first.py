"""A 200 stream that begins with an error: the client gets an error answer in its own format."""

import json
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import pytest

from tests.conformance.translating import completed, created, message_item, message_start, sse, text_block
from tests.conftest import Behind
from tests.support import upstreams
from tests.support.processes import BIN, ROOT, Proxy, free_port, started, wait_until_ready
from tests.support.upstreams import Behaviour, chunk, upstream

CLAUDE, GPT = "claude-opus-4-8", "gpt-5.5"
MESSAGE = {"model": GPT, "max_tokens": 9, "messages": [{"role": "user", "content": "x"}], "stream": True}
CHAT = {"model": CLAUDE, "messages": [{"role": "user", "content": "x"}], "stream": True}
IDLE = 1.5
SETTINGS = {"RETRIES__IDLE_TIMEOUT_SECONDS": str(IDLE), "RETRIES__ATTEMPTS": "0"}

BEGINNING = sse(created(), {**created(), "type": "response.in_progress"})
FAILED = sse(
    completed("failed", error={"code": "rate_limit_exceeded", "message": "Please try again in 2.5s."})
)
HEALTHY = sse(*message_item(0, "Hello."), completed())
"""What follows on the beginning."""


def says(*pieces: bytes, head: bytes = upstreams.SSE_HEAD, ends: bool = True) -> Behaviour:
    """An upstream that answers one request like this, each piece in a write of its own."""

    def behave(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while upstreams.read_request(connection):
            connection.sendall(head)
            for piece in pieces:
                connection.sendall(chunk(piece))
            if not ends:
                connection.recv(1)
                return
            connection.sendall(b"0\r\n\r\n")

    return behave


def ask(proxy: Proxy, body: Mapping[str, Any] = MESSAGE) -> httpx.Response:
    """A Messages client on OpenAI, or a Chat client on Claude."""
    path = "/openai/v1/messages" if "max_tokens" in body else "/api/v1/chat/completions"
    return httpx.post(proxy.url + path, json=body, trust_env=False, timeout=10)


def text_of(answer: httpx.Response) -> str:
    """The text of a stream of Messages."""
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    return "".join(event.get("delta", {}).get("text", "") for event in events)


# --- the simulator's errors


@pytest.mark.parametrize("stream", [False, True])
def test_openais_clients_on_claude(proxy: Proxy, *, stream: bool) -> None:
    with openai.OpenAI(base_url=f"{proxy.url}/api/v1", api_key="x", max_retries=0) as client:
        with pytest.raises(openai.InternalServerError) as of_chat:
            client.chat.completions.create(
                model=CLAUDE, messages=[{"role": "user", "content": "sim:error200 0"}], stream=stream
            )
        with pytest.raises(openai.InternalServerError) as of_responses:
            client.responses.create(model=CLAUDE, input="sim:error200 0", stream=stream)
    for caught in (of_chat, of_responses):
        assert (caught.value.status_code, caught.value.code) == (503, "server_is_overloaded")
        assert caught.value.response.headers["content-type"] == "application/json"
        assert caught.value.response.headers["request-id"].startswith("req_")


@pytest.mark.parametrize("events", [0, 1, 2])
def test_messages_clients_on_openai(proxy: Proxy, events: int) -> None:
    """As the first event, and in the place of those that only say that something has begun."""
    with anthropic.Anthropic(base_url=f"{proxy.url}/openai", api_key="x", max_retries=0) as client:
        with pytest.raises(anthropic.InternalServerError) as caught:
            client.messages.create(
                model=GPT,
                max_tokens=9,
                messages=[{"role": "user", "content": f"sim:error200 {events}"}],
                stream=True,
            )
    assert (caught.value.status_code, caught.value.type) == (500, "api_error")
    assert caught.value.response.headers["x-ccproxy-request-id"] == caught.value.body["request_id"]  # type: ignore[index]


def test_what_was_said_cannot_be_taken_back(proxy: Proxy) -> None:
    """After the first real event an error is the stream's last."""
    for client, path in ((MESSAGE, "/openai/v1/messages"), (CHAT, "/api/v1/chat/completions")):
        body = {**client, "messages": [{"role": "user", "content": "sim:error200 5"}]}
        answer = httpx.post(proxy.url + path, json=body, trust_env=False)
        assert answer.status_code == 200
        assert '"error"' in answer.text.strip().splitlines()[-1]


# --- what no simulator says


@pytest.mark.parametrize("ends", [True, False])
def test_when_to_come_back(behind: Behind, host: str, *, ends: bool) -> None:
    """An upstream that goes on after its error loses its connection, the client keeps its own."""
    failing = says(BEGINNING, FAILED, *([] if ends else [HEALTHY]), ends=ends)
    proxy = behind.proxy(failing, host, **SETTINGS)
    with httpx.Client(trust_env=False, timeout=10) as client:
        answers = [client.post(f"{proxy.url}/openai/v1/messages", json=MESSAGE) for _ in range(3)]
    assert behind.server.closed.wait(3)
    assert "crashed" not in proxy.process.output
    for answer in answers:
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
        assert answer.json()["error"] == {"type": "rate_limit_error", "message": "Please try again in 2.5s."}


def test_a_client_that_wants_json_gets_the_same(behind: Behind, host: str) -> None:
    proxy = behind.proxy(says(BEGINNING, FAILED), host, **SETTINGS)
    streamed, whole = ask(proxy), ask(proxy, {**MESSAGE, "stream": False})
    assert (whole.status_code, whole.headers["retry-after"]) == (429, "3")
    assert whole.json()["error"] == streamed.json()["error"]


@pytest.mark.parametrize("pieces", [[BEGINNING, HEALTHY], [BEGINNING + HEALTHY], "byte by byte"])
def test_a_healthy_stream(behind: Behind, host: str, pieces: list[bytes] | str) -> None:
    """Every event arrives once, and in order, however the upstream cuts them."""
    if isinstance(pieces, str):
        whole = BEGINNING + HEALTHY
        pieces = [whole[at : at + 1] for at in range(len(whole))]
    answer = ask(behind.proxy(says(*pieces), host, **SETTINGS))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert text_of(answer) == "Hello."
    assert [line[7:] for line in answer.text.splitlines() if line.startswith("event: ")] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


@pytest.mark.parametrize(
    ("body", "first"),
    [
        (MESSAGE, BEGINNING + sse(*message_item(0, "Hello.")[:1])),
        (CHAT, sse({"type": "ping"}, message_start())),
        (CHAT, sse(message_start(), *text_block(0, "Hello.")[:2])),
    ],
)
def test_the_first_event_is_not_held(behind: Behind, host: str, body: dict[str, Any], first: bytes) -> None:
    """The client reads the beginning while the upstream has not said more than its first real event."""
    may_end = threading.Event()

    def slow(connection: socket.socket) -> None:
        upstreams.read_request(connection)
        connection.sendall(upstreams.SSE_HEAD + chunk(first))
        may_end.wait(5)

    path = "/openai/v1/messages" if body is MESSAGE else "/api/v1/chat/completions"
    proxy = behind.proxy(slow, host, **SETTINGS)
    with httpx.stream("POST", proxy.url + path, json=body, trust_env=False, timeout=IDLE) as answer:
        assert next(answer.iter_raw())
        assert answer.status_code == 200
        may_end.set()


# --- an upstream that says no more


def test_the_upstream_dies(behind: Behind, host: str) -> None:
    def dies(connection: socket.socket) -> None:
        upstreams.read_request(connection)
        connection.sendall(upstreams.SSE_HEAD + chunk(BEGINNING))

    answer = ask(behind.proxy(dies, host, **SETTINGS))
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (502, "upstream_cut")
    assert answer.json()["error"]["type"] == "api_error"


def test_the_stream_ends(behind: Behind, host: str) -> None:
    """That is no error that the upstream has told us: the stream goes on as it was, and to its end."""
    answer = ask(behind.proxy(says(BEGINNING), host, **SETTINGS))
    assert answer.status_code == 200
    assert "event: error" in answer.text


def test_the_upstream_is_silent(behind: Behind, host: str) -> None:
    proxy = behind.proxy(says(BEGINNING, ends=False), host, **SETTINGS)
    begun = time.monotonic()
    answer = ask(proxy)
    assert time.monotonic() - begun < 2 * IDLE
    assert behind.server.closed.wait(3)
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (504, "upstream_timeout")


def test_a_sign_of_life(behind: Behind, host: str) -> None:
    """A client must not wait longer for its first byte than for any other, so then the answer begins."""
    proxy = behind.proxy(says(BEGINNING, ends=False), host, RETRIES__KEEPALIVE_SECONDS="0.4", **SETTINGS)
    url = f"{proxy.url}/openai/v1/messages"
    begun = time.monotonic()
    with httpx.stream("POST", url, json=MESSAGE, trust_env=False, timeout=10) as answer:
        assert answer.status_code == 200
        assert time.monotonic() - begun < IDLE
        text = answer.read().decode()
    assert text.startswith("event: message_start")
    assert "event: ping" in text
    assert text.rstrip().splitlines()[-2] == "event: error"


def test_the_client_leaves(behind: Behind, host: str) -> None:
    """Long before the upstream counts as silent, its connection ends."""
    proxy = behind.proxy(says(BEGINNING, ends=False), host, **SETTINGS)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{proxy.url}/openai/v1/messages", json=MESSAGE, trust_env=False, timeout=0.5)
    assert behind.server.closed.wait(IDLE - 0.6)
    assert httpx.get(f"{proxy.url}/health/live", trust_env=False).status_code == 200


KILLER = """
import asyncio
class Killer:
    def request(self, flow):
        asyncio.get_running_loop().call_later(0.3, flow.kill)
addons = [Killer()]
"""


@pytest.mark.parametrize("rest", [FAILED, HEALTHY])
def test_somebody_kills_the_flow(home: Path, rest: bytes) -> None:
    """By a stock tool's command: it counts as soon as the upstream says more."""

    def late(connection: socket.socket) -> None:
        upstreams.read_request(connection)
        connection.sendall(upstreams.SSE_HEAD + chunk(BEGINNING))
        time.sleep(0.6)
        connection.sendall(chunk(rest) + b"0\r\n\r\n")

    (home / "killer.py").write_text(KILLER)
    port = free_port()
    arguments = [str(BIN / "mitmdump"), "--listen-port", "0", "-s", str(ROOT / "addons" / "ccproxy.py")]
    with upstream(late) as server:
        settings = {"OPENAI__BASE_URL": f"http://127.0.0.1:{server.port}", "OPENAI__API_KEY": "k"}
        settings |= {"SERVER__PORT": str(port), "SERVER__PROXY_PORT": "0"}
        with started([*arguments, "-s", str(home / "killer.py")], home, settings) as process:
            wait_until_ready(process, port)
            with pytest.raises(httpx.RemoteProtocolError):
                httpx.post(f"http://127.0.0.1:{port}/openai/v1/messages", json=MESSAGE, trust_env=False)
            assert "crashed" not in process.output
