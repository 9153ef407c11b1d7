from datetime import UTC, datetime

import pytest

from ccproxy.credentials.credential import CredentialStatus
from ccproxy.local import health


def test_a_credential_without_its_value() -> None:
    end = datetime(2026, 1, 2, tzinfo=UTC)
    assert health.credential_check(CredentialStatus("oauth", "Claude Code", "valid", end)) == {
        "componentType": "component",
        "observedValue": "valid",
        "status": "pass",
        "expiresAt": "2026-01-02T00:00:00+00:00",
    }
    missing = health.credential_check(CredentialStatus("none", "nowhere", "missing", hint="do this"))
    assert (missing["status"], missing["output"]) == ("warn", "do this")


@pytest.mark.parametrize(("found", "status"), [("/somewhere/claude", "pass"), (None, "warn")])
async def test_the_cli_without_its_path(
    monkeypatch: pytest.MonkeyPatch, found: str | None, status: str
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: found)
    check = await health.claude_cli_check()
    assert check["status"] == status
    assert "/somewhere" not in str(check)
