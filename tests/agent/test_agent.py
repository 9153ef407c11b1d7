from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from ccproxy.agent.agent import Agent
from ccproxy.agent.permissions import Permissions
from ccproxy.backends.target import Target
from ccproxy.known_sessions import KnownSessions
from ccproxy.settings.sources import load
from tests.support.fake_claude import fake_claude, heard
from tests.support.serving import connected, serving


@asynccontextmanager
async def serving_agent(folder: Path, **given: Any) -> AsyncIterator[tuple[Agent, str]]:
    """An agent with a program that plays Claude Code, and its address."""
    cli = fake_claude(folder / "cli")
    settings = load({"claude.cli_path": str(cli), **given}, environ={}).settings
    permissions = Permissions(settings.permissions)
    agent = Agent(
        settings, Target("http", "127.0.0.1", 1, ""), permissions, KnownSessions(folder / "known", 9)
    )
    await agent.start()
    try:
        async with serving(agent.app) as url:
            yield agent, url
    finally:
        permissions.close()
        await agent.close()


async def test_anybody_may_ask_for_a_permission_and_only_our_processes_on_their_paths(tmp_path: Path) -> None:
    async with serving_agent(tmp_path) as (_, url):
        async with connected(f"{url}/mcp") as session:
            assert [tool.name for tool in (await session.list_tools()).tools] == ["check"]
        async with httpx.AsyncClient(trust_env=False, headers={"authorization": "Bearer x"}) as client:
            for path in ("/_worker/mcp", "/_worker/tools"):
                assert (await client.post(url + path)).status_code == 401


async def test_a_process_is_told_where_to_ask_and_how_long_to_wait(tmp_path: Path) -> None:
    given = {"permissions.timeout_seconds": 100, "claude.options.mcp_servers": {"own": {"type": "stdio"}}}
    async with serving_agent(tmp_path, **given) as (_, url):
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            await client.get(f"{url}/_agent/v1/models")
    [servers] = [
        line["in"]["request"]["servers"]
        for line in heard(tmp_path / "cli")
        if "in" in line and line["in"].get("request", {}).get("subtype") == "mcp_set_servers"
    ]
    assert servers["own"] == {"type": "stdio"}
    assert servers["ccproxy"]["url"] == "http://127.0.0.1:1/_worker/mcp"
    assert servers["ccproxy"]["timeout"] > 100_000
    assert len(servers["ccproxy"]["headers"]["Authorization"]) > 40


async def test_its_status(tmp_path: Path) -> None:
    async with serving_agent(tmp_path) as (agent, _):
        assert agent.status()["sessions"] == {"live": 0, "busy": 0, "named": 0, "max": 32}
        assert agent.status()["pool"]["size"] == 0
