import json
import time
from pathlib import Path

import pytest

from ccproxy.credentials.claude import ClaudeCredential, for_token
from ccproxy.credentials.credential import CredentialError
from ccproxy.settings import load


def credential(tmp_path: Path, **settings: str) -> ClaudeCredential:
    given = {f"claude.{key}": value for key, value in settings.items()}
    given.setdefault("claude.credentials_path", str(tmp_path / "login.json"))
    return ClaudeCredential(load(given, environ={}, cwd=tmp_path).settings)


def log_in(tmp_path: Path, seconds: float) -> None:
    oauth = {"accessToken": "sk-ant-oat01-login", "expiresAt": (time.time() + seconds) * 1000}
    (tmp_path / "login.json").write_text(json.dumps({"claudeAiOauth": oauth}))


async def test_auto_prefers_the_key(tmp_path: Path) -> None:
    log_in(tmp_path, 60)
    found = credential(tmp_path, api_key="sk-ant-api03-key")
    secret = await found.secret()
    assert secret is not None
    assert secret.headers == (("x-api-key", "sk-ant-api03-key"),)
    assert secret.beta is None
    assert "sk-ant" not in repr(secret)
    status = await found.status()
    assert (status.kind, status.source, status.state) == ("api_key", "claude.api_key", "valid")


async def test_auto_takes_the_login_without_a_key(tmp_path: Path) -> None:
    log_in(tmp_path, 60)
    found = credential(tmp_path)
    secret = await found.secret()
    assert secret is not None
    assert secret.headers == (("authorization", "Bearer sk-ant-oat01-login"),)
    assert secret.beta == "oauth-2025-04-20"
    status = await found.status()
    assert (status.kind, status.source, status.state) == ("oauth", "Claude Code", "valid")
    assert status.expires_at is not None


async def test_oauth_ignores_the_key(tmp_path: Path) -> None:
    log_in(tmp_path, 60)
    secret = await credential(tmp_path, credentials="oauth", api_key="sk-ant-api03-key").secret()
    assert secret is not None
    assert secret.headers[0][0] == "authorization"


async def test_api_key_ignores_the_login(tmp_path: Path) -> None:
    log_in(tmp_path, 60)
    with pytest.raises(CredentialError, match=r"claude\.api_key"):
        await credential(tmp_path, credentials="api_key").secret()


async def test_an_expired_login_says_what_to_do(tmp_path: Path) -> None:
    log_in(tmp_path, -1)
    found = credential(tmp_path)
    with pytest.raises(CredentialError, match="run 'claude'") as caught:
        await found.secret()
    assert caught.value.expired
    status = await found.status()
    assert (status.state, status.usable) == ("expired", False)
    assert status.hint


async def test_client_and_off(tmp_path: Path) -> None:
    assert await credential(tmp_path, credentials="client").secret() is None
    assert (await credential(tmp_path, credentials="client").status()).usable
    with pytest.raises(CredentialError, match="off"):
        await credential(tmp_path, credentials="off").secret()
    assert (await credential(tmp_path, credentials="off").status()).state == "off"


async def test_nothing_found(tmp_path: Path) -> None:
    found = credential(tmp_path)
    with pytest.raises(CredentialError, match="no credential for Claude"):
        await found.secret()
    assert (await found.status()).state == "missing"


def test_the_prefix_tells_what_a_token_is() -> None:
    assert for_token("sk-ant-oat01-x").headers == (("authorization", "Bearer sk-ant-oat01-x"),)
    assert for_token("sk-ant-api03-x").headers == (("x-api-key", "sk-ant-api03-x"),)
