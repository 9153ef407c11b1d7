"""The tool `check`, asked by the official client and by Claude Code itself."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import ClientSession, types
from starlette.applications import Starlette
from starlette.routing import Route

from ccproxy.agent.permission_mcp import PermissionServer, Who
from ccproxy.agent.permission_request import DENIED, Decision, Request, behavior, is_json
from ccproxy.agent.permissions import Permissions
from ccproxy.settings.tree import Permissions as PermissionSettings
from tests.support.clients import program, run_claude
from tests.support.processes import Simulator
from tests.support.serving import connected, serving

LS = {"tool_name": "Bash", "input": {"command": "ls"}}


class House:
    """A store with both of its servers, at `url`."""

    def __init__(self, timeout: float = 30, allow: list[str] | None = None) -> None:
        self.store = Permissions(PermissionSettings(timeout_seconds=timeout, allow=allow or []))
        self.server = PermissionServer(self.store, {"t1": Who("s1", "/w")}.get)
        self.url = ""

    @asynccontextmanager
    async def open(self) -> AsyncIterator["House"]:
        routes = [Route("/mcp", self.server.for_users), Route("/_worker/mcp", self.server.for_workers)]
        async with self.server.running(), serving(Starlette(routes=routes)) as self.url:
            yield self

    async def pending(self) -> Request:
        for _ in range(3000):
            if found := self.store.pending():
                return found[0]
            await asyncio.sleep(0.01)
        raise AssertionError("nothing is asked")


async def ask(session: ClientSession, arguments: dict[str, Any], **meta: str) -> Any:
    """The JSON in the only block of the answer."""
    result = await session.call_tool("check", arguments, meta=meta or None)
    assert not result.isError
    (block,) = result.content
    assert isinstance(block, types.TextContent)
    return json.loads(block.text)


def test_what_claude_code_reads() -> None:
    asked = {"command": "ls"}
    assert behavior(Decision(True, "person"), asked) == {"behavior": "allow", "updatedInput": asked}
    changed = Decision(True, "person", updated_input={"command": "pwd"})
    assert behavior(changed, asked) == {"behavior": "allow", "updatedInput": {"command": "pwd"}}
    emptied = Decision(True, "person", updated_input={})
    assert behavior(emptied, asked) == {"behavior": "allow", "updatedInput": {}}
    assert behavior(Decision(False, "person"), asked) == {"behavior": "deny", "message": DENIED}
    assert behavior(Decision(False, "person", "no"), asked) == {"behavior": "deny", "message": "no"}


async def test_a_worker_asks_for_its_session() -> None:
    async with House().open() as house, connected(f"{house.url}/_worker/mcp", "t1") as session:
        assert [tool.name for tool in (await session.list_tools()).tools] == ["check"]
        asking = asyncio.create_task(ask(session, {**LS, "tool_use_id": "toolu_1"}))
        request = await house.pending()
        assert (request.tool_use_id, request.session_id, request.cwd) == ("toolu_1", "s1", "/w")
        assert (request.tool_name, request.input) == ("Bash", {"command": "ls"})
        house.store.respond(request.id, True)
        assert await asking == {"behavior": "allow", "updatedInput": {"command": "ls"}}


async def test_a_user_asks_and_is_known_again() -> None:
    async with House().open() as house, connected(f"{house.url}/mcp") as session:
        asking = asyncio.create_task(ask(session, LS, **{"claudecode/toolUseId": "toolu_2"}))
        request = await house.pending()
        assert (request.tool_use_id, request.cwd) == ("toolu_2", None)
        assert str(request.session_id).startswith("mcp-")
        house.store.respond(request.id, False, "no", remember="session")
        assert await asking == {"behavior": "deny", "message": "no"}
        assert await ask(session, LS) == {"behavior": "deny", "message": "no"}
        async with connected(f"{house.url}/mcp") as other:
            asking = asyncio.create_task(ask(other, LS))
            house.store.respond((await house.pending()).id, True)
            assert (await asking)["behavior"] == "allow"


async def test_a_user_cannot_pass_for_a_worker() -> None:
    async with House().open() as house, httpx.AsyncClient(trust_env=False) as client:
        headers = {"accept": "application/json, text/event-stream", "mcp-session-id": "s1"}
        params = {"name": "check", "arguments": LS}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        asking = asyncio.create_task(client.post(f"{house.url}/mcp", json=body, headers=headers))
        request = await house.pending()
        assert request.session_id is None
        house.store.respond(request.id, False)
        assert (await asking).status_code == 200
        for authorization in ("t1", "Bearer t2", "Basic t1"):
            wrong = {**headers, "authorization": authorization}
            answer = await client.post(f"{house.url}/_worker/mcp", json=body, headers=wrong)
            assert answer.status_code == 401


async def test_rules_and_time() -> None:
    async with House(0.05, ["Read"]).open() as house, connected(f"{house.url}/_worker/mcp", "t1") as session:
        read = {"tool_name": "Read", "input": {"file_path": "/x"}}
        assert await ask(session, read) == {"behavior": "allow", "updatedInput": {"file_path": "/x"}}
        late = await ask(session, LS)
        assert late["behavior"] == "deny"
        assert "permissions.timeout_seconds" in late["message"]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("check", {}),
        ("check", {"tool_name": 1, "input": {}}),
        ("check", {"tool_name": "", "input": {}}),
        ("check", {"tool_name": "Bash", "input": "ls"}),
        ("other", LS),
    ],
)
async def test_a_call_that_cannot_be_understood_is_no_permission(name: str, arguments: Any) -> None:
    async with House(allow=["Bash"]).open() as house, connected(f"{house.url}/mcp") as session:
        result = await session.call_tool(name, arguments)
        assert result.isError
        assert "behavior" not in str(result.content)
        assert house.store.decided() == []


def test_what_everybody_reads_as_json() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert is_json({"a": [1, "\ud800", None]})
    assert not any(is_json(value) for value in ({"a": float("nan")}, [float("inf")], deep))


async def test_a_client_that_is_gone_leaves_nothing_to_answer() -> None:
    async with House().open() as house:
        headers = {"accept": "application/json, text/event-stream"}
        body = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": "check", "arguments": LS},
        }
        async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.post(f"{house.url}/mcp", json=body, timeout=0.5)
        for _ in range(300):
            await asyncio.sleep(0.01)
            if decided := house.store.decided():
                break
        assert [(request.status, request.decision and request.decision.by) for request in decided] == [
            ("expired", "gone")
        ]


PROMPT = 'sim:tool Bash {"command": "touch made && echo done", "description": "Make a file"}'


@pytest.mark.slow
@pytest.mark.parametrize("how", ["allow", "deny", "edit", "expire"])
async def test_claude_code_of_the_user(how: str, home: Path, simulator: Simulator) -> None:
    """`claude -p` in another terminal, with the server in its `--mcp-config`."""
    program("claude")
    async with House(1 if how == "expire" else 30).open() as house:
        headers = {"Authorization": "Bearer of-the-proxy"}
        entry = {"type": "http", "url": f"{house.url}/mcp", "headers": headers, "timeout": 300_000}
        servers = json.dumps({"mcpServers": {"ccproxy": entry}})
        options = ("--mcp-config", servers, "--permission-prompt-tool", "mcp__ccproxy__check")
        environment = {"ANTHROPIC_BASE_URL": simulator.url, "ANTHROPIC_API_KEY": "sk-ant-api03-dummy"}
        simulator.clear()
        running = asyncio.create_task(asyncio.to_thread(run_claude, home, PROMPT, environment, *options))
        request = await house.pending()
        assert (request.tool_name, request.input["command"]) == ("Bash", "touch made && echo done")
        assert request.tool_use_id
        assert str(request.session_id).startswith("mcp-")
        match how:
            case "allow":
                house.store.respond(request.id, True)
            case "deny":
                house.store.respond(request.id, False, "not in this house")
            case "edit":
                changed = {"command": "touch other && echo done", "description": "x"}
                house.store.respond(request.id, True, updated_input=changed)
        await running
    made = {path.name for path in (home / "work").iterdir()} & {"made", "other"}
    assert made == {"allow": {"made"}, "edit": {"other"}}.get(how, set())
    said = json.dumps(simulator.requests()[-1])
    assert ("not in this house" in said) is (how == "deny")
    assert ("permissions.timeout_seconds" in said) is (how == "expire")
