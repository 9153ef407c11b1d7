"""`ccproxy auth` as a child process, and the person who logs in meanwhile."""

import json
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
from filelock import FileLock

from tests.support.canaries import issued, write
from tests.support.processes import BIN, Simulator, clean_environment

OWN = ".local/share/ccproxy"
CLAUDE_CODE = ".claude/.credentials.json"

CCPROXY = str(BIN / "ccproxy")

CODEX_PORTS = FileLock(Path(tempfile.gettempdir()) / "ccproxy-tests-codex-ports.lock")
"""To be held by whoever logs in as the Codex CLI does: only two ports are registered for that."""


def login_settings(simulator: Simulator) -> dict[str, str]:
    """Environment variables that put the simulator in the place of the login servers."""
    return {
        "CLAUDE__TOKEN_URL": f"{simulator.url}/v1/oauth/token",
        "CODEX__TOKEN_URL": f"{simulator.url}/oauth/token",
    }


def auth(
    home: Path, simulator: Simulator, *arguments: str, **more: str
) -> "subprocess.CompletedProcess[str]":
    """A command that needs nobody, without a terminal."""
    return subprocess.run(
        [CCPROXY, "auth", *arguments],
        cwd=home,
        env=clean_environment(home, login_settings(simulator) | more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Login:
    """A login that waits. `url` is the page that it has printed."""

    def __init__(self, child: "subprocess.Popen[str]") -> None:
        self.child = child
        self.said = ""

    def wait_for(self, pattern: str) -> str:
        assert self.child.stderr
        while not (match := re.search(pattern, self.said, re.MULTILINE)):
            line = self.child.stderr.readline()
            assert line, self.said
            self.said += line
        return match[1]

    @property
    def url(self) -> str:
        return self.wait_for(r"^(https?://[^ ]+\?\S+)$")

    def end(self, typed: str = "") -> tuple[int, str, str]:
        """Exit code, stdout and stderr, after `typed` has been typed."""
        out, err = self.child.communicate(typed, timeout=60)
        return self.child.returncode, out, self.said + err

    def interrupt(self) -> tuple[int, str, str]:
        """The same after Ctrl-C."""
        time.sleep(0.3)
        self.child.send_signal(signal.SIGINT)
        return self.end()


@contextmanager
def logging_in(
    home: Path, simulator: Simulator, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[Login]:
    command: Sequence[str] = [CCPROXY, "auth", *arguments]
    extra = login_settings(simulator) | dict(environment or {})
    with subprocess.Popen(
        command,
        cwd=home,
        env=clean_environment(home, extra),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            yield Login(child)
        finally:
            child.kill()


def decided(url: str, decision: str = "allow") -> str:
    """The address to which the browser of somebody who has decided is sent."""
    page = re.sub(r"/authorize\?", "/authorize/decision?", url) + f"&decision={decision}"
    return urljoin(url, httpx.get(page, trust_env=False).headers["location"])


def tokens_alive(simulator: Simulator) -> int:
    answer = httpx.get(f"{simulator.url}/_simulator/oauth", trust_env=False).json()
    return int(answer["active"]["refresh_tokens"])


def read(home: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / name).read_text())
    return found


def own_logins(home: Path, simulator: Simulator) -> None:
    """A login of our own with Claude, and one as the Codex CLI has it."""
    with logging_in(home, simulator, "login", "--manual") as login:
        assert login.end(f"{decided(login.url)}\n")[0] == 0
    tokens = issued(simulator, "codex")
    kept = {name: tokens[name] for name in ("id_token", "access_token", "refresh_token")}
    write(home / OWN / "codex.json", {"tokens": kept})
