import json
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ccproxy.credentials.claude import ClaudeCredential, claude_logins, for_token
from ccproxy.credentials.credential import CredentialError
from ccproxy.credentials.stores import keychain
from ccproxy.settings import load
from ccproxy.simulator.app import create_app
from ccproxy.simulator.oauth.control import plain_grant
from ccproxy.simulator.server import running
from ccproxy.simulator.state import Simulator


def credential(tmp_path: Path, environ: Mapping[str, str] | None = None, **settings: str) -> ClaudeCredential:
    given = {f"claude.{key}": value for key, value in settings.items()}
    loaded = load(given, environ={}, cwd=tmp_path).settings
    return ClaudeCredential(loaded, {"HOME": str(tmp_path), **(environ or {})})


def log_in(path: Path, seconds: float, token: str = "sk-ant-oat01-login", refresh: str = "r") -> None:
    oauth = {"accessToken": token, "refreshToken": refresh, "expiresAt": (time.time() + seconds) * 1000}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"claudeAiOauth": oauth}))


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    return tmp_path / ".claude" / ".credentials.json"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / ".local" / "share" / "ccproxy" / "claude.json"


async def test_auto_prefers_the_key(tmp_path: Path, theirs: Path) -> None:
    log_in(theirs, 3600)
    found = credential(tmp_path, {"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-x"}, api_key="sk-ant-api03-key")
    secret = await found.secret()
    assert secret is not None
    assert secret.headers == (("x-api-key", "sk-ant-api03-key"),)
    assert secret.beta is None
    assert "sk-ant" not in repr(secret)
    assert await found.rejected(secret) is None
    status = await found.status()
    assert (status.kind, status.source, status.state) == ("api_key", "claude.api_key", "valid")


async def test_auto_takes_the_logins_in_order(tmp_path: Path, theirs: Path, own: Path) -> None:
    variable = {"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-variable"}
    log_in(own, 3600, "sk-ant-oat01-own")
    for environ, token, source in (
        ({}, "sk-ant-oat01-own", "ccproxy's own login"),
        ({}, "sk-ant-oat01-theirs", "Claude Code"),
        (variable, "sk-ant-oat01-variable", "CLAUDE_CODE_OAUTH_TOKEN"),
    ):
        found = credential(tmp_path, environ)
        secret = await found.secret()
        assert secret is not None
        assert secret.headers == (("authorization", f"Bearer {token}"),)
        assert secret.beta == "oauth-2025-04-20"
        status = await found.status()
        assert (status.kind, status.source, status.state) == ("oauth", source, "valid")
        assert (status.expires_at is None) == (environ == variable)
        log_in(theirs, 3600, "sk-ant-oat01-theirs")


async def test_another_file_in_the_place_of_claude_codes(tmp_path: Path, theirs: Path) -> None:
    log_in(theirs, 3600)
    log_in(tmp_path / "other.json", 3600, "sk-ant-oat01-other")
    secret = await credential(tmp_path, credentials_path=str(tmp_path / "other.json")).secret()
    assert secret is not None
    assert secret.bearer == "sk-ant-oat01-other"


async def test_oauth_ignores_the_key(tmp_path: Path, theirs: Path) -> None:
    log_in(theirs, 3600)
    secret = await credential(tmp_path, credentials="oauth", api_key="sk-ant-api03-key").secret()
    assert secret is not None
    assert secret.headers[0][0] == "authorization"


async def test_api_key_ignores_the_login(tmp_path: Path, theirs: Path) -> None:
    log_in(theirs, 3600)
    with pytest.raises(CredentialError, match=r"claude\.api_key"):
        await credential(tmp_path, credentials="api_key").secret()


@pytest.fixture
async def upstream() -> AsyncIterator[tuple[Simulator, str]]:
    sim = Simulator()
    async with running(create_app(sim)) as url:
        yield sim, url


async def test_an_expired_login_is_renewed(
    tmp_path: Path, theirs: Path, upstream: tuple[Simulator, str]
) -> None:
    sim, url = upstream
    issued = sim.tokens.issue(plain_grant("anthropic", url))
    log_in(theirs, -1, issued.access_token, issued.refresh_token)
    found = credential(tmp_path, token_url=f"{url}/v1/oauth/token")
    status = await found.status()
    assert (status.state, status.usable, status.expires_at) == ("renewable", True, None)
    assert len(sim.ledger) == 0
    found.start()
    secret = await found.secret()
    assert secret is not None
    assert secret.bearer != issued.access_token
    assert sim.tokens.state(secret.bearer or "") == "valid"
    assert (await found.status()).state == "valid"
    await found.stop()


async def test_a_refused_token_is_renewed_once(
    tmp_path: Path, theirs: Path, upstream: tuple[Simulator, str]
) -> None:
    sim, url = upstream
    issued = sim.tokens.issue(plain_grant("anthropic", url))
    log_in(theirs, 3600, issued.access_token, issued.refresh_token)
    found = credential(tmp_path, token_url=f"{url}/v1/oauth/token")
    secret = await found.secret()
    assert secret is not None
    other = await found.rejected(secret)
    assert other is not None
    assert other.beta
    assert sim.tokens.state(other.bearer or "") == "valid"
    assert await found.rejected(other) is None


async def test_a_login_that_has_ended_says_what_to_do(
    tmp_path: Path, theirs: Path, upstream: tuple[Simulator, str]
) -> None:
    _, url = upstream
    log_in(theirs, -1, refresh="sk-ant-ort01-unknown")
    found = credential(tmp_path, token_url=f"{url}/v1/oauth/token")
    with pytest.raises(CredentialError, match=r"ccproxy auth login.*'claude'.*claude\.api_key") as caught:
        await found.secret()
    assert caught.value.expired
    status = await found.status()
    assert (status.state, status.usable, status.source) == ("expired", False, "Claude Code")
    assert status.hint == str(caught.value)


async def test_client_and_off(tmp_path: Path) -> None:
    assert await credential(tmp_path, credentials="client").secret() is None
    assert (await credential(tmp_path, credentials="client").status()).usable
    with pytest.raises(CredentialError, match="off"):
        await credential(tmp_path, credentials="off").secret()
    assert (await credential(tmp_path, credentials="off").status()).state == "off"


async def test_nothing_found(tmp_path: Path) -> None:
    found = credential(tmp_path)
    with pytest.raises(CredentialError, match=r"no credential for Claude.*ccproxy auth login"):
        await found.secret()
    status = await found.status()
    assert (status.kind, status.source, status.state) == ("none", "nowhere", "missing")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["CLAUDE_CODE_OAUTH_TOKEN", "Claude Code (keychain)", "Claude Code", "ccproxy's own login"]),
        (
            {"claude.credentials_path": "/x"},
            ["CLAUDE_CODE_OAUTH_TOKEN", "Claude Code", "ccproxy's own login"],
        ),
    ],
)
def test_a_keychain_comes_before_the_file(
    given: dict[str, Any], expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keychain, "find", lambda: "/usr/bin/security")
    settings = load(given, environ={}, cwd=tmp_path).settings
    assert [source.name for source in claude_logins(settings, {"HOME": str(tmp_path)})] == expected


def test_the_prefix_tells_what_a_token_is() -> None:
    assert for_token("sk-ant-oat01-x").headers == (("authorization", "Bearer sk-ant-oat01-x"),)
    assert for_token("sk-ant-api03-x").headers == (("x-api-key", "sk-ant-api03-x"),)
