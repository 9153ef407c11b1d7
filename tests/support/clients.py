"""Real clients, each in a home of its own with dummy credentials."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.chatgpt import write_login
from tests.support.processes import BIN, free_port, started

WITNESS = Path(__file__).with_name("witness.py")
QUIET = {
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_MAX_RETRIES": "0",
    "NO_PROXY": "127.0.0.1,localhost",
    "TERM": "dumb",
}


INSTALL = {
    "claude": "npm install -g @anthropic-ai/claude-code",
    "codex": "npm install -g @openai/codex",
    "codex-0.98": "npm install --prefix FOLDER @openai/codex@0.98.0, its bin/codex linked under this name",
    "aider": "pipx install aider-chat",
    **dict.fromkeys(("prometheus", "promtool"), "apt-get install prometheus"),
}
NOWHERE = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
"""For clients that look around on the network: nothing but loopback is reached, and at once."""

CODEX_QUIET = {
    "codex": [
        *("--disable", "apps", "--disable", "plugins", "--disable", "remote_plugin"),
        *("-c", "analytics.enabled=false"),
    ],
    "codex-0.98": ["--disable", "remote_models"],
}
"""What keeps each version from asking hosts and paths that are not the matter here."""


ADDING = """
import anthropic
client = anthropic.Anthropic(max_retries=0)
tools = [{"name": "add", "description": "adds", "input_schema": {"type": "object"}}]
asked = [{"role": "user", "content": 'sim:tool add {"a": 1}'}]
options = {"model": "claude-opus-4-8", "max_tokens": 200, "tools": tools}
with client.messages.stream(messages=asked, **options) as stream:
    first = stream.get_final_message()
(call,) = [block for block in first.content if block.type == "tool_use"]
result = {"type": "tool_result", "tool_use_id": call.id, "content": "the sum is 42"}
turns = [*asked, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
with client.messages.stream(messages=turns, **options) as stream:
    last = stream.get_final_message()
"""
"""A program of the anthropic SDK whose model calls a tool of the program's."""


def program(name: str) -> str:
    """A client's program. A machine without it skips the test; CI has it."""
    found = shutil.which(name)
    if found is None:
        assert not os.environ.get("CI"), f"{name} is not on PATH, and CI has to have it"
        pytest.skip(f"{name} is not on PATH: {INSTALL[name]}")
    return found


def run_claude(home: Path, prompt: str, environment: Mapping[str, str], *options: str) -> str:
    """`claude -p` in an empty folder; returns what it prints."""
    return run_client([program("claude"), "-p", prompt, *options], home, {**QUIET, **environment})


def run_codex(home: Path, prompt: str, base_url: str, *options: str) -> str:
    """`codex exec` with an API key and a provider of its own at this address; returns what it prints."""
    provider = codex_provider(base_url, 'env_key="FAKE_KEY"')
    command = codex_command("codex", *provider, *options, prompt)
    return run_client(command, home, {**CODEX_ENVIRONMENT, "FAKE_KEY": "sk-of-the-client"})


def run_codex_login(
    name: str, home: Path, prompt: str, *options: str, environment: Mapping[str, str] | None = None
) -> str:
    """`codex exec` of one version with a ChatGPT login of its own; returns what it prints."""
    write_login(codex_login(home), CLIENT_ACCOUNT)
    command = codex_command(name, *options, prompt)
    return run_client(command, home, {**CODEX_ENVIRONMENT, **(environment or {})})


CLIENT_ACCOUNT = "acct-of-the-client"
CODEX_ENVIRONMENT = {**NOWHERE, "NO_PROXY": "127.0.0.1,localhost", "TERM": "dumb"}


def codex_login(home: Path) -> Path:
    """Where the CLI keeps its login."""
    return home / ".codex" / "auth.json"


def codex_command(name: str, *arguments: str) -> list[str]:
    always = ("--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox")
    return [program(name), "exec", *always, *CODEX_QUIET[name], *arguments]


def codex_provider(base_url: str, *more: str) -> list[str]:
    """Options for a model provider at this address; `more` are further keys of it, in TOML."""
    keys = ",".join(['name="fk"', f'base_url="{base_url}"', 'wire_api="responses"', *more])
    return ["-c", "model_provider=fk", "-c", f"model_providers.fk={{{keys}}}"]


def run_aider(home: Path, prompt: str, base_url: str, model: str) -> str:
    """`aider --message` against a server that speaks Chat Completions; returns what it prints."""
    options = (
        "--yes-always --no-git --no-check-update --analytics-disable --no-show-model-warnings --no-pretty"
    )
    more = "--no-show-release-notes --no-gitignore --no-detect-urls"
    command = [program("aider"), *options.split(), *more.split(), "--model", model, "--message", prompt]
    environment = {
        **NOWHERE,
        "NO_PROXY": "127.0.0.1,localhost",
        "TERM": "dumb",
        "OPENAI_API_KEY": "sk-of-the-client",
        "OPENAI_API_BASE": base_url,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    return run_client(command, home, environment)


def run_client(command: list[str], home: Path, environment: Mapping[str, str]) -> str:
    """A client in an empty folder of its own home; it has to end well. Returns its standard output."""
    folder = home / "work"
    folder.mkdir(parents=True, exist_ok=True)
    node = str(Path(shutil.which("node") or "/usr/bin/node").parent)
    completed = subprocess.run(
        command,
        cwd=folder,
        env={
            "HOME": str(home),
            "TMPDIR": str(folder),
            "PATH": f"{node}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            **environment,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return completed.stdout


class Witness:
    """A stock mitmdump in front of us: `url` is where the client connects, `seen` what it sent."""

    def __init__(self, url: str, file: Path, ca: Path) -> None:
        self.url = url
        self.file = file
        self.ca = ca

    def seen(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []


@contextmanager
def witness(home: Path, mode: str, trusted_ca: Path | None = None) -> Iterator[Witness]:
    """`mode` is `reverse:URL` or `upstream:URL` of our proxy; behind the latter it has to trust our CA."""
    port, file = free_port(), home / "witness.jsonl"
    arguments = [str(BIN / "mitmdump"), "--mode", mode, "--listen-host", "127.0.0.1"]
    arguments += ["--listen-port", str(port), "-s", str(WITNESS), "--set", f"witness={file}"]
    arguments += ["--set", "stream_large_bodies=10m", "--set", "connection_strategy=lazy"]
    if trusted_ca:
        arguments += ["--set", f"ssl_verify_upstream_trusted_ca={trusted_ca}"]
    with started(arguments, home, {"PYTHONUNBUFFERED": "1"}) as process:
        process.wait_for("listening at")
        ca = home / ".mitmproxy" / "mitmproxy-ca-cert.pem"
        yield Witness(f"http://127.0.0.1:{port}", file, ca)
