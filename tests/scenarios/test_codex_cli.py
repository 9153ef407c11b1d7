"""The Codex CLI, the newest and an old one, finishes a conversation with a tool through us.

It has a ChatGPT login of its own, with another account than the proxy's: whose account reaches the upstream
shows whose credential was used.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Proxies
from tests.support.chatgpt import ACCOUNT
from tests.support.clients import (
    CLIENT_ACCOUNT,
    codex_login,
    codex_provider,
    run_codex_login,
    witness,
)
from tests.support.processes import Proxy, Simulator

pytestmark = pytest.mark.slow

PROMPT, SAID = "sim:tool", "hello from the simulator"
NEWEST, VERSIONS = "codex", ["codex", "codex-0.98"]
WITH_LOGIN, WITH_SOCKETS = "requires_openai_auth=true", "supports_websockets=true"
POLICIES = {"observe": {}, "credentials": {"INTERCEPT__HOSTS": '{"chatgpt.com": "credentials"}'}}
OFF = {"CODEX__WEBSOCKET": "off"}
ON_CLAUDE = {
    "INTERCEPT__HOSTS": '{"chatgpt.com": "api"}',
    "MODELS__RULES": '[{"match": "gpt-*", "target": "claude-opus-4-8"}]',
}
SHELL = json.dumps({"cmd": f"echo {SAID}"})
SCRIPT = json.dumps({"input": f"const r = await tools.exec_command({SHELL}); text(r.output)"})
CALLS = {"codex": f"sim:tool functions__exec {SCRIPT}", "codex-0.98": f"sim:tool exec_command {SHELL}"}
"""Prompts that name the tool as it is called upstream of a translation."""

MASKED = {"host", "authorization", "chatgpt-account-id"}
"""Request headers that need not arrive as they were sent."""


def trusting(url: str, ca: Path) -> dict[str, str]:
    """The environment of a CLI that knows nothing of us but its proxy."""
    return {"HTTPS_PROXY": url, "SSL_CERT_FILE": str(ca)}


def posts(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        request
        for request in requests
        if request["method"] == "POST" and request["path"].endswith("/responses")
    ]


def sockets(simulator: Simulator) -> list[dict[str, Any]]:
    return [request for request in simulator.requests() if request["websocket"]]


def check_account(requests: list[dict[str, Any]], login: Path) -> None:
    """They came with the token of this login, and with its account."""
    tokens = json.loads(login.read_text())["tokens"]
    for request in requests:
        headers = dict(request["headers"])
        assert headers["authorization"] == f"Bearer {tokens['access_token']}"
        assert headers["chatgpt-account-id"] == tokens["account_id"]


def check_posts(
    simulator: Simulator, sent: list[dict[str, Any]], prefix: str, to: str
) -> list[dict[str, Any]]:
    """Two requests, the second with the tool's result; each arrived as it was sent, byte for byte."""
    received = posts(simulator.requests())
    assert [(request["status"], request["outcome"]) for request in received] == [(200, "completed")] * 2
    for theirs, ours in zip(posts(sent), received, strict=True):
        assert ours["body"] == theirs["body"]
        assert len(base64.b64decode(ours["body"])) > 5_000
        assert ours["path"] == to + theirs["path"].removeprefix(prefix)
        assert headers_of(ours) == headers_of(theirs)
        check_body(ours["body_json"], dict(ours["headers"]))
    assert SAID in str(received[1]["body_json"]["input"][-1])
    return received


