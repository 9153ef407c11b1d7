import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ccproxy.backends.backend import backends
from ccproxy.backends.target import Target
from ccproxy.local import usage as module
from ccproxy.local.usage import EVERY, Usage, usage_constants
from ccproxy.quota.windows import Quota, Window
from ccproxy.settings import load
from ccproxy.simulator.app import create_app
from ccproxy.simulator.server import running
from ccproxy.simulator.state import Simulator
from tests.support.chatgpt import ACCOUNT, write_login
from tests.support.guarded import Guarded
from tests.support.guarded import write_login as write_claude_login
from tests.support.upstreams import InTurn, reply, silent, upstream

OAUTH = "sk-ant-oat01-of-the-user"
FIVE = {"five_hour": {"utilization": 20, "resets_at": None}}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _nobodys_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No login of whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_DATA_HOME", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)


def made(folder: Path, url: str, clock: Clock | None = None, **given: object) -> Usage:
    """Asks the server at `url` for both providers; settings with `__` for the dot."""
    wanted: dict[str, object] = {
        "claude.base_url": url,
        "claude.api_key": OAUTH,
        "codex.base_url": f"{url}/backend-api/codex",
        "codex.auth_path": str(folder / "auth.json"),
    }
    wanted |= {name.replace("__", "."): value for name, value in given.items()}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    settings = load(wanted, environ={}, cwd=folder).settings
    return Usage(Quota(), backends(settings), settings, clock or Clock())


@dataclass
class Providers:
    sim: Simulator
    url: str

    @property
    def asked(self) -> list[str]:
        return [entry.path for entry in self.sim.ledger]


@pytest.fixture
async def providers() -> AsyncIterator[Providers]:
    sim = Simulator()
    async with running(create_app(sim)) as url:
        yield Providers(sim, url)


async def test_both_are_asked(providers: Providers, tmp_path: Path) -> None:
    write_login(tmp_path / "auth.json")
    usage = made(tmp_path, providers.url)
    assert await usage.ask() == {}
    assert sorted(providers.asked) == ["/api/oauth/usage", "/backend-api/wham/usage"]
    claude, codex = usage.quota.last["claude"], usage.quota.last["codex"]
    assert [(w.name, w.used) for w in claude.windows] == [("5h", 0.42), ("7d", 0.17)]
    assert [(w.name, w.used) for w in codex.windows] == [("5h", 0.125), ("7d", 0.4)]
    assert (codex.plan, codex.binding) == ("plus", "7d")
    for entry in providers.sim.ledger:
        if "wham" in entry.path:
            assert entry.header("originator") == "ccproxy"
            assert entry.header("chatgpt-account-id") == ACCOUNT
        else:
            assert entry.header("authorization") == f"Bearer {OAUTH}"
            assert entry.header("anthropic-beta") == "oauth-2025-04-20"


async def test_once_a_minute(providers: Providers, tmp_path: Path) -> None:
    clock = Clock()
    usage = made(tmp_path, providers.url, clock, codex__enabled=False)
    await asyncio.gather(*(usage.ask() for _ in range(5)))
    clock.now += EVERY - 1
    await usage.ask()
    assert len(providers.asked) == 1
    clock.now += 1
    await usage.ask()
    assert len(providers.asked) == 2


@pytest.mark.parametrize("mode", ["client", "off"])
async def test_without_a_plan_of_ours_nobody_is_asked(
    providers: Providers, tmp_path: Path, mode: str
) -> None:
    write_login(tmp_path / "auth.json")
    usage = made(tmp_path, providers.url, claude__credentials=mode, codex__credentials=mode)
    assert await usage.ask() == {}
    assert providers.asked == []


async def test_not_with_an_api_key(providers: Providers, tmp_path: Path) -> None:
    usage = made(tmp_path, providers.url, claude__api_key="sk-ant-api03-of-the-user", codex__enabled=False)
    assert await usage.ask() == {}
    assert providers.asked == []


async def test_not_with_sign_in_with_chatgpt(providers: Providers, tmp_path: Path) -> None:
    file = tmp_path / ".local/share/ccproxy/siwc.json"
    file.parent.mkdir(parents=True)
    login = {"access_token": "a", "refresh_token": "r", "client_id": "oaiapp_1", "ext_agent_host_id": "urn:1"}
    file.write_text(json.dumps({**login, "scopes": ["chatgpt.tokens.use.direct"]}))
    usage = made(tmp_path, providers.url, codex__credentials="siwc", claude__credentials="off")
    assert await usage.ask() == {}
    assert providers.asked == []


