from datetime import UTC, datetime

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


def test_the_cli_is_there_or_not() -> None:
    assert health.cli_check(CredentialStatus("cli", "Claude Code", "valid")) == {
        "componentType": "component",
        "observedValue": "found",
        "status": "pass",
    }
    missing = health.cli_check(CredentialStatus("none", "nowhere", "missing", hint="install it"))
    assert (missing["observedValue"], missing["status"], missing["output"]) == (
        "missing",
        "warn",
        "install it",
    )


def test_instructions_that_are_missing_are_a_warning() -> None:
    assert health.instructions_check({"state": "captured", "reason": None})["status"] == "pass"
    check = health.instructions_check({"state": "failed", "reason": "There is no Codex CLI."})
    assert (check["observedValue"], check["status"], check["output"]) == (
        "failed",
        "warn",
        "There is no Codex CLI.",
    )
