"""One backend: can it be used, and why not."""

from typing import Any

from ccproxy.backends.backend import Backend


async def backend_status(backend: Backend) -> dict[str, Any]:
    """`{"backend","ready","reason","upstream","credential":{"kind","source","expires_at","state"}}`"""
    credential = await backend.credential.status()
    return {
        "backend": backend.name,
        "ready": credential.usable,
        "reason": None if credential.usable else credential.hint,
        # a port of ours that nobody else may use is no news
        "upstream": "Claude Code" if backend.name == "sdk" else backend.target.origin + backend.target.prefix,
        "credential": {
            "kind": credential.kind,
            "source": credential.source,
            "expires_at": credential.expires_at.isoformat() if credential.expires_at else None,
            "state": credential.state,
        },
    }


def switched_off(name: str) -> dict[str, Any]:
    """The same for a backend that the settings leave out."""
    return {"backend": name, "ready": False, "reason": f"{name}.enabled is false."}
