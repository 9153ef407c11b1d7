import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from ccproxy.agent.on_demand import OnDemand
from ccproxy.backends.target import Target
from ccproxy.known_sessions import KnownSessions
from ccproxy.settings import SettingsError
from ccproxy.settings.sources import load
from tests.support.serving import connected, serving

LOCAL = Target("http", "127.0.0.1", 1, "")


def made(folder: Path, **given: object) -> OnDemand:
    settings = load(given, environ={}).settings
    return OnDemand(settings, LOCAL, KnownSessions(folder / "known", 9))


async def test_it_is_made_when_it_is_asked_for(tmp_path: Path) -> None:
    agent = made(tmp_path)
    assert agent.status() == {"pool": None, "sessions": None, "permissions": {"pending": 0}}
    async with serving(Starlette(routes=agent.routes())) as url:
        async with connected(f"{url}/mcp") as session:
            assert (await session.list_tools()).tools
        assert agent.status()["sessions"]
        assert await agent.agent() is await agent.agent()
        await agent.close()


async def test_closing_one_that_nobody_asked_for(tmp_path: Path) -> None:
    agent = made(tmp_path, **{"claude.pool.enabled": True})
    await agent.close()
    # else its processes would begin after the end
    assert await agent.agent() is None
    async with serving(Starlette(routes=agent.routes())) as url:
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.post(f"{url}/mcp")).status_code == 503


def test_a_rule_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Bash"):
        made(tmp_path, **{"permissions.allow": ["Bash("]})


def test_nothing_heavy_is_imported_before() -> None:
    """Users of other backends pay for none of it."""
    look = (
        "import sys, ccproxy.addons.chain; print([n for n in sys.modules if n in ('mcp', 'claude_code_sdk')])"
    )
    found = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
