"""Many requests, many processes and other programs on one login; and death at the worst moment."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest

from ccproxy.credentials import refresher
from ccproxy.credentials.credential import CredentialError
from ccproxy.simulator.app import create_app
from ccproxy.simulator.oauth.control import plain_grant
from ccproxy.simulator.oauth.providers import ANTHROPIC
from ccproxy.simulator.oauth.store import Issued
from ccproxy.simulator.server import running
from ccproxy.simulator.state import Simulator
from tests.credentials import racing
from tests.support.processes import ROOT, clean_environment

Provider = Literal["claude", "codex"]
TOKEN_PATH = {"claude": "/v1/oauth/token", "codex": "/oauth/token"}
FOREIGN = {"mcpOAuth": {"server|1": {"accessToken": "theirs", "expiresAt": 1.5}}, "zeta": None, "alpha": [1]}


@dataclass
class Upstream:
    """The simulator as a login server, and the file of a login at it."""

    sim: Simulator
    url: str
    folder: Path
    keys: dict[str, Any] = field(default_factory=lambda: dict(FOREIGN))

    @property
    def file(self) -> Path:
        return self.folder / "login.json"

    def token_url(self, provider: Provider) -> str:
        return self.url + TOKEN_PATH[provider]

    def log_in(self, provider: Provider, *, seconds: float = 0) -> Issued:
        """A file with a login that lives for so long."""
        before, self.sim.tokens.knobs.expires_in = self.sim.tokens.knobs.expires_in, seconds
        issued = self.sim.tokens.issue(
            plain_grant("anthropic" if provider == "claude" else "codex", self.url)
        )
        self.sim.tokens.knobs.expires_in = before
        if provider == "claude":
            login: dict[str, Any] = {"claudeAiOauth": claude_login(issued)}
        else:
            login = {"tokens": {"id_token": issued.id_token, "their": 1, **pair(issued)}, "last_refresh": "x"}
        self.file.write_text(json.dumps({"first": True, **login, **self.keys}))
        return issued

    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.file.read_bytes())
        return content

    def refreshes(self, outcome: str) -> int:
        return sum(
            n
            for (_, grant, how), n in self.sim.tokens.counts.items()
            if (grant, how) == ("refresh_token", outcome)
        )


def pair(issued: Issued) -> dict[str, str]:
    return {"access_token": issued.access_token, "refresh_token": issued.refresh_token}


def claude_login(issued: Issued) -> dict[str, Any]:
    return {
        "accessToken": issued.access_token,
        "refreshToken": issued.refresh_token,
        "expiresAt": round(issued.expires_at * 1000),
        "scopes": ["user:inference"],
        "subscriptionType": "max",
        "rateLimitTier": "theirs",
    }


@pytest.fixture
async def upstream(tmp_path: Path) -> AsyncIterator[Upstream]:
    sim = Simulator()
    async with running(create_app(sim)) as url:
        yield Upstream(sim, url, tmp_path)


class Racer:
    """One such process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def say(self, text: object) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{text}\n".encode())
        await self.process.stdin.drain()

    async def hear(self) -> str:
        assert self.process.stdout
        line = await asyncio.wait_for(self.process.stdout.readline(), 60)
        assert line, "it has died"
        return line.decode().strip()

    async def requests(self, count: int) -> list[dict[str, Any]]:
        await self.say(count)
        answers: list[dict[str, Any]] = json.loads(await self.hear())
        assert len(answers) == count
        return answers


@asynccontextmanager
async def racers(count: int, home: Path, *arguments: str) -> AsyncIterator[list[Racer]]:
    async with AsyncExitStack() as stack:
        found = []
        for _ in range(count):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", racing.__name__, *arguments),
                cwd=ROOT,
                env=clean_environment(home),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                limit=2**22,
            )
            stack.push_async_callback(process.wait)
            assert process.stdin
            stack.callback(process.stdin.close)
            found.append(Racer(process))
        for racer in found:
            assert await racer.hear() == "ready"
        yield found


@pytest.mark.parametrize("provider", ["claude", "codex"])
async def test_one_refresh_for_everybody(upstream: Upstream, provider: Provider) -> None:
    upstream.log_in(provider)
    upstream.sim.tokens.knobs.token_endpoint = "slow"
    upstream.sim.tokens.knobs.delay_seconds = 0.3
    arguments = ("rounds", provider, str(upstream.file), upstream.token_url(provider))
    async with racers(4, upstream.folder, *arguments) as processes:
        answers = await asyncio.gather(*(process.requests(50) for process in processes))

    tokens = {answer.get("token", answer.get("error")) for some in answers for answer in some}
    assert [upstream.sim.tokens.state(str(token)) for token in tokens] == ["valid"]
    assert (upstream.refreshes("ok"), upstream.refreshes("refused"), len(upstream.sim.ledger)) == (1, 0, 1)
    content = upstream.content()
    assert {key: content[key] for key in FOREIGN} == FOREIGN
    key = "claudeAiOauth" if provider == "claude" else "tokens"
    own = [key] if provider == "claude" else [key, "last_refresh"]
    assert list(content) == ["first", *own, *FOREIGN]
    assert content[key].get("rateLimitTier", content[key].get("their"))
    assert upstream.file.stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(upstream.folder)) == ["login.json", "login.json.lock"]


