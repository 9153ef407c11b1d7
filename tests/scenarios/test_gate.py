"""Who may speak, on both listeners, in every host."""

import base64
import socket
from pathlib import Path

import anthropic
import httpx
import openai
import pytest

from tests.conftest import Proxies
from tests.support.processes import (
    BIN,
    ROOT,
    Proxy,
    Simulator,
    clean_environment,
    command,
    free_port,
    started,
    wait_until_ready,
)
from tests.support.sockets import port_of, receive_until

TOKEN = "the-token-of-this-proxy"
BODY = {"model": "claude-opus-4-8", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
VERSION = {"anthropic-version": "2023-06-01"}


@pytest.fixture
def guarded(host: str, proxies: Proxies) -> Proxy:
    """A proxy with a token and an allowed web origin."""
    origins = '["https://app.example"]'
    return proxies.get(host, {"SECURITY__AUTH_TOKEN": TOKEN, "SECURITY__ALLOWED_ORIGINS": origins})


def post(proxy: Proxy, path: str = "/api/v1/messages", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{proxy.url}{path}", json=BODY, headers={**VERSION, **named}, trust_env=False)


def test_a_foreign_host_is_refused(proxy: Proxy, simulator: Simulator) -> None:
    simulator.clear()
    answer = post(proxy, host="evil.example:8000")
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (403, "host_not_allowed")
    assert answer.json()["error"]["type"] == "permission_error"
    assert "security.allowed_hosts" in answer.json()["error"]["message"]
    assert post(proxy, host="localhost.evil.example").status_code == 403
    assert post(proxy, host="").status_code in (400, 403)
    assert simulator.requests() == []
    for name in ("localhost", "127.0.0.1:1", "[::1]:8000"):
        assert post(proxy, host=name).status_code == 200


def test_a_foreign_page_is_refused(proxy: Proxy, simulator: Simulator) -> None:
    simulator.clear()
    for origin in ("https://evil.example", "null", "http://localhost:1", "https://localhost.evil.example"):
        answer = post(proxy, origin=origin)
        assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (403, "origin_not_allowed")
        assert "access-control-allow-origin" not in answer.headers
    for site in ("cross-site", "same-site"):
        answer = post(proxy, sec_fetch_site=site)
        assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (403, "cross_site")
    assert simulator.requests() == []
    assert post(proxy, origin=proxy.url).status_code == 200
    assert post(proxy, sec_fetch_site="same-origin").status_code == 200


def test_an_allowed_page_may_ask_and_read(guarded: Proxy) -> None:
    origin = "https://app.example"
    preflight = httpx.options(
        f"{guarded.url}/api/v1/messages",
        headers={
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "x-api-key",
            "sec-fetch-site": "cross-site",
        },
        trust_env=False,
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == origin
    assert preflight.headers["access-control-allow-headers"] == "x-api-key"
    answer = post(guarded, origin=origin, sec_fetch_site="cross-site", x_api_key=TOKEN)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin
    refused = httpx.options(
        f"{guarded.url}/api/v1/messages",
        headers={"origin": "https://evil.example", "access-control-request-method": "POST"},
        trust_env=False,
    )
    assert refused.status_code == 403


def test_without_the_token(guarded: Proxy, simulator: Simulator) -> None:
    simulator.clear()
    wrong: tuple[dict[str, str], ...] = (
        {},
        {"x_api_key": "wrong"},
        {"authorization": "Bearer wrong"},
        {"authorization": f"x{TOKEN}"},
    )
    for headers in wrong:
        answer = post(guarded, **headers)
        assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (401, "unauthorized")
    for path in ("/", "/health", "/health/ready", "/api/status", "/nope"):
        answer = httpx.get(f"{guarded.url}{path}", trust_env=False)
        assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (401, "unauthorized")
    assert simulator.requests() == []
    assert TOKEN not in guarded.process.output


def test_what_is_open_without_the_token(guarded: Proxy) -> None:
    assert httpx.get(f"{guarded.url}/health/live", trust_env=False).status_code == 200
    assert httpx.head(f"{guarded.url}/", trust_env=False).status_code == 200
    callback = httpx.get(f"{guarded.url}/oauth/callback", trust_env=False)
    assert callback.headers.get("x-ccproxy-error") != "unauthorized"


def test_with_the_token_and_it_goes_no_further(guarded: Proxy, simulator: Simulator) -> None:
    for headers in ({"x_api_key": TOKEN}, {"authorization": f"Bearer {TOKEN}"}):
        simulator.clear()
        assert post(guarded, **headers).status_code == 200
        assert TOKEN not in str(simulator.requests())


def test_the_sdks_raise_what_they_should(guarded: Proxy) -> None:
    with (
        anthropic.Anthropic(base_url=f"{guarded.url}/api", api_key="no", max_retries=0) as claude,
        pytest.raises(anthropic.AuthenticationError) as refused,
    ):
        claude.messages.create(**BODY)  # type: ignore[call-overload]
    assert refused.value.type == "authentication_error"
    assert "security.auth_token" in refused.value.message
    with (
        openai.OpenAI(base_url=f"{guarded.url}/openai/v1", api_key="no", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as other,
    ):
        client.chat.completions.create(model="m", messages=[])
    assert (other.value.code, other.value.type) == ("unauthorized", "authentication_error")
    with anthropic.Anthropic(base_url=f"{guarded.url}/api", api_key=TOKEN, max_retries=0) as claude:
        assert claude.messages.create(**BODY).stop_reason == "end_turn"  # type: ignore[call-overload]


def test_the_proxy_listener_asks_for_the_token(guarded: Proxy, simulator: Simulator) -> None:
    tries = (("", b" 407 "), ("ccproxy:wrong", b" 407 "), (f"ccproxy:{TOKEN}", b" 200 "))
    for credentials, status in tries:
        assert status in connect(guarded, credentials, "api.anthropic.com:443")
    # plain requests to any host, too
    with httpx.Client(proxy=guarded.proxy_url, trust_env=False) as plain:
        answer = plain.get(f"{simulator.url}/v1/models")
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (407, "unauthorized")


def connect(proxy: Proxy, credentials: str, target: str) -> bytes:
    """The first answer to a CONNECT."""
    header = ""
    if credentials:
        basic = base64.b64encode(credentials.encode()).decode()
        header = f"Proxy-Authorization: Basic {basic}\r\n"
    port = port_of(proxy.proxy_url)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{header}\r\n".encode())
        return connection.recv(65536)


def test_a_rebound_name_on_the_proxy_listener(proxy: Proxy) -> None:
    """An origin-form request is meant for us; under another name it is an attack, not a proxy request."""
    port = port_of(proxy.proxy_url)
    answer = httpx.get(proxy.proxy_url, headers={"host": f"evil.example:{port}"}, trust_env=False)
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (403, "host_not_allowed")
    assert post_to(proxy.proxy_url).status_code == 200


def post_to(url: str) -> httpx.Response:
    return httpx.post(f"{url}/api/v1/messages", json=BODY, headers=VERSION, trust_env=False)


def test_our_own_address_through_our_own_proxy(proxy: Proxy) -> None:
    """A client with both a base URL and HTTP_PROXY set."""
    with httpx.Client(proxy=proxy.proxy_url, trust_env=False) as client:
        answer = client.post(f"{proxy.url}/api/v1/messages", json=BODY, headers=VERSION)
    assert answer.status_code == 200


@pytest.mark.parametrize("program", ["serve", "mitmdump", "mitmweb"])
def test_open_to_the_network_needs_a_token(home: Path, program: str) -> None:
    port = free_port()
    settings = {"SERVER__HOST": "0.0.0.0", "SERVER__PORT": str(port), "SERVER__PROXY_PORT": "0"}
    with started(command(program), home, settings) as process:
        process.child.wait(20)
        assert process.child.returncode == 1
        assert "security.auth_token" in process.output


@pytest.mark.parametrize("option", [["--listen-port"], ["--listen-host", "127.0.0.1", "--listen-port"]])
def test_a_port_of_the_users_own_stays_on_loopback(home: Path, option: list[str]) -> None:
    port = free_port()
    arguments = [str(BIN / "mitmdump"), *option, str(port), "-s", str(ROOT / "addons" / "ccproxy.py")]
    with started(arguments, home, {"SERVER__PORT": "1", "PYTHONUNBUFFERED": "1"}) as process:
        process.wait_for(rf"127\.0\.0\.1:{port}\.\n")
        wait_until_ready(process, port)
        bound = {line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]}
        assert f"0100007F:{port:04X}" in bound
        assert f"00000000:{port:04X}" not in bound


def test_a_listener_of_the_users_own_for_everybody_needs_a_token(home: Path) -> None:
    arguments = [str(BIN / "mitmdump"), "--listen-host", "0.0.0.0", "--listen-port", str(free_port())]
    with started([*arguments, "-s", str(ROOT / "addons" / "ccproxy.py")], home) as process:
        assert process.child.wait(20) == 1
        assert "security.auth_token" in process.output


def test_open_to_the_network_with_a_token(home: Path) -> None:
    port = free_port()
    settings = {
        "SERVER__HOST": "0.0.0.0",
        "SERVER__PORT": str(port),
        "SERVER__PROXY_PORT": "0",
        "SECURITY__AUTH_TOKEN": TOKEN,
    }
    with started(command("serve"), home, settings) as process:
        process.wait_for("ANTHROPIC_BASE_URL")
        headers = {"authorization": f"Bearer {TOKEN}"}
        assert httpx.get(f"http://127.0.0.1:{port}/", headers=headers, trust_env=False).status_code == 200
        assert httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).status_code == 401


def test_the_environment_of_a_child_is_clean(home: Path) -> None:
    assert set(clean_environment(home)) == {"HOME", "PATH", "LANG"}


def test_credentials_that_cannot_be_read_open_no_tunnel(guarded: Proxy) -> None:
    """Latin letters in the place of base64, in a tunnel and in a request of its own."""
    port = port_of(guarded.proxy_url)
    for line in ("CONNECT api.anthropic.com:443 HTTP/1.1", "GET http://localhost:1/ HTTP/1.1"):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            head = f"{line}\r\nHost: x\r\nProxy-Authorization: Basic \xe9\r\n\r\n"
            connection.sendall(head.encode("latin-1"))
            assert b" 407 " in receive_until(connection, b"}")


def test_an_error_can_be_read_by_an_allowed_page(guarded: Proxy) -> None:
    origin = "https://app.example"
    for path in ("/nowhere", "/api/v1/messages"):
        answer = httpx.post(
            f"{guarded.url}{path}",
            content=b"{",
            headers={"origin": origin, "authorization": f"Bearer {TOKEN}"},
            trust_env=False,
        )
        assert answer.status_code in (400, 404)
        assert answer.headers["access-control-allow-origin"] == origin


def test_a_login_may_come_back_from_the_providers_page(guarded: Proxy) -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    answer = httpx.get(f"{guarded.url}/oauth/callback?code=x&state=y", headers=headers, trust_env=False)
    assert answer.headers.get("x-ccproxy-error") not in ("cross_site", "unauthorized")
