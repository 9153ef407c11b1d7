from pathlib import Path

from ccproxy.backends.backend import backends
from ccproxy.local.status import backend_status, switched_off
from ccproxy.settings import load


async def test_not_ready_and_why(tmp_path: Path) -> None:
    found = backends(load({"claude.credentials": "off"}, environ={}, cwd=tmp_path).settings)
    status = await backend_status(found["api"])
    assert (status["ready"], status["credential"]["state"]) == (False, "off")
    assert "claude.credentials" in status["reason"]
    assert status["upstream"] == "https://api.anthropic.com"


def test_a_backend_that_is_left_out() -> None:
    assert switched_off("codex") == {"backend": "codex", "ready": False, "reason": "codex.enabled is false."}
