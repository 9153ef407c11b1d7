"""Is the proxy well, and can it be used? States only: no token, no path."""

from collections.abc import Mapping
from typing import Any

from ccproxy.backends.backend import Backend
from ccproxy.codex.instructions import Instructions
from ccproxy.credentials.credential import CredentialStatus
from ccproxy.inspector.kept import Kept
from ccproxy.routes import BackendName
from ccproxy.version import ccproxy_version

Report = dict[str, Any]


def live() -> Report:
    """The process answers."""
    return {"status": "pass"}


async def ready(backends: Mapping[BackendName, Backend]) -> Report:
    """Whether at least one backend has a usable credential."""
    states = [await backend.credential.status() for backend in backends.values()]
    if any(state.usable for state in states):
        return {"status": "pass"}
    return {"status": "fail", "output": "; ".join(state.hint for state in states if state.hint)}


async def health(
    backends: Mapping[BackendName, Backend],
    instructions: Instructions,
    kept: Kept | None = None,
    log: Mapping[str, object] | None = None,
) -> Report:
    """Every part on its own. A part that is missing makes a warning: the others still work.

    `kept` is what is in memory of flows, None where they are not kept; `log` the status of the access log,
    None where it is off.
    """
    checks: dict[str, list[Report]] = {}
    for backend in backends.values():
        status = await backend.credential.status()
        if backend.name == "sdk":
            checks["claude:cli"] = [cli_check(status)]
        else:
            checks[f"{backend.name}:credential"] = [credential_check(status)]
    if "codex" in backends:
        checks["codex:instructions"] = [instructions_check(instructions.status())]
    if kept is not None:
        checks["inspector:kept"] = [kept_check(kept)]
    if log is not None:
        checks["access_log:state"] = [log_check(log)]
    statuses = {entry["status"] for entries in checks.values() for entry in entries}
    return {
        "status": "warn" if statuses - {"pass"} else "pass",
        "version": ccproxy_version(),
        "serviceId": "ccproxy",
        "description": "local proxy for AI coding tools",
        "checks": checks,
    }


def credential_check(credential: CredentialStatus) -> Report:
    check: Report = {
        "componentType": "component",
        "observedValue": credential.state,
        "status": "pass" if credential.usable else "warn",
    }
    if credential.expires_at:
        check["expiresAt"] = credential.expires_at.isoformat()
    if credential.hint:
        check["output"] = credential.hint
    return check


def instructions_check(status: Mapping[str, object]) -> Report:
    """Without instructions requests still work, with the client's own alone."""
    check: Report = {
        "componentType": "component",
        "observedValue": status["state"],
        "status": "warn" if status["reason"] else "pass",
    }
    if status["reason"]:
        check["output"] = status["reason"]
    return check


def kept_check(kept: Kept) -> Report:
    """A figure, with nothing to be warned of: the limits are kept all the time."""
    return {
        "componentType": "system",
        "observedValue": kept.bytes,
        "observedUnit": "bytes",
        "status": "pass",
        "flows": kept.flows,
        "dropped": kept.dropped,
    }


def log_check(status: Mapping[str, object]) -> Report:
    """Requests go on without the log; `dropped` are rows that it will never have."""
    check: Report = {
        "componentType": "datastore",
        "observedValue": status["state"],
        "status": "pass" if status["state"] in ("ok", "starting") else "warn",
        "dropped": status["dropped"],
    }
    if check["status"] == "warn":
        check["output"] = status["reason"]
    return check


def cli_check(credential: CredentialStatus) -> Report:
    """Claude Code has a login of its own: what can be seen is whether it is there."""
    return {**credential_check(credential), "observedValue": "found" if credential.usable else "missing"}
