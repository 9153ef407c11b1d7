"""A replay over real sockets: the same bytes, and nobody is asked."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ccproxy.records.cassette import Recorded, append, create
from tests.support.processes import Proxy
from tests.support.tapes import NO_UPSTREAM, replaying, running_tape

EVENTS = {"content-type": "text/event-stream; charset=utf-8", "request-id": "req_1"}
JSON = {"content-type": "application/json"}
EMPTY = '{"id": "msg_1", "type":  "message", "content": []}'


def ask(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "claude-opus-4-8", "messages": [{"role": "user", "content": text}], **more}


def messages(text: str, status: int, body: str, **more: Any) -> Recorded:
    path = "https://api.anthropic.com/v1/messages"
    return Recorded("messages", path, status, [(0.0, body)], ask(text, **more), {}, JSON)


CHAT = {"model": "gpt-5.5", "messages": [{"role": "user", "content": "hi"}], "stream": True}
CHUNKS = [(0.0, 'data: {"choices":[{"delta":{"content":"ä"}}]}\n\n'), (9.9, "data: [DONE]\n\n")]
RECORDED = [
    messages("hello", 200, EMPTY),
    Recorded("chat", "/openai/v1/chat/completions", 200, CHUNKS, CHAT, {}, EVENTS),
    messages("again", 529, '{"type": "error", "error": {"type": "overloaded_error", "message": "no"}}'),
    messages("again", 200, EMPTY),
    Recorded("models", "/openai/v1/models", 200, [(0.0, '{"data":[ ]}')], None, {}, JSON),
    Recorded(
        "responses",
        "/codex/v1/responses",
        200,
        [(0.0, '{"id": "resp_1"}')],
        {"model": "gpt-5.5", "input": "hi"},
        {},
        JSON,
    ),
]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    home = tmp_path_factory.mktemp("replay")
    cassette = home / "a.cassette"
    create(cassette)
    for one in RECORDED:
        append(cassette, one)
    with replaying(home, cassette) as running:
        yield running


@pytest.fixture
def client(proxy: Proxy) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=proxy.url, trust_env=False) as made:
        yield made


@pytest.fixture
def through(proxy: Proxy) -> Iterator[httpx.Client]:
    """A client that means the providers themselves."""
    context = ssl.create_default_context(cafile=str(proxy.ca))
    with httpx.Client(proxy=proxy.proxy_url, verify=context, trust_env=False) as made:
        yield made


@pytest.mark.parametrize("path", ["/api", "", "/sdk", "/sdk/s1", "/openai", "/codex/s1", "/claude"])
def test_on_every_route_of_the_format(client: httpx.Client, path: str) -> None:
    """Whoever answered when it was recorded; twice the same."""
    for _ in range(2):
        answer = client.post(f"{path}/v1/messages", json=ask("hello", metadata={"user_id": "x"}))
        assert (answer.status_code, answer.text) == (200, EMPTY)


def test_on_the_providers_address(through: httpx.Client) -> None:
    answer = through.post("https://api.anthropic.com/v1/messages?beta=true", json=ask("hello"))
    assert (answer.status_code, answer.text) == (200, EMPTY)


def test_a_stream(client: httpx.Client) -> None:
    """At once, whatever it took; with the headers that were kept."""
    answer = client.post("/v1/chat/completions", json=CHAT)
    assert answer.text == "".join(text for _, text in CHUNKS)
    assert answer.headers["content-type"] == EVENTS["content-type"]
    assert answer.headers["request-id"] == "req_1"


def test_recorded_errors_are_not_tried_again_by_the_proxy(client: httpx.Client) -> None:
    found = [client.post("/api/v1/messages", json=ask("again")).status_code for _ in range(3)]
    assert found == [529, 200, 200]


def test_what_was_not_recorded(client: httpx.Client, proxy: Proxy) -> None:
    answer = client.post("/api/v1/messages", json=ask("hello you"))
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (400, "no_recording")
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    for said in (error["message"], proxy.process.wait_for("No recording for POST[^\n]*\n[^\n]*\n[^\n]*")[0]):
        assert "The nearest is number 1 (claude-opus-4-8)" in said
        assert 'messages[0].content: "hello" -> "hello you"' in said


def test_the_shape_of_an_error_is_the_clients(client: httpx.Client) -> None:
    answer = client.post("/openai/v1/responses", json={"model": "gpt-5.5", "input": "else"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "no_recording"
    assert "number 6 (gpt-5.5)" in answer.json()["error"]["message"]


def test_models(client: httpx.Client, through: httpx.Client) -> None:
    """As they were recorded, else those that the cassette names."""
    assert client.get("/openai/v1/models").text == '{"data":[ ]}'
    listed = client.get("/api/v1/models", headers={"anthropic-version": "2023-06-01"}).json()
    assert [one["id"] for one in listed["data"]] == ["claude-opus-4-8", "gpt-5.5"]
    assert through.get("https://chatgpt.com/backend-api/codex/models").json() == {"models": []}


def test_the_account_that_codex_asks_for(through: httpx.Client) -> None:
    url = "https://chatgpt.com/backend-api/wham/accounts/check"
    found = through.get(url, headers={"chatgpt-account-id": "acct-1"}).json()
    assert found["account_ordering"] == ["acct-1"]


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", "https://api.anthropic.com/api/event_logging/v2/batch"),
        ("GET", "https://api.anthropic.com/api/oauth/profile"),
        ("POST", "https://chatgpt.com/backend-api/oauth/token"),
        ("POST", "https://api.anthropic.com/v1/messages/count_tokens"),
        ("GET", "https://api.openai.com/v1/files"),
    ],
)
def test_everything_else_at_a_provider_stays_here(through: httpx.Client, method: str, url: str) -> None:
    answer = through.request(method, url, json=ask("hello"))
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (404, "offline")
    assert url in answer.text


def test_sockets_are_refused_at_once(client: httpx.Client) -> None:
    """With the status that sends Codex to HTTP."""
    headers = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-key": "x" * 16}
    answer = client.get("/codex/responses", headers={**headers, "sec-websocket-version": "13"})
    assert answer.status_code == 426


def test_bodies_that_cannot_be_read(client: httpx.Client) -> None:
    broken = client.post("/api/v1/messages", content=b"{", headers=JSON)
    assert broken.json()["error"]["type"] == "invalid_request_error"
    unknown = client.post("/api/v1/messages", content=b"{}", headers={**JSON, "content-encoding": "x-own"})
    assert unknown.headers["x-ccproxy-error"] == "unsupported_encoding"


def test_our_own_routes_answer_as_ever(client: httpx.Client) -> None:
    assert client.get("/").json()["name"] == "ccproxy"
    assert client.get("/health").status_code == 200
    assert client.get("/usage").json()["requests"] >= 0
    assert client.get("/quota?ask=1").status_code == 200
    assert client.get("/_replay/1").status_code == 404


def test_other_hosts_are_reached_as_ever(proxy: Proxy) -> None:
    """An agent's tools need them; only what is meant for a provider stays here."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        server.settimeout(10)
        with httpx.Client(proxy=proxy.proxy_url, trust_env=False) as client:

            def answer() -> None:
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")

            thread = threading.Thread(target=answer)
            thread.start()
            assert client.get(f"http://{host}:{port}/").text == "ok"
            thread.join(10)


def test_what_a_request_says_of_its_session_does_not_count(client: httpx.Client) -> None:
    body = {**ask("hello"), "metadata": {"user_id": json.dumps({"session_id": "2"})}, "system": None}
    assert client.post("/api/v1/messages", json=body).text == EMPTY


def test_a_token_is_asked_for(tmp_path: Path) -> None:
    cassette = tmp_path / "t.cassette"
    create(cassette)
    append(cassette, RECORDED[0])
    settings = {**NO_UPSTREAM, "SECURITY__AUTH_TOKEN": "a-token-of-the-proxy-0123456789"}
    with running_tape(tmp_path, "replay", cassette, settings=settings) as proxy:
        url = f"{proxy.url}/api/v1/messages"
        assert httpx.post(url, json=ask("hello"), trust_env=False).status_code == 401
        headers = {"x-api-key": settings["SECURITY__AUTH_TOKEN"]}
        assert httpx.post(url, json=ask("hello"), headers=headers, trust_env=False).text == EMPTY