class OtherProgram:
    """Rewrites the file as if it were alone in the world; now and then it renews the login itself."""

    def __init__(self, path: Path, token_url: str) -> None:
        self.path = path
        self.token_url = token_url
        self.stopped = False
        self.written = self.renewed = self.lost = 0

    def run(self) -> None:
        while not self.stopped:
            self.rewrite()
            if self.written % 50 == 0:
                self.renew()
            time.sleep(0.02)

    def rewrite(self, **oauth: object) -> None:
        content = json.loads(self.path.read_bytes())
        self.lost = sum(f"theirs-{number}" not in content for number in range(self.written))
        content[f"theirs-{self.written}"] = self.written
        content["claudeAiOauth"] |= oauth
        if self.written % 7 == 0:
            time.sleep(0.005)  # what somebody else writes now is lost, as it is with real programs
        new = self.path.with_name("theirs.tmp")
        new.write_text(json.dumps(content))
        new.replace(self.path)
        self.written += 1

    def renew(self) -> None:
        spent = json.loads(self.path.read_bytes())["claudeAiOauth"]["refreshToken"]
        body = {"grant_type": "refresh_token", "refresh_token": spent, "client_id": ANTHROPIC.client_id}
        answer = httpx.post(self.token_url, json=body, trust_env=False)
        if answer.is_success:
            got = answer.json()
            ends = round((time.time() + got["expires_in"]) * 1000)
            self.rewrite(accessToken=got["access_token"], refreshToken=got["refresh_token"], expiresAt=ends)
            self.renewed += 1


async def test_another_program_rewrites_the_file_all_the_while(upstream: Upstream) -> None:
    upstream.log_in("claude")
    upstream.sim.tokens.knobs.expires_in = 1
    url = upstream.token_url("claude")
    other = OtherProgram(upstream.file, url)
    async with racers(4, upstream.folder, "rounds", "claude", str(upstream.file), url) as processes:
        running_other = asyncio.create_task(asyncio.to_thread(other.run))
        answers = []
        try:
            until = time.monotonic() + 5
            while time.monotonic() < until:
                for some in await asyncio.gather(*(process.requests(50) for process in processes)):
                    answers += some
                await asyncio.sleep(0.1)
        finally:
            other.stopped = True
            await running_other
        for process in processes:
            answers += await process.requests(1)

    assert [answer for answer in answers if "error" in answer] == []
    assert all(upstream.sim.tokens.state(answer["token"]) != "unknown" for answer in answers)
    content = upstream.content()
    assert {key: content[key] for key in FOREIGN} == FOREIGN
    assert content["claudeAiOauth"]["rateLimitTier"] == "theirs"
    assert upstream.refreshes("ok") > other.renewed > 0
    # Between our last look at the file and its replacement are some microseconds that nothing guards.
    assert other.lost <= 2
    assert other.written > 50
    assert await what_is_left(upstream) == "works"


async def what_is_left(upstream: Upstream) -> str:
    """What a process that starts now makes of the login."""
    found = racing.credential("claude", str(upstream.file), upstream.token_url("claude"))
    try:
        secret = await found.secret()
    except CredentialError as problem:
        status = await found.status()
        clear = status.state == "expired" and status.hint == str(problem)
        return "log in again" if clear and "ccproxy auth login" in str(problem) else "unclear"
    return "works" if secret and upstream.sim.tokens.state(secret.bearer or "") == "valid" else "broken"


@pytest.fixture
def no_settling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresher, "SETTLE", (0.0,))


@pytest.mark.usefixtures("no_settling")
async def test_death_at_any_moment(upstream: Upstream) -> None:
    """What is left works, or says that one has to log in again; it is never broken."""
    token_url, outcomes = upstream.token_url("claude"), []
    async with racers(1, upstream.folder, "dying", str(upstream.file), token_url) as (process,):
        for step in range(40):
            upstream.log_in("claude")
            await process.say(step)
            heard = await process.hear()
            content = upstream.content()
            assert {key: content[key] for key in FOREIGN} == FOREIGN
            outcomes.append(await what_is_left(upstream))
            assert set(os.listdir(upstream.folder)) <= {"login.json", "login.json.lock", "login.json.new"}
            if heard != "killed":
                assert heard == "ended 0"
                break
    assert heard == "ended 0"
    assert len(outcomes) >= 8
    assert outcomes[0] == outcomes[-1] == "works"
    assert set(outcomes) == {"works", "log in again"}
