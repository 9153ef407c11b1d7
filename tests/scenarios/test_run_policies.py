"""`ccproxy run --policy BACKEND`: clients that know nothing of us are answered by another provider."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Proxies, upstream_settings
from tests.support.chatgpt import write_login
from tests.support.clients import (
    CLIENT_ACCOUNT,
    CODEX_ENVIRONMENT,
    QUIET,
    codex_command,
    codex_login,
    program,
    run_client,
)
from tests.support.processes import BIN, Simulator, free_port

pytestmark = pytest.mark.slow

CLAUDE, GPT = "claude-opus-4-8", "gpt-5.5"
SAY_HELLO = '{"command": "echo hello-from-tool", "description": "Say hello"}'
PROGRAM = """
import json, openai
client = openai.OpenAI(max_retries=0)
function = {"name": "add", "parameters": {"type": "object", "properties": {"a": {"type": "number"}}}}
options = {"model": "gpt-5.5", "tools": [{"type": "function", "function": function}]}
turns = [{"role": "user", "content": 'sim:tool add {"a": 1}'}]
with client.chat.completions.stream(messages=turns, **options) as stream:
    first = stream.get_final_completion().choices[0]
(call,) = first.message.tool_calls
assert json.loads(call.function.arguments) == {"a": 1}
said = {"role": "assistant", "tool_calls": [call.model_dump(exclude={"function": {"parsed_arguments"}})]}
turns += [said, {"role": "tool", "tool_call_id": call.id, "content": "the sum is 42"}]
with client.chat.completions.stream(messages=turns, **options) as stream:
    print(first.finish_reason, stream.get_final_completion().choices[0].finish_reason)
"""


def run(
    policy: str, rule: tuple[str, str], command: list[str], home: Path, environment: Mapping[str, str]
) -> str:
    """A client behind a proxy of its own; returns what it printed."""
    ports = {"SERVER__PORT": str(free_port()), "SERVER__PROXY_PORT": str(free_port())}
    rules = {"MODELS__RULES": json.dumps([{"match": rule[0], "target": rule[1]}])}
    line = [str(BIN / "ccproxy"), "run", "--policy", policy, "--", *command]
    return run_client(line, home, {**ports, **rules, **environment})


def sent(simulator: Simulator, path: str, others: str) -> list[dict[str, Any]]:
    """The bodies that this upstream got; the client's own provider got nothing."""
    requests: list[dict[str, Any]] = simulator.requests()
    assert not [request for request in requests if request["path"].startswith(others)]
    found = [request for request in requests if request["path"].startswith(path)]
    assert {request["status"] for request in found} == {200}
    assert "of-the-client" not in json.dumps([request["headers"] for request in found])
    return [dict(request["body_json"]) for request in found]


def test_claude_code_answered_by_the_chatgpt_plan(simulator: Simulator, proxies: Proxies, home: Path) -> None:
    simulator.clear()
    command = [program("claude"), "-p", f"sim:tool Bash {SAY_HELLO}", "--allowedTools", "Bash"]
    login = {"CODEX__AUTH_PATH": str(proxies.login), "ANTHROPIC_API_KEY": "sk-ant-api03-of-the-client"}
    environment = {**upstream_settings(simulator), **QUIET, **login}
    assert "hello-from-tool" in run("codex", ("claude-*", GPT), command, home, environment)
    first, second = sent(simulator, "/backend-api/codex/responses", "/v1/messages")
    assert first["model"] == second["model"] == GPT
    assert "hello-from-tool" in json.dumps(second["input"][-1])
    assert second["input"][: len(first["input"])] == first["input"]


def test_codex_answered_by_claude(simulator: Simulator, home: Path) -> None:
    simulator.clear()
    write_login(codex_login(home), CLIENT_ACCOUNT)
    script = 'const r = await tools.exec_command({"cmd": "echo hello-from-tool"}); text(r.output)'
    prompt = f"sim:tool functions__exec {json.dumps({'input': script})}"
    environment = {**upstream_settings(simulator), **CODEX_ENVIRONMENT}
    printed = run("api", ("gpt-*", CLAUDE), codex_command("codex", prompt), home, environment)
    assert "hello-from-tool" in printed
    first, second = sent(simulator, "/v1/messages", "/backend-api/codex/responses")
    assert first["model"] == second["model"] == CLAUDE
    assert "hello-from-tool" in json.dumps(second["messages"][-1])
    assert second["messages"][: len(first["messages"])] == first["messages"]


def test_a_program_of_the_openai_sdk_answered_by_claude(simulator: Simulator, home: Path) -> None:
    simulator.clear()
    (home / "program.py").write_text(PROGRAM)
    command = [sys.executable, str(home / "program.py")]
    environment = {**upstream_settings(simulator), "OPENAI_API_KEY": "sk-of-the-client"}
    assert run("api", ("gpt-*", CLAUDE), command, home, environment) == "tool_calls stop\n"
    first, second = sent(simulator, "/v1/messages", "/openai/v1/chat")
    assert first["model"] == CLAUDE
    assert "the sum is 42" in json.dumps(second["messages"][-1])
