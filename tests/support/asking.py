"""Permission requests as the server writes them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from ccproxy.cli.permission_request import Request, read_request

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def request(id_: str = "perm_1", tool: str = "Bash", given: Any = None, **more: Any) -> Request:
    """One that has 105 seconds left at NOW."""
    return read_request(
        {
            "id": id_,
            "tool_name": tool,
            "input": {"command": "touch x"} if given is None else given,
            "tool_use_id": None,
            "session_id": "s-1",
            "cwd": "/home/me",
            "status": "pending",
            "created_at": "2026-11-22T11:59:45.000Z",
            "expires_at": (NOW + timedelta(seconds=105)).isoformat().replace("+00:00", "Z"),
            "decision": None,
            **more,
        }
    )


def decided(before: Request, status: str, **decision: Any) -> Request:
    """The same request after a decision."""
    return read_request(
        {**before.raw, "status": status, "decision": {"allowed": status == "allowed", **decision}}
    )
