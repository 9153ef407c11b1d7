import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from mcp import types
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.routing import Route

from ccproxy.agent.mcp_server import SESSION, McpServer, ToolCall, bearer, refused
from tests.support.serving import connected, serving

HEADERS = {"accept": "application/json, text/event-stream", "authorization": "Bearer anna"}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


class Echo:
    """A server for two callers; it keeps what it was asked, and waits for `go` where the arguments say so."""

    def __init__(self, *, gives_sessions: bool = False) -> None:
        self.go = asyncio.Event()
        self.calls: list[ToolCall] = []
        self.cancelled = False
        self.sessions: set[str | None] = set()
        self.server = McpServer("echo", self.admit, self.tools, self.call, gives_sessions=gives_sessions)

    def admit(self, headers: Headers) -> str | None:
        self.sessions.add(headers.get("mcp-session-id"))
        return bearer(headers) if bearer(headers) in ("anna", "bert") else None

    def tools(self, caller: str) -> list[types.Tool]:
        return [types.Tool(name=f"tool_of_{caller}", inputSchema={"type": "object"})]

    async def call(self, caller: str, call: ToolCall) -> types.CallToolResult:
        self.calls.append(call)
        try:
            if call.arguments.get("wait"):
                await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return refused(f"{caller} called {call.name}")

    @asynccontextmanager
    async def url(self) -> AsyncIterator[str]:
        app = Starlette(routes=[Route("/mcp", self.server)])
        async with self.server.running(), serving(app) as base:
            yield f"{base}/mcp"


def call(name: str, **arguments: object) -> dict[str, object]:
    params = {"name": name, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


async def test_each_caller_has_its_own_tools() -> None:
    echo = Echo()
    async with echo.url() as url:
        for name in ("anna", "bert"):
            async with connected(url, name) as session:
                assert [tool.name for tool in (await session.list_tools()).tools] == [f"tool_of_{name}"]
                result = await session.call_tool("x", {"a": 1})
                assert isinstance(result.content[0], types.TextContent)
                assert (result.isError, result.content[0].text) == (True, f"{name} called x")
    assert echo.calls == [ToolCall("x", {"a": 1}, None)] * 2


async def test_the_models_id_of_a_call() -> None:
    echo = Echo()
    meta = {"claudecode/toolUseId": "toolu_1", "progressToken": 1}
    params = {"name": "x", "arguments": None, "_meta": meta}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    async with echo.url() as url, httpx.AsyncClient(trust_env=False, headers=HEADERS) as client:
        assert (await client.post(url, json=body)).status_code == 200
    assert echo.calls == [ToolCall("x", {}, "toolu_1")]


async def test_strangers_and_other_methods() -> None:
    echo = Echo()
    async with echo.url() as url, httpx.AsyncClient(trust_env=False, headers=HEADERS) as client:
        for wrong in ("Bearer carl", "anna", ""):
            answer = await client.post(url, json=LIST, headers={"authorization": wrong})
            assert (answer.status_code, answer.json()["error"]["type"]) == (401, "unauthorized")
        for method in ("GET", "DELETE"):
            refusal = await client.request(method, url)
            assert (refusal.status_code, refusal.headers["allow"]) == (405, "POST")
        assert (await client.post(url, content=b"{")).status_code in (400, 415)
        assert (await client.post(url, json=LIST)).status_code == 200


async def test_sessions_are_given_on_demand() -> None:
    echo, plain = Echo(gives_sessions=True), Echo()
    async with echo.url() as url, plain.url() as other:
        async with connected(url, "anna") as session:
            await session.list_tools()
        async with connected(other, "anna") as session:
            await session.list_tools()
    (given,) = echo.sessions - {None}
    assert str(given).startswith(SESSION)
    assert plain.sessions == {None}


async def test_signs_of_life_while_a_call_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EventSourceResponse, "DEFAULT_PING_INTERVAL", 0.05)
    echo = Echo()
    body = call("x", wait=True)
    async with echo.url() as url, httpx.AsyncClient(trust_env=False, headers=HEADERS) as client:
        async with client.stream("POST", url, json=body) as answer:
            chunks = answer.aiter_text()
            heard = [await anext(chunks) for _ in range(3)]
            echo.go.set()
            rest = "".join([chunk async for chunk in chunks])
    assert all(chunk.startswith(": ping") for chunk in heard)
    assert "anna called x" in rest


async def test_a_client_that_is_gone_ends_its_call() -> None:
    echo = Echo()
    body = call("x", wait=True)
    async with echo.url() as url:
        async with httpx.AsyncClient(trust_env=False, headers=HEADERS) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.post(url, json=body, timeout=0.3)
        for _ in range(200):
            await asyncio.sleep(0.01)
            if echo.cancelled:
                break
        assert echo.cancelled


async def test_a_client_that_gives_up_ends_its_own_call() -> None:
    """It says so in a request of its own, and the connection of the call stays open."""
    echo = Echo()
    notice = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    async with echo.url() as url, httpx.AsyncClient(trust_env=False, headers=HEADERS) as client:
        calling = asyncio.create_task(client.post(url, json=call("x", wait=True)))
        while not echo.calls:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        other = {**notice, "params": {"requestId": 2}}
        for strange, headers in ((other, {}), (notice, {"authorization": "Bearer bert"})):
            assert (await client.post(url, json=strange, headers=headers)).status_code == 202
        assert not calling.done()
        assert (await client.post(url, json=notice)).status_code == 202
        answer = await asyncio.wait_for(calling, 5)
    assert echo.cancelled
    assert '"error"' in answer.text


async def test_it_is_entered_and_left_in_different_tasks_and_again() -> None:
    echo = Echo()
    app = Starlette(routes=[Route("/mcp", echo.server)])
    async with serving(app) as base, httpx.AsyncClient(trust_env=False, headers=HEADERS) as client:
        for _ in range(2):
            assert (await client.post(f"{base}/mcp", json=LIST)).status_code == 503
            context = echo.server.running()
            await asyncio.create_task(context.__aenter__())
            assert (await client.post(f"{base}/mcp", json=LIST)).status_code == 200
            await asyncio.create_task(context.__aexit__(None, None, None))


async def test_whoever_gives_up_while_it_starts_leaves_nothing_behind() -> None:
    entering = asyncio.create_task(Echo().server.running().__aenter__())
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) > 2
    entering.cancel()
    await asyncio.wait([entering])
    assert entering.cancelled()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_leaving_ends_calls_that_wait() -> None:
    echo = Echo()
    body = call("x", wait=True)
    app = Starlette(routes=[Route("/mcp", echo.server)])
    async with serving(app) as base, httpx.AsyncClient(trust_env=False, headers=HEADERS) as client:
        async with echo.server.running():
            asking = asyncio.create_task(client.post(f"{base}/mcp", json=body))
            while not echo.calls:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.wait([asking], timeout=5)
        assert asking.done()
        assert echo.cancelled
