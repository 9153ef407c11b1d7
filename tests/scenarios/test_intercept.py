"""The regular listener: provider hosts are read, every other host is left alone."""

import base64
import json
import socket
import ssl
from pathlib import Path

import anthropic
import httpx
import pytest

from tests.conftest import Behind, Proxies
from tests.support import upstreams
from tests.support.processes import Proxy, Simulator

BODY = b'{ "model": "claude-opus-4-8",\n "max_tokens":9,"messages":[{"role":"user","content":"x"}]}\n'
HEADERS = {
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "effort-2025-11-24",
    "x-api-key": "sk-ant-api03-of-the-client",
    "x-forwarded-for": "10.9.8.7",
    "content-type": "application/json",
}


def through(proxy: Proxy) -> httpx.Client:
    """A client that knows only HTTPS_PROXY and the CA."""
    context = ssl.create_default_context(cafile=str(proxy.ca))
    return httpx.Client(proxy=proxy.proxy_url, verify=context, trust_env=False)


def last(simulator: Simulator) -> dict[str, object]:
    return simulator.requests()[-1]


def test_observed_means_unchanged(proxy: Proxy, simulator: Simulator) -> None:
    simulator.reset()
    with through(proxy) as client:
        answer = client.post("https://api.anthropic.com/v1/messages?beta=true", content=BODY, headers=HEADERS)
    assert answer.status_code == 200
    entry = last(simulator)
    assert entry["path"] == "/v1/messages?beta=true"
    assert base64.b64decode(str(entry["body"])) == BODY
    sent = dict(entry["headers"])  # type: ignore[call-overload]
    assert {name: sent.get(name) for name in HEADERS} == HEADERS
    assert "x-ccproxy-request-id" not in answer.headers
    simulator.reset()
    direct = httpx.post(
        f"{simulator.url}/v1/messages?beta=true", content=BODY, headers=HEADERS, trust_env=False
    )
    assert answer.content == direct.content
    assert set(answer.headers) == set(direct.headers)


def test_observed_broken_requests_are_the_upstreams_business(proxy: Proxy, simulator: Simulator) -> None:
    with through(proxy) as client:
        answer = client.post("https://api.anthropic.com/v1/messages", content=b"{", headers=HEADERS)
    assert answer.status_code == 400
    assert "x-ccproxy-error" not in answer.headers
    assert base64.b64decode(str(last(simulator)["body"])) == b"{"


def test_our_credential_where_the_policy_says_so(host: str, proxies: Proxies, simulator: Simulator) -> None:
    proxy = proxies.get(host, {"INTERCEPT__HOSTS": '{"api.anthropic.com": "credentials"}'})
    simulator.clear()
    with through(proxy) as client:
        client.post("https://api.anthropic.com/v1/messages", content=BODY, headers=HEADERS).raise_for_status()
    assert "of-the-client" not in str(last(simulator))
    assert "sk-ant-api03-of-the-proxy" in str(last(simulator)["headers"])
    with through(proxy) as client:
        page = {**HEADERS, "origin": "https://evil.example"}
        refused = client.post("https://api.anthropic.com/v1/messages", content=BODY, headers=page)
    assert (refused.status_code, refused.headers["x-ccproxy-error"]) == (403, "origin_not_allowed")