async def test_a_login_that_is_missing_is_named_and_looked_for_again(
    providers: Providers, tmp_path: Path
) -> None:
    usage = made(tmp_path, providers.url, claude__credentials="off")
    problems = await usage.ask()
    assert problems.keys() == {"codex"}
    assert "codex login" in problems["codex"]
    assert str(tmp_path) not in problems["codex"]
    write_login(tmp_path / "auth.json")
    assert await usage.ask() == {}
    assert "codex" in usage.quota.last


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply(403, {"error": {"type": "permission_error", "message": OAUTH}}), "HTTP 403"),
        (reply(401, {"error": {"type": OAUTH, "message": OAUTH}}), "HTTP 401"),
        (reply(500, {"error": {"type": OAUTH}}), "HTTP 500"),
        (reply(302, {}, location="http://127.0.0.1:1/"), "HTTP 302"),
        (reply(200, b"<html>"), "no usage"),
        (reply(200, {}), "nothing that ccproxy understands"),
        (b"", "cannot be reached"),
    ],
)
async def test_a_failure_leaves_what_was_seen(tmp_path: Path, answer: bytes, words: str) -> None:
    clock = Clock()
    server = InTurn(reply(200, FIVE) + InTurn.CUT, answer + InTurn.CUT)
    with upstream(server) as behind:
        usage = made(tmp_path, f"http://127.0.0.1:{behind.port}", clock, codex__enabled=False)
        assert await usage.ask() == {}
        before = usage.quota.last["claude"]
        assert before.windows == (Window("5h", 0.2),)
        clock.now += EVERY
        problems = await usage.ask()
        assert words in problems["claude"]
        assert OAUTH not in problems["claude"]
        assert usage.quota.last["claude"] == before
        # what is said within the minute is the same, and nobody is asked for it
        assert await usage.ask() == problems
        assert len(server.requests) == 2


async def test_asked_too_often(tmp_path: Path) -> None:
    clock = Clock()
    server = InTurn(reply(429, {}, retry_after="300") + InTurn.CUT, reply(200, FIVE) + InTurn.CUT)
    with upstream(server) as behind:
        usage = made(tmp_path, f"http://127.0.0.1:{behind.port}", clock, codex__enabled=False)
        assert "HTTP 429" in (await usage.ask())["claude"]
        clock.now += 299
        assert "HTTP 429" in (await usage.ask())["claude"]
        clock.now += 1
        assert await usage.ask() == {}


async def test_a_provider_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.2)
    with upstream(silent) as behind:
        usage = made(tmp_path, f"http://127.0.0.1:{behind.port}", codex__enabled=False)
        assert (await usage.ask())["claude"].startswith("There was no answer within 0.2 seconds")


async def test_a_login_that_is_refused_is_renewed(tmp_path: Path) -> None:
    file = write_claude_login(tmp_path / "credentials.json", "old")
    server = Guarded(reply(200, FIVE), "new")
    with upstream(server) as behind:
        url = f"http://127.0.0.1:{behind.port}"
        usage = made(
            tmp_path,
            url,
            claude__api_key=None,
            claude__credentials_path=str(file),
            claude__token_url=f"{url}/token",
            codex__enabled=False,
        )
        assert await usage.ask() == {}
    assert (server.sees, server.refreshes) == (["old", "new"], 1)


async def test_a_base_url_that_has_no_usage_beside_it(providers: Providers, tmp_path: Path) -> None:
    write_login(tmp_path / "auth.json")
    usage = made(tmp_path, providers.url, codex__base_url=f"{providers.url}/v1", claude__credentials="off")
    assert "codex.base_url" in (await usage.ask())["codex"]
    assert providers.asked == []


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "https://api.anthropic.com/api/oauth/usage"),
        ({"claude.base_url": "http://127.0.0.1:9/api"}, "http://127.0.0.1:9/api/api/oauth/usage"),
        ({"claude.base_url": "https://gateway.test/claude"}, "https://api.anthropic.com/api/oauth/usage"),
        (
            {"claude.base_url": "http://127.0.0.1:9", "claude.oauth.usage_url": "https://usage.test/u"},
            "https://usage.test/u",
        ),
    ],
)
def test_where_claude_is_asked(tmp_path: Path, given: dict[str, object], url: str) -> None:
    settings = load(given, environ={}, cwd=tmp_path).settings
    assert usage_constants(settings, Target.parse(settings.claude.base_url)).usage_url == url
