"""Every error of ours that is neither the gate's nor a dead upstream's, as the official SDKs raise it."""

import json
import socket
import time
from pathlib import Path

import anthropic
import httpx
import openai
import pytest

from tests.conftest import Proxies
from tests.support.processes import Proxy, Simulator
from tests.support.sockets import port_of, receive_until

BODY = {"model": "claude-opus-4-8", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
VERSION = {"anthropic-version": "2023-06-01", "content-type": "application/json"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"[1]", "object"),
        (b'"x"', "object"),
        (b'{"model": NaN}', "malformed"),
        (b'{"model": "a",}', "malformed"),
        (b'{"model": "\xff"}', ""),
    ],
)
def test_broken_json(proxy: Proxy, simulator: Simulator, content: bytes, words: str) -> None:
    simulator.clear()
    answer = httpx.post(f"{proxy.url}/api/v1/messages", content=content, headers=VERSION, trust_env=False)
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (400, "invalid_json")
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert "not a JSON object" in error["message"]
    assert words in error["message"]
    theirs = httpx.post(f"{proxy.url}/openai/v1/responses", content=content, trust_env=False)
    assert (theirs.status_code, theirs.json()["error"]["code"]) == (400, "invalid_json")
    assert simulator.requests() == []


def test_unknown_route(proxy: Proxy) -> None:
    with anthropic.Anthropic(base_url=f"{proxy.url}/nowhere", api_key="x", max_retries=0) as claude:
        with pytest.raises(anthropic.NotFoundError) as caught:
            claude.messages.create(**BODY)  # type: ignore[call-overload]
    assert caught.value.type == "not_found_error"
    assert "POST /nowhere/v1/messages" in caught.value.message
    with openai.OpenAI(base_url=f"{proxy.url}/nowhere", api_key="x", max_retries=0) as client:
        with pytest.raises(openai.NotFoundError) as other:
            client.chat.completions.create(model="m", messages=[])
    assert (other.value.code, other.value.type) == ("unknown_route", "invalid_request_error")
    assert httpx.get(f"{proxy.url}/nowhere", trust_env=False).json()["error"]["type"] == "unknown_route"


def test_a_backend_that_is_switched_off(proxies: Proxies) -> None:
    rules = '[{"match": "*", "target": "m", "backend": "codex"}]'
    proxy = proxies.get(settings={"CODEX__ENABLED": "false", "MODELS__RULES": rules})
    with openai.OpenAI(base_url=f"{proxy.url}/api/v1", api_key="x", max_retries=0) as client:
        with pytest.raises(openai.APIStatusError) as caught:
            client.chat.completions.create(model="m", messages=[])
    assert (caught.value.status_code, caught.value.code) == (501, "not_available")


@pytest.mark.parametrize("chunked", [False, True])
def test_body_too_large(host: str, proxies: Proxies, simulator: Simulator, chunked: bool) -> None:
    small = proxies.get(host, {"SERVER__BODY_LIMIT": "10k"})
    simulator.clear()
    body = json.dumps({**BODY, "messages": [{"role": "user", "content": "x" * 50_000}]}).encode()
    pieces = (body[i : i + 4096] for i in range(0, len(body), 4096))
    answer = httpx.post(
        f"{small.url}/api/v1/messages", content=pieces if chunked else body, headers=VERSION, trust_env=False
    )
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (413, "body_too_large")
    assert answer.json()["error"]["type"] == "request_too_large"
    assert "10240" in answer.json()["error"]["message"]
    assert "server.body_limit" in answer.json()["error"]["message"]
    with anthropic.Anthropic(base_url=f"{small.url}/api", api_key="x", max_retries=0) as claude:
        with pytest.raises(anthropic.RequestTooLargeError):
            claude.messages.create(**json.loads(body))
        assert claude.messages.create(**BODY).stop_reason == "end_turn"  # type: ignore[call-overload]
    assert len(simulator.requests()) == 1


