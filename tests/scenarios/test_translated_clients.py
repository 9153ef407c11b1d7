"""Real clients finish their work over a backend that speaks another format."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Proxies
from tests.support.clients import run_aider, run_claude, run_codex
from tests.support.processes import Simulator

pytestmark = pytest.mark.slow

CLAUDE, GPT = "claude-opus-4-8", "gpt-5.5"
TO_CLAUDE = {"MODELS__RULES": json.dumps([{"match": "gpt-*", "target": CLAUDE}])}
SCRIPT = 'const r = await tools.exec_command({"cmd": "echo hello-from-tool"}); text(r.output)'


def sent(simulator: Simulator, path: str) -> list[dict[str, Any]]:
    """The bodies of the requests that reached the upstream, which has answered each of them in full."""
    found = [entry for entry in simulator.requests() if str(entry["path"]).startswith(path)]
    assert {(entry["status"], entry["outcome"]) for entry in found} == {(200, "completed")}
    return [dict(entry["body_json"]) for entry in found]  # type: ignore[call-overload]


def test_codex_on_claude(proxies: Proxies, simulator: Simulator, home: Path) -> None:
    proxy = proxies.get()
    simulator.clear()
    prompt = 'sim:tool exec_command {"cmd": "echo hello-from-tool"}'
    assert "hello-from-tool" in run_codex(home, prompt, f"{proxy.url}/api/v1", "-m", CLAUDE)
    first, second = sent(simulator, "/v1/messages")
    assert first["stream"] is second["stream"] is True
    assert "hello-from-tool" in str(second["messages"][-1]["content"][0]["content"])
    assert second["messages"][: len(first["messages"])] == first["messages"]
    assert second["tools"] == first["tools"]


def test_codex_with_its_own_model_and_its_free_text_tool(
    proxies: Proxies, simulator: Simulator, home: Path
) -> None:
    """Its tools come in namespaces inside the input, and one takes a script instead of JSON."""
    proxy = proxies.get("serve", TO_CLAUDE)
    simulator.clear()
    prompt = f"sim:tool functions__exec {json.dumps({'input': SCRIPT})}"
    assert "hello-from-tool" in run_codex(home, prompt, f"{proxy.url}/api/v1")
    first, second = sent(simulator, "/v1/messages")
    assert first["model"] == CLAUDE
    assert "functions__exec" in [tool["name"] for tool in first["tools"]]
    assert "hello-from-tool" in str(second["messages"][-1])


def test_aider_on_claude(proxies: Proxies, simulator: Simulator, home: Path) -> None:
    """It writes the file that the model's answer holds; the simulator repeats what it is told."""
    proxy = proxies.get()
    simulator.clear()
    file = "hello.py\n```\nprint('hello')\n```\n"
    run_aider(home, file, f"{proxy.url}/api/v1", f"openai/{CLAUDE}")
    assert (home / "work" / "hello.py").read_text().strip() == "print('hello')"
    (body,) = sent(simulator, "/v1/messages")
    assert body["system"]


def test_claude_code_on_openai(proxies: Proxies, simulator: Simulator, home: Path) -> None:
    proxy = proxies.get()
    simulator.clear()
    prompt = 'sim:tool Bash {"command": "echo hello-from-tool", "description": "Say hello"}'
    environment = {"ANTHROPIC_BASE_URL": f"{proxy.url}/openai", "ANTHROPIC_API_KEY": "sk-ant-api03-client"}
    printed = run_claude(home, prompt, environment, "--model", GPT, "--allowedTools", "Bash")
    assert "hello-from-tool" in printed
    first, second = sent(simulator, "/openai/v1/responses")
    assert first["stream"] is second["stream"] is True
    assert "x-anthropic-billing-header" not in json.dumps(first)
    assert "hello-from-tool" in str(second["input"][-1])
    assert second["input"][: len(first["input"])] == first["input"]
    assert second["instructions"] == first["instructions"]


def test_claude_code_unaware_on_openai(proxies: Proxies, simulator: Simulator, home: Path) -> None:
    """It believes that it talks to api.anthropic.com, and GPT answers."""
    rules = [{"match": "claude-*", "target": GPT}]
    settings = {"INTERCEPT__HOSTS": '{"api.anthropic.com": "openai"}', "MODELS__RULES": json.dumps(rules)}
    proxy = proxies.get("serve", settings)
    simulator.clear()
    prompt = 'sim:tool Bash {"command": "echo hello-from-tool", "description": "Say hello"}'
    environment = {
        "HTTPS_PROXY": proxy.proxy_url,
        "NODE_EXTRA_CA_CERTS": str(proxy.ca),
        "ANTHROPIC_API_KEY": "sk-ant-api03-client",
    }
    assert "hello-from-tool" in run_claude(home, prompt, environment, "--allowedTools", "Bash")
    first, second = sent(simulator, "/openai/v1/responses")
    assert first["model"] == GPT
    assert "hello-from-tool" in str(second["input"][-1])