def test_openai_by_its_own_name(proxies: Proxies, simulator: Simulator) -> None:
    """Observed with the client's key, and with ours, at the same place of the same upstream."""
    body = {"model": "gpt-5.5", "input": "hello"}
    for policy, key in (("observe", "sk-of-the-client"), ("credentials", "sk-of-the-proxy")):
        proxy = proxies.get("serve", {"INTERCEPT__HOSTS": json.dumps({"api.openai.com": policy})})
        simulator.clear()
        with through(proxy) as client:
            headers = {"authorization": "Bearer sk-of-the-client"}
            answer = client.post("https://api.openai.com/v1/responses", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        assert last(simulator)["path"] == "/openai/v1/responses"
        assert ["authorization", f"Bearer {key}"] in list(last(simulator)["headers"])  # type: ignore[call-overload]


def test_another_backend_answers(proxies: Proxies, simulator: Simulator) -> None:
    """A tool that is hard-wired to OpenAI runs on Claude, and the other way round."""
    hosts = {"api.openai.com": "api", "api.anthropic.com": "openai"}
    rules = [{"match": "gpt-*", "target": "claude-opus-4-8"}, {"match": "claude-*", "target": "gpt-5.5"}]
    settings = {"INTERCEPT__HOSTS": json.dumps(hosts), "MODELS__RULES": json.dumps(rules)}
    proxy = proxies.get("serve", settings)
    simulator.clear()
    with through(proxy) as client:
        chat = {"model": "gpt-5.5", "messages": [{"role": "user", "content": "hello"}]}
        answer = client.post("https://api.openai.com/v1/chat/completions", json=chat).json()
        assert answer["choices"][0]["message"]["content"] == "hello"
        assert answer["model"] == "gpt-5.5"
        message = client.post(
            "https://api.anthropic.com/v1/messages?beta=true", content=BODY, headers=HEADERS
        )
        assert message.json()["content"][0]["text"] == "x"
        refused = client.get("https://api.openai.com/v1/files")
        assert (refused.status_code, refused.headers["x-ccproxy-error"]) == (404, "unknown_route")
    assert [entry["path"] for entry in simulator.requests()] == ["/v1/messages", "/openai/v1/responses"]
    assert "of-the-client" not in str(simulator.requests())


def test_a_policy_for_a_backend_that_is_switched_off(proxies: Proxies) -> None:
    hosts = '{"api.openai.com": "codex"}'
    proxy = proxies.get("serve", {"CODEX__ENABLED": "false", "INTERCEPT__HOSTS": hosts})
    with through(proxy) as client:
        answer = client.post("https://api.openai.com/v1/responses", json={"model": "m", "input": "x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (501, "not_available")


def test_the_sdk_through_https_proxy(proxy: Proxy, simulator: Simulator) -> None:
    http_client = anthropic.DefaultHttpxClient(
        proxy=proxy.proxy_url, verify=ssl.create_default_context(cafile=str(proxy.ca)), trust_env=False
    )
    with anthropic.Anthropic(api_key="sk-ant-api03-x", http_client=http_client, max_retries=0) as client:
        with client.messages.stream(
            model="claude-opus-4-8", max_tokens=99, messages=[{"role": "user", "content": "sim:unicode"}]
        ) as stream:
            assert "".join(stream.text_stream)


def test_an_observed_upstream_that_dies_still_gives_an_error_to_read(behind: Behind, host: str) -> None:
    with through(behind.proxy(upstreams.close_without_answer, host)) as client:
        answer = client.post("https://api.anthropic.com/v1/messages", content=BODY, headers=HEADERS)
    assert answer.status_code == 502
    assert answer.json()["error"]["type"] == "api_error"


def test_other_hosts_are_tunnelled_untouched(proxy: Proxy, tls_server: tuple[int, Path]) -> None:
    """The client sees the server's own certificate, which our CA has not signed."""
    port, certificate = tls_server
    context = ssl.create_default_context(cafile=str(certificate))
    with httpx.Client(proxy=proxy.proxy_url, verify=context, trust_env=False) as client:
        assert client.get(f"https://localhost:{port}/").text == "untouched"


def test_plain_requests_to_other_hosts_pass(proxy: Proxy, simulator: Simulator) -> None:
    simulator.clear()
    with httpx.Client(proxy=proxy.proxy_url, trust_env=False) as client:
        answer = client.post(
            f"{simulator.url}/v1/messages", content=BODY, headers={**HEADERS, "cookie": "a=1"}
        )
    assert answer.status_code == 200
    sent = dict(last(simulator)["headers"])  # type: ignore[call-overload]
    assert (sent["x-api-key"], sent["cookie"]) == ("sk-ant-api03-of-the-client", "a=1")
    assert "proxy-connection" not in sent
    assert json.loads(answer.content)["type"] == "message"


@pytest.fixture(scope="session")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path]:
    """A web server with a certificate of its own for localhost."""
    context, authority = upstreams.tls_context("localhost", tmp_path_factory.mktemp("tls"))

    def greet(connection: socket.socket) -> None:
        upstreams.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nuntouched")

    made = upstreams.Upstream(greet, context)
    made.thread.start()
    return made.port, authority


def test_cookies_of_the_provider_reach_an_observed_client(host: str, behind: Behind) -> None:
    """Whatever the answer is: they are only masked where somebody looks."""
    body = b'{"type":"message"}'
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nset-cookie: a=1\r\n"
    answer = head + b"content-length: %d\r\n\r\n" % len(body) + body

    def with_cookie(connection: socket.socket) -> None:
        upstreams.read_request(connection)
        connection.sendall(answer)

    proxy = behind.proxy(with_cookie, host)
    with through(proxy) as client:
        for path in ("/v1/messages", "/v1/other"):
            seen = client.post(f"https://api.anthropic.com{path}", content=BODY, headers=HEADERS)
            assert seen.headers["set-cookie"] == "a=1"
    ours = httpx.post(f"{proxy.url}/api/v1/messages", content=BODY, headers=HEADERS, trust_env=False)
    assert "set-cookie" not in ours.headers


def test_a_long_upload_that_is_only_observed(host: str, proxies: Proxies, simulator: Simulator) -> None:
    """Longer than what we would hold, and nobody said so before."""
    proxy = proxies.get(host, {"SERVER__BODY_LIMIT": "10k"})
    simulator.clear()
    body = BODY + b" " * 50_000
    pieces = (body[i : i + 4096] for i in range(0, len(body), 4096))
    with through(proxy) as client:
        answer = client.post("https://api.anthropic.com/v1/messages", content=pieces, headers=HEADERS)
    assert answer.status_code == 200
    assert base64.b64decode(str(last(simulator)["body"])) == body


def test_a_host_in_capitals_is_the_same_host(proxy: Proxy, simulator: Simulator) -> None:
    simulator.clear()
    with through(proxy) as client:
        client.post("https://API.ANTHROPIC.COM/v1/messages", content=BODY, headers=HEADERS)
    assert last(simulator)["path"] == "/v1/messages"