def headers_of(request: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Names in lower case: over HTTP/2 there are no others."""
    return {(name.lower(), value) for name, value in request["headers"] if name.lower() not in MASKED}


def check_body(body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    assert (body["store"], body["stream"]) == (False, True)
    assert body["prompt_cache_key"] == headers.get("session-id", headers.get("session_id"))
    assert headers["originator"] == "codex_exec"


@pytest.mark.parametrize("version", VERSIONS)
def test_by_base_url(host: str, version: str, proxies: Proxies, simulator: Simulator, home: Path) -> None:
    proxy = proxies.get(host)
    simulator.clear()
    with witness(home, f"reverse:{proxy.url}") as front:
        provider = codex_provider(f"{front.url}/codex", WITH_LOGIN)
        assert SAID in run_codex_login(version, home, PROMPT, *provider)
        received = check_posts(simulator, front.seen(), "/codex", "/backend-api/codex")
        check_account(posts(front.seen()), codex_login(home))
    check_account(received, proxies.login)
    assert CLIENT_ACCOUNT not in str(simulator.requests())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("policy", POLICIES)
def test_through_https_proxy(
    version: str, policy: str, proxies: Proxies, simulator: Simulator, home: Path
) -> None:
    """Unmodified and unaware: it compresses what it sends. The newest one asks for a WebSocket only once."""
    proxy = proxies.get("serve", POLICIES[policy] | OFF)
    simulator.clear()
    with witness(home, f"upstream:{proxy.proxy_url}", proxy.ca) as front:
        assert SAID in run_codex_login(version, home, PROMPT, environment=trusting(front.url, front.ca))
        received = check_posts(simulator, front.seen(), "", "")
        upgrades = [request for request in front.seen() if "websocket" in dict(request["headers"]).values()]
    assert [dict(request["headers"])["content-encoding"] for request in received] == ["zstd"] * 2
    check_account(received, codex_login(home) if policy == "observe" else proxies.login)
    assert len(upgrades) == (1 if version == NEWEST else 0)
    assert not sockets(simulator)


def check_socket(simulator: Simulator, login: Path) -> None:
    """One socket: a warm-up, the question and the tool's result, each going on from the one before."""
    [opened] = sockets(simulator)
    assert not posts(simulator.requests())
    check_account([opened], login)
    assert opened["status"] == 101
    messages = [json.loads(message) for message in opened["messages"]]
    assert [message["type"] for message in messages] == ["response.create"] * 3
    assert [message.get("generate") for message in messages] == [False, None, None]
    assert [bool(message.get("previous_response_id")) for message in messages] == [False, True, True]
    assert SAID in str(messages[2]["input"])
    headers = dict(opened["headers"])
    assert headers["openai-beta"].startswith("responses_websockets=")
    for message in messages:
        check_body(message, headers)


def check_recorded(proxy: Proxy, before: int, path: str) -> None:
    """A line for each turn, and the plan's windows as the frames told them."""
    lines = re.findall(rf"WS {path} -> 101 (\S+) (\d+) in, (\d+) out", proxy.process.output[before:])
    assert len(lines) == 3
    assert all(int(tokens) > 0 for _, *counts in lines[1:] for tokens in counts)
    codex = httpx.get(f"{proxy.url}/quota", trust_env=False).json()["codex"]
    assert {window["name"]: window["used"] for window in codex["windows"] if not window.get("model")} == {
        "5h": 0.125,
        "7d": 0.4,
    }
    # no header says it
    assert codex["plan"] == "plus"


@pytest.mark.parametrize("policy", POLICIES)
def test_websocket_through_https_proxy(
    policy: str, proxies: Proxies, simulator: Simulator, home: Path
) -> None:
    proxy = proxies.get("serve", POLICIES[policy])
    before, begun = len(proxy.process.output), datetime.now(UTC).replace(microsecond=0)
    simulator.clear()
    environment = trusting(proxy.proxy_url, proxy.ca)
    assert SAID in run_codex_login(NEWEST, home, PROMPT, environment=environment)
    check_socket(simulator, codex_login(home) if policy == "observe" else proxies.login)
    check_recorded(proxy, before, "https://[^/]*/backend-api/codex/responses")
    seen = httpx.get(f"{proxy.url}/quota", trust_env=False).json()["codex"]["seen_at"]
    assert datetime.fromisoformat(seen) >= begun
    # who it is, and where its workspace lives, it asks as itself
    [check] = [r for r in simulator.requests() if str(r["path"]).endswith("/wham/accounts/check")]
    assert check["status"] == 200
    check_account([check], codex_login(home))


def test_websocket_by_base_url(served: Proxy, simulator: Simulator, proxies: Proxies, home: Path) -> None:
    before = len(served.process.output)
    simulator.clear()
    provider = codex_provider(f"{served.url}/codex", WITH_LOGIN, WITH_SOCKETS)
    assert SAID in run_codex_login(NEWEST, home, PROMPT, *provider)
    check_socket(simulator, proxies.login)
    check_recorded(served, before, "/codex/responses")
    assert CLIENT_ACCOUNT not in str(simulator.requests())


def test_websocket_switched_off(proxies: Proxies, simulator: Simulator, home: Path) -> None:
    """Refused once and at once, it goes on over HTTP."""
    proxy = proxies.get("serve", OFF)
    before = len(proxy.process.output)
    simulator.clear()
    provider = codex_provider(f"{proxy.url}/codex", WITH_LOGIN, WITH_SOCKETS)
    assert SAID in run_codex_login(NEWEST, home, PROMPT, *provider)
    assert proxy.process.output[before:].count("GET /codex/responses -> 426 no_websocket") == 1
    assert [request["status"] for request in posts(simulator.requests())] == [200, 200]
    assert not sockets(simulator)


@pytest.fixture
def without_sockets(simulator: Simulator) -> Iterator[None]:
    """The upstream itself has no WebSocket."""
    url = f"{simulator.url}/_simulator/codex"
    httpx.post(url, json={"websocket": False}, trust_env=False).raise_for_status()
    yield
    httpx.post(url, json={"websocket": True}, trust_env=False).raise_for_status()


@pytest.mark.usefixtures("without_sockets")
@pytest.mark.parametrize("door", ["base URL", "proxy"])
def test_websocket_refused_upstream(door: str, served: Proxy, simulator: Simulator, home: Path) -> None:
    """The refusal comes through, and it goes on over HTTP."""
    simulator.clear()
    if door == "proxy":
        options, environment = [], trusting(served.proxy_url, served.ca)
    else:
        options, environment = codex_provider(f"{served.url}/codex", WITH_LOGIN, WITH_SOCKETS), {}
    assert SAID in run_codex_login(NEWEST, home, PROMPT, *options, environment=environment)
    assert len(sockets(simulator)) == 1
    received = posts(simulator.requests())
    assert [request["status"] for request in received] == [200, 200]
    account = CLIENT_ACCOUNT if door == "proxy" else ACCOUNT
    assert {dict(request["headers"])["chatgpt-account-id"] for request in received} == {account}


@pytest.mark.parametrize("version", VERSIONS)
def test_unaware_on_claude(version: str, proxies: Proxies, simulator: Simulator, home: Path) -> None:
    """It believes that it talks to chatgpt.com, and Claude answers; there is no WebSocket to Claude."""
    proxy = proxies.get("serve", ON_CLAUDE)
    simulator.clear()
    environment = trusting(proxy.proxy_url, proxy.ca)
    assert SAID in run_codex_login(version, home, CALLS[version], environment=environment)
    asked = [request for request in simulator.requests() if request["path"] == "/v1/messages"]
    assert [request["status"] for request in asked] == [200, 200]
    assert CLIENT_ACCOUNT not in str(asked)
    assert not posts(simulator.requests())
    assert not sockets(simulator)
    # what is no part of the API it still asks as itself
    others = [request for request in simulator.requests() if "/wham/" in str(request["path"])]
    assert bool(others) == (version == NEWEST)
    check_account(others, codex_login(home))
