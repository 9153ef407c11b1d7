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


def claude_code() -> str:
    """The program. A machine without it skips the test; CI has it."""
    found = shutil.which("claude")
    if found is None:
        assert not os.environ.get("CI"), "claude is not on PATH, and CI has to have it"
        pytest.skip("Claude Code is not on PATH: npm install -g @anthropic-ai/claude-code")
    return found


def run_claude(home: Path, prompt: str, environment: Mapping[str, str], *options: str) -> str:
    """`claude -p` in an empty folder; returns what it prints."""
    folder = home / "work"
    folder.mkdir(parents=True, exist_ok=True)
    node = str(Path(shutil.which("node") or "/usr/bin/node").parent)
    completed = subprocess.run(
        [claude_code(), "-p", prompt, *options],
        cwd=folder,
        env={
            "HOME": str(home),
            "TMPDIR": str(folder),
            "PATH": f"{node}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            **QUIET,
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
