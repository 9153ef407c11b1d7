"""Claude Code, unmodified, finishes a conversation with a tool through us.

It repeats a badly streamed answer without streaming and then prints the right text: so the number of the
requests that reached the upstream and their `stream` flag are what counts, not what it prints.
"""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Proxies
from tests.support.clients import Witness, run_claude, witness
from tests.support.processes import Proxy, Simulator

pytestmark = pytest.mark.slow

PROMPT = 'sim:tool Bash {"command": "echo hello-from-tool", "description": "Say hello"}'
KEY = {"ANTHROPIC_API_KEY": "sk-ant-api03-dummy-of-the-client"}
TOKEN = {"ANTHROPIC_AUTH_TOKEN": "sk-ant-oat01-dummy-of-the-client"}
LOGIN = {"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-dummy-of-the-client"}


def messages(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [request for request in requests if request["path"].startswith("/v1/messages")]


def check_tool_turn(simulator: Simulator, seen: Witness, prefix: str, printed: str) -> list[dict[str, Any]]:
    """Two streamed requests, the second with the tool's result, each as the client sent it."""
    assert "hello-from-tool" in printed
    received = messages(simulator.requests())
    assert [request["body_json"]["stream"] for request in received] == [True, True]
    assert [request["outcome"] for request in received] == ["completed", "completed"]
    assert [request["status"] for request in received] == [200, 200]
    assert "hello-from-tool" in str(received[1]["body_json"]["messages"][-2:])
    assert "tool_result" in str(received[1]["body_json"]["messages"])
    sent = [request for request in seen.seen() if request["path"].startswith(f"{prefix}/v1/messages")]
    assert [base64.b64decode(request["body"]) for request in received] == [
        base64.b64decode(request["body"]) for request in sent
    ]
    assert len(base64.b64decode(sent[0]["body"])) > 10_000
    for theirs, ours in zip(sent, received, strict=True):
        assert ours["path"] == theirs["path"].removeprefix(prefix)
        assert interesting(ours["headers"], set()) >= interesting(theirs["headers"], {"anthropic-beta"})
        # of the flags none is lost and at most the one that an OAuth token needs is added
        assert beta(ours) - beta(theirs) <= {"oauth-2025-04-20"}
        assert beta(theirs) <= beta(ours)
    return received


def interesting(headers: list[list[str]], left_out: set[str]) -> set[tuple[str, str]]:
    """The headers that an Anthropic upstream has to see unchanged."""
    prefixes = ("anthropic-", "x-claude-code-", "x-stainless-", "x-app", "user-agent", "x-client-")
    return {
        (name.lower(), value)
        for name, value in headers
        if name.lower().startswith(prefixes) and name.lower() not in left_out
    }


def beta(request: Mapping[str, Any]) -> set[str]:
    lines = [value for name, value in request["headers"] if name.lower() == "anthropic-beta"]
    return {flag.strip() for line in lines for flag in line.split(",")}


@pytest.mark.parametrize("credential", [KEY, TOKEN, LOGIN], ids=["key", "token", "login"])
def test_by_base_url(served: Proxy, simulator: Simulator, home: Path, credential: dict[str, str]) -> None:
    simulator.clear()
    with witness(home, f"reverse:{served.url}") as front:
        environment = {"ANTHROPIC_BASE_URL": f"{front.url}/api", **credential}
        printed = run_claude(home, PROMPT, environment, "--allowedTools", "Bash")
        received = check_tool_turn(simulator, front, "/api", printed)
    for request in received:
        assert "of-the-client" not in str(request["headers"])


@pytest.mark.parametrize("program", ["mitmdump", "mitmweb"])
def test_by_base_url_in_the_stock_tools(
    proxies: Proxies, simulator: Simulator, home: Path, program: str
) -> None:
    proxy = proxies.get(program)
    simulator.clear()
    with witness(home, f"reverse:{proxy.url}") as front:
        environment = {"ANTHROPIC_BASE_URL": f"{front.url}/api", **KEY}
        printed = run_claude(home, PROMPT, environment, "--allowedTools", "Bash")
        check_tool_turn(simulator, front, "/api", printed)


@pytest.mark.parametrize("credential", [KEY, LOGIN], ids=["key", "login"])
def test_through_https_proxy(
    host: str, proxies: Proxies, simulator: Simulator, home: Path, credential: dict[str, str]
) -> None:
    """Unmodified and unaware: it believes that it talks to api.anthropic.com."""
    proxy = proxies.get(host)
    simulator.clear()
    with witness(home, f"upstream:{proxy.proxy_url}", proxy.ca) as front:
        environment = {"HTTPS_PROXY": front.url, "NODE_EXTRA_CA_CERTS": str(front.ca), **credential}
        printed = run_claude(home, PROMPT, environment, "--allowedTools", "Bash")
        received = check_tool_turn(simulator, front, "", printed)
    for request in received:
        assert "of-the-client" in str(request["headers"])


def test_our_login_for_an_intercepted_client(proxies: Proxies, simulator: Simulator, home: Path) -> None:
    proxy = proxies.get("serve", {"INTERCEPT__HOSTS": '{"api.anthropic.com": "credentials"}'})
    simulator.clear()
    environment = {"HTTPS_PROXY": proxy.proxy_url, "NODE_EXTRA_CA_CERTS": str(proxy.ca), **KEY}
    assert "hello-from-tool" in run_claude(home, PROMPT, environment, "--allowedTools", "Bash")
    received = messages(simulator.requests())
    assert [request["body_json"]["stream"] for request in received] == [True, True]
    assert "of-the-client" not in str([request["headers"] for request in received])


def test_many_tools_at_once_and_thinking(served: Proxy, simulator: Simulator, home: Path) -> None:
    environment = {"ANTHROPIC_BASE_URL": f"{served.url}/api", **KEY}
    for prompt in ("sim:thinking", "sim:long 3000", "sim:unicode"):
        simulator.clear()
        assert run_claude(home, prompt, environment).strip()
        assert [r["body_json"]["stream"] for r in messages(simulator.requests())] == [True]
