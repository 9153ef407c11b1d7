"""Real clients, recorded once and replayed without anybody behind it: the same end each time."""

import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from ccproxy.records.cassette import read
from tests.conftest import upstream_settings
from tests.support import canaries as planted
from tests.support.canaries import Canaries
from tests.support.chatgpt import write_login
from tests.support.clients import (
    ADDING,
    CLIENT_ACCOUNT,
    CODEX_ENVIRONMENT,
    QUIET,
    codex_command,
    codex_login,
    program,
)
from tests.support.processes import Simulator
from tests.support.tapes import NO_UPSTREAM, ccproxy, replaying

pytestmark = pytest.mark.slow

CLAUDE_CALLS = 'sim:tool Bash {{"command": "echo {}", "description": "Say it"}}'
PROGRAM = ADDING + "print(first.id, last)\n"


class Recordings:
    """One client, recorded in one home and replayed in others."""

    def __init__(self, folder: Path, simulator: Simulator, options: list[str]) -> None:
        self.folder = folder
        self.simulator = simulator
        self.options = options
        self.cassette = folder / "a.cassette"

    def home(self, name: str) -> Path:
        home = self.folder / name
        home.mkdir()
        write_login(codex_login(home), CLIENT_ACCOUNT)
        return home

    def record(self, command: list[str], environment: Mapping[str, str]) -> str:
        home = self.home("recorded")
        given = {**upstream_settings(self.simulator), **environment}
        given["CODEX__AUTH_PATH"] = str(write_login(home / "own.json"))
        line = ["record", str(self.cassette), *self.options, "--", *command]
        done = ccproxy(home, *line, environment=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def replay(self, name: str, command: list[str], environment: Mapping[str, str]) -> tuple[int, str, str]:
        """Its exit code and what it printed; in another home, and in another directory."""
        line = ["replay", str(self.cassette), *self.options, "--", *command]
        done = ccproxy(self.home(name), *line, environment={**NO_UPSTREAM, **environment})
        return done.returncode, done.stdout, done.stderr

    def check(self, times: int, said: str, command: list[str], environment: Mapping[str, str]) -> None:
        """The same end each time; nobody was asked, and the cassette is what it was."""
        written = self.cassette.read_bytes()
        self.simulator.clear()
        for number in range(times):
            code, printed, more = self.replay(f"replayed-{number}", command, environment)
            assert (code, printed) == (0, said), more
            assert "ccproxy: 0 requests without an answer" in more
        assert self.simulator.requests() == []
        assert self.cassette.read_bytes() == written

    def check_bytes(self) -> None:
        """Every request gets the bytes that the client got when it was recorded."""
        recorded = read(self.cassette)
        with replaying(self.home("bytes"), self.cassette) as proxy:
            for one in recorded:
                answer = httpx.post(f"{proxy.url}/api/v1/messages", json=one.request, trust_env=False)
                assert (answer.status_code, answer.text) == (one.status, one.body)


def test_claude(home: Path, simulator: Simulator) -> None:
    """Through HTTPS_PROXY with a key of its own; without its secrets on the cassette."""
    tapes = Recordings(home, simulator, [])
    environment = {**QUIET, "ANTHROPIC_API_KEY": planted.CLIENT_KEY}
    settings = {"CLAUDE__API_KEY": planted.CLAUDE_KEY, "SECURITY__AUTH_TOKEN": planted.AUTH_TOKEN}
    ask = [program("claude"), "-p", CLAUDE_CALLS.format("hello-from-tool"), "--allowedTools", "Bash"]
    said = tapes.record(ask, {**environment, **settings})
    assert "hello-from-tool" in said
    assert [one.operation for one in read(tapes.cassette)] == ["messages"] * 2
    Canaries(home).assert_not_in(tapes.cassette.read_bytes(), "the cassette")

    tapes.check(2, said, ask, environment)
    tapes.check_bytes()

    ask[2] = CLAUDE_CALLS.format("something-else")
    code, printed, more = tapes.replay("changed", ask, environment)
    assert code == 1
    for shown in (printed, more):
        assert "The nearest is number 1 (claude-" in shown
        assert "hello-from-tool" in shown
        assert "something-else" in shown


def test_codex(home: Path, simulator: Simulator) -> None:
    """Through HTTPS_PROXY with a login of its own: its list of models and its account come first."""
    tapes = Recordings(home, simulator, [])
    said = tapes.record(codex_command("codex", "sim:tool"), CODEX_ENVIRONMENT)
    assert "hello from the simulator" in said
    assert {one.operation for one in read(tapes.cassette)} == {"models", "responses"}
    canaries = Canaries(home / "recorded")
    canaries.learn()
    # the stand-in of a refresh token is as short as a word
    canaries.known = {secret for secret in canaries.known if len(secret) > 12}
    assert any(secret.startswith("eyJ") for secret in canaries.known)
    canaries.assert_not_in(tapes.cassette.read_bytes(), "the cassette")

    tapes.check(2, said, codex_command("codex", "sim:tool"), CODEX_ENVIRONMENT)

    code, _, more = tapes.replay("changed", codex_command("codex", "sim:tool again"), CODEX_ENVIRONMENT)
    assert code == 1
    assert '"sim:tool" -> "sim:tool again"' in more


def test_a_program_in_ci(home: Path, simulator: Simulator) -> None:
    """By base URL, streamed and whole; the replay has no key at all."""
    tapes = Recordings(home, simulator, ["--base-url"])
    (home / "program.py").write_text(PROGRAM)
    command = [sys.executable, str(home / "program.py")]
    said = tapes.record(command, {})
    assert "msg_" in said
    assert "the sum is 42" in said
    tapes.check(1, said, command, {})
