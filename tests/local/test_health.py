from datetime import UTC, datetime

from ccproxy.backends.backend import Backend
from ccproxy.codex.instructions import Instructions
from ccproxy.credentials.credential import CredentialStatus
from ccproxy.inspector.kept import Kept
from ccproxy.local import health
from ccproxy.routes import BackendName


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


def test_what_is_kept_of_flows_is_a_figure() -> None:
    assert health.kept_check(Kept(bytes=7, flows=2, dropped=1)) == {
        "componentType": "system",
        "observedValue": 7,
        "observedUnit": "bytes",
        "status": "pass",
        "flows": 2,
        "dropped": 1,
    }


async def test_it_is_there_only_where_flows_are_kept() -> None:
    nothing: dict[BackendName, Backend] = {}
    assert "inspector:kept" in (await health.health(nothing, Instructions("none"), Kept()))["checks"]
    assert "inspector:kept" not in (await health.health(nothing, Instructions("none")))["checks"]


def test_the_access_log_is_well_or_says_why_not() -> None:
    assert health.log_check({"state": "ok", "reason": None, "dropped": 0}) == {
        "componentType": "datastore",
        "observedValue": "ok",
        "status": "pass",
        "dropped": 0,
    }
    full = health.log_check({"state": "disk_full", "reason": "The disk is full.", "dropped": 3})
    assert (full["status"], full["output"], full["dropped"]) == ("warn", "The disk is full.", 3)
    starting = health.log_check({"state": "starting", "reason": "The file is being opened.", "dropped": 0})
    assert starting["status"] == "pass"


async def test_it_is_there_only_where_the_log_is_on() -> None:
    nothing: dict[BackendName, Backend] = {}
    status = {"state": "ok", "reason": None, "dropped": 0}
    on = await health.health(nothing, Instructions("none"), None, status)
    assert on["checks"]["access_log:state"][0]["status"] == "pass"
    assert "access_log:state" not in (await health.health(nothing, Instructions("none")))["checks"]


def test_instructions_that_are_missing_are_a_warning() -> None:
    assert health.instructions_check({"state": "captured", "reason": None})["status"] == "pass"
    check = health.instructions_check({"state": "failed", "reason": "There is no Codex CLI."})
    assert (check["observedValue"], check["status"], check["output"]) == (
        "failed",
        "warn",
        "There is no Codex CLI.",
    )
