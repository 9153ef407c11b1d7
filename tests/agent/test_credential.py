from pathlib import Path

import pytest

from ccproxy.agent.credential import AgentCredential, cli_status
from ccproxy.backends.backend import Backend
from ccproxy.backends.target import Target
from ccproxy.local.status import backend_status


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Claude Code, unless somebody puts it into this folder."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def program(path: Path) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


async def test_found_without_its_path(nowhere: Path) -> None:
    for found in (program(nowhere / "another-name"), None):
        program(nowhere / "claude")
        status = await cli_status(found)
        assert (status.kind, status.source, status.state, status.hint) == ("cli", "Claude Code", "valid", "")


async def test_missing(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccproxy.agent.cli.BESIDES", ("~/.local/bin",))
    status = await cli_status(None)
    assert status.state == "missing"
    assert "npm install" in status.hint
    assert "claude auth login" in status.hint


async def test_a_path_that_leads_nowhere(tmp_path: Path) -> None:
    credential = AgentCredential(tmp_path / "claude", ("x-secret", "hush"))
    backend = Backend("sdk", Target("http", "127.0.0.1", 1, "/_agent"), ("anthropic",), credential, ())
    report = await backend_status(backend)
    assert (report["ready"], report["upstream"], report["credential"]["state"]) == (
        False,
        "Claude Code",
        "missing",
    )
    assert "claude.cli_path" in report["reason"]
    assert str(tmp_path) not in str(report)


async def test_its_secret_is_all_there_is() -> None:
    credential = AgentCredential(None, ("x-secret", "hush"))
    secret = await credential.secret()
    assert secret.headers == (("x-secret", "hush"),)
    assert "hush" not in repr(secret)
    assert await credential.rejected(secret) is None
    credential.start()
    await credential.stop()