def test_a_refusal_does_not_wait_for_the_body(proxy: Proxy) -> None:
    """The answer comes while the client still uploads, and the upload may go on."""
    port = port_of(proxy.url)
    head = b"POST /nowhere HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 5000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(head + b"x" * 1000)
        assert b" 404 " in receive_until(connection, b"lists the routes")
        connection.sendall(b"x" * (5_000_000 - 1000))
        connection.sendall(b"GET /health/live HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        assert b" 200 " in receive_until(connection, b"pass")


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"CLAUDE__API_KEY": ""}, "no_credential", "CLAUDE__API_KEY"),
        ({"CLAUDE__CREDENTIALS": "off"}, "no_credential", "switched off"),
        (
            {"CLAUDE__API_KEY": "", "CLAUDE__CREDENTIALS": "client"},
            "no_credential",
            "client sent no credential",
        ),
    ],
)
def test_no_credential(proxies: Proxies, settings: dict[str, str], code: str, words: str) -> None:
    proxy = proxies.get(settings=settings)
    answer = httpx.post(f"{proxy.url}/api/v1/messages", json=BODY, headers=VERSION, trust_env=False)
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (401, code)
    assert answer.json()["error"]["type"] == "authentication_error"
    assert words in answer.json()["error"]["message"]
    if "CLAUDE__CREDENTIALS" not in settings:
        with anthropic.Anthropic(base_url=f"{proxy.url}/api", api_key="x", max_retries=0) as claude:
            with pytest.raises(anthropic.AuthenticationError):
                claude.messages.create(**BODY)  # type: ignore[call-overload]


def test_no_openai_credential(proxies: Proxies) -> None:
    proxy = proxies.get("serve", {"OPENAI__API_KEY": ""})
    with openai.OpenAI(base_url=f"{proxy.url}/openai/v1", api_key="x", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as caught:
            client.responses.create(model="m", input="x")
    assert caught.value.code == "no_credential"
    assert "OPENAI__API_KEY" in caught.value.message


def test_an_expired_login(tmp_path: Path, proxies: Proxies) -> None:
    login = tmp_path / "login.json"
    oauth = {"accessToken": "sk-ant-oat01-x", "expiresAt": (time.time() - 5) * 1000}
    login.write_text(json.dumps({"claudeAiOauth": oauth}))
    proxy = proxies.get("serve", {"CLAUDE__API_KEY": "", "CLAUDE__CREDENTIALS_PATH": str(login)})
    answer = httpx.post(f"{proxy.url}/api/v1/messages", json=BODY, headers=VERSION, trust_env=False)
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (401, "credential_expired")
    assert "ccproxy auth login" in answer.json()["error"]["message"]
    assert str(tmp_path) not in answer.text


def test_not_http(proxy: Proxy) -> None:
    """A header block that could smuggle a second request."""
    port = port_of(proxy.url)
    smuggled = (
        b"POST /api/v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 5\r\n"
        b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(smuggled)
        answer = receive_until(connection, b"never there")
    assert b" 400 " in answer
    assert b'"type":"invalid_request_error"' in answer
    assert httpx.get(f"{proxy.url}/health/live", trust_env=False).status_code == 200


def test_head_gets_no_body(proxy: Proxy) -> None:
    """Else the next answer on the connection would begin with it."""
    with socket.create_connection(("127.0.0.1", port_of(proxy.url))) as connection:
        for path in ("/nowhere", "/api/v1/files"):
            connection.sendall(f"HEAD {path} HTTP/1.1\r\nhost: evil.example\r\n\r\n".encode())
            assert receive_until(connection, b"\r\n\r\n").endswith(b"\r\n\r\n")
        connection.sendall(b"GET /health/live HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        assert receive_until(connection, b"pass").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("head", [b"content-length: abc", b"content-length: 1\r\ncontent-length: 2"])
def test_a_head_that_makes_no_sense(proxy: Proxy, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port_of(proxy.url))) as connection:
        connection.sendall(b"POST /api/v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\n" + head + b"\r\n\r\n")
        assert b" 400 " in receive_until(connection, b"never there")
    assert httpx.get(f"{proxy.url}/health/live", trust_env=False).status_code == 200
    assert "crashed" not in proxy.process.output


def test_the_absolute_form(proxy: Proxy) -> None:
    """As a client sends it that takes us for a proxy."""
    with socket.create_connection(("127.0.0.1", port_of(proxy.url))) as connection:
        url = f"{proxy.url}/health/live"
        connection.sendall(f"GET {url} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode())
        assert receive_until(connection, b"pass").startswith(b"HTTP/1.1 200 ")


def test_a_request_nested_too_deeply(proxy: Proxy) -> None:
    deep = b'{"model":' + b"[" * 50_000
    for path in ("/api/v1/messages", "/api/v1/chat/completions"):
        answer = httpx.post(f"{proxy.url}{path}", content=deep, headers=VERSION, trust_env=False)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"]
    assert "Traceback" not in proxy.process.output
