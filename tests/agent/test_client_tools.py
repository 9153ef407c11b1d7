"""Tools of the client, called by the official MCP client and by Claude Code itself."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, types
from starlette.applications import Starlette
from starlette.routing import Route

from ccproxy.agent.client_tools import ENDED, ClientTools
from ccproxy.agent.tool_names import LONGEST
from tests.support.clients import program, run_claude
from tests.support.processes import Simulator
from tests.support.serving import connected, serving

WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
PIXEL = base64.b64encode(b"\x89PNG pixel").decode()


@asynccontextmanager
async def opened(tools: ClientTools) -> AsyncIterator[str]:
    async with tools.running(), serving(Starlette(routes=[Route("/_worker/tools", tools.server)])) as base:
        yield f"{base}/_worker/tools"


@asynccontextmanager
async def worker(*definitions: Any) -> AsyncIterator[tuple[ClientTools, ClientSession]]:
    """Tools offered to the process with the token t1, and its connection."""
    tools = ClientTools()
    tools.offer("t1", definitions or (WEATHER,))
    async with opened(tools) as url, connected(url, "t1") as session:
        yield tools, session


def calling(
    session: ClientSession, use_id: str | None, **arguments: Any
) -> asyncio.Task[types.CallToolResult]:
    meta = {"claudecode/toolUseId": use_id} if use_id else None
    return asyncio.create_task(session.call_tool("get_weather", arguments, meta=meta))


def result(use_id: str, content: Any, **more: Any) -> dict[str, Any]:
    return {use_id: {"type": "tool_result", "tool_use_id": use_id, "content": content, **more}}


def texts(answer: types.CallToolResult) -> list[str]:
    return [block.text for block in answer.content if isinstance(block, types.TextContent)]


async def test_tools_as_they_are_offered() -> None:
    hosted = {"type": "web_search_20250305", "name": "web_search"}
    async with worker(WEATHER, hosted, {"name": "bare", "type": "custom"}) as (_, session):
        weather, bare = (await session.list_tools()).tools
    assert (weather.name, weather.description) == ("get_weather", "The weather in a city.")
    assert weather.inputSchema == WEATHER["input_schema"]
    assert weather.meta == {"anthropic/alwaysLoad": True}
    assert (bare.name, bare.inputSchema) == ("bare", {"type": "object", "properties": {}})


@pytest.mark.parametrize("schema", [{"anyOf": [{"required": ["a"]}]}, {"type": "string"}, None, "text"])
def test_a_schema_is_one_of_an_object(schema: Any) -> None:
    tools = ClientTools()
    tools.offer("t1", [{"name": "a", "input_schema": schema}])
    (offered,) = tools._boxes["t1"].tools
    assert offered.inputSchema["type"] == "object"
    assert offered.inputSchema["properties"] == {}


async def test_a_name_that_is_too_long_behind_the_prefix() -> None:
    async with worker({"name": "x" * 128}) as (_, session):
        (offered,) = (await session.list_tools()).tools
    assert len(offered.name) <= LONGEST


async def test_a_call_waits_for_its_result() -> None:
    async with worker() as (tools, session):
        first, second = calling(session, "toolu_1", city="Oslo"), calling(session, "toolu_2", city="Oslo")
        await asyncio.sleep(0.1)
        tools.answer("t1", result("toolu_2", "rain"))
        assert texts(await second) == ["rain"]
        assert not first.done()
        tools.answer("t1", result("toolu_1", [{"type": "text", "text": "sun"}]))
        answer = await first
    assert (texts(answer), answer.isError) == (["sun"], False)


async def test_a_result_that_comes_before_its_call() -> None:
    """Claude Code runs calls one after the other, and the client answers all of them at once."""
    async with worker() as (tools, session):
        tools.answer("t1", {**result("toolu_1", "one"), **result("toolu_2", "two")})
        assert texts(await calling(session, "toolu_1")) == ["one"]
        assert texts(await calling(session, "toolu_2")) == ["two"]
        # made once more, because the answer was lost
        assert texts(await calling(session, "toolu_2")) == ["two"]
        tools.answer("t1", result("toolu_3", "three"))
        assert tools._boxes["t1"].results.keys() == {"toolu_3"}


async def test_every_kind_of_content() -> None:
    blocks = [
        {"type": "text", "text": "here"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "page"}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PIXEL}},
        {"type": "strange"},
    ]
    async with worker() as (tools, session):
        tools.answer("t1", result("toolu_1", blocks, is_error=True))
        answer = await calling(session, "toolu_1")
    assert answer.isError
    assert [block.type for block in answer.content] == ["text", "image", "text", "text", "resource", "text"]
    image, document = answer.content[1], answer.content[4]
    assert isinstance(image, types.ImageContent)
    assert (image.data, image.mimeType) == (PIXEL, "image/png")
    assert isinstance(document, types.EmbeddedResource)
    assert document.resource.mimeType == "application/pdf"
    assert "https://example.com/a.png" in texts(answer)[1]
    assert texts(answer)[2:] == ["page", '{"type": "strange"}']


@pytest.mark.parametrize("content", [None, [], "", ["text", 3]])
async def test_a_result_without_content(content: Any) -> None:
    async with worker() as (tools, session):
        tools.answer("t1", result("toolu_1", content))
        answer = await calling(session, "toolu_1")
    assert (answer.isError, "".join(texts(answer))) == (False, "")


async def test_calls_without_ids_are_known_by_what_they_say() -> None:
    made = [
        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Rome"}},
        {"type": "tool_use", "id": "toolu_2", "name": "get_weather", "input": {"city": "Oslo"}},
        {"type": "tool_use", "id": "toolu_3", "name": "get_weather", "input": {"city": "Oslo"}},
    ]
    async with worker() as (tools, session):
        early = calling(session, None, city="Oslo")
        await asyncio.sleep(0.1)
        tools.called("t1", made)
        answers = {**result("toolu_1", "R"), **result("toolu_2", "O1"), **result("toolu_3", "O2")}
        tools.answer("t1", answers)
        assert texts(await early) == ["O1"]
        assert texts(await calling(session, None, city="Oslo")) == ["O2"]
        assert texts(await calling(session, None, city="Rome")) == ["R"]


async def test_a_process_that_is_forgotten() -> None:
    async with worker() as (tools, session):
        waiting = calling(session, "toolu_1", city="Oslo")
        await asyncio.sleep(0.1)
        tools.forget("t1")
        answer = await waiting
        assert (answer.isError, texts(answer)) == (True, [ENDED])
        tools.forget("t1")
        tools.answer("t1", result("toolu_1", "late"))
        tools.called("t1", [])


async def test_a_tool_that_is_not_offered() -> None:
    async with worker() as (tools, session):
        answer = await session.call_tool("rm", {})
        assert answer.isError
        tools.offer("t1", [])
        assert (await session.list_tools()).tools == []
        assert (await calling(session, "toolu_1")).isError


async def test_stopping_ends_calls_that_wait() -> None:
    tools = ClientTools()
    tools.offer("t1", [WEATHER])
    async with serving(Starlette(routes=[Route("/_worker/tools", tools.server)])) as base:
        running = tools.running()
        await running.__aenter__()
        async with connected(f"{base}/_worker/tools", "t1") as session:
            waiting = calling(session, "toolu_1")
            await asyncio.sleep(0.1)
            await running.__aexit__(None, None, None)
            assert texts(await asyncio.wait_for(waiting, 5)) == [ENDED]


@pytest.mark.slow
async def test_claude_code_calls_a_tool_of_the_client(home: Path, simulator: Simulator) -> None:
    program("claude")
    tools = ClientTools()
    tools.offer("t1", [WEATHER])
    async with opened(tools) as url:
        entry = {"type": "http", "url": url, "headers": {"Authorization": "Bearer t1"}, "timeout": 60_000}
        servers = json.dumps({"mcpServers": {"client": entry}})
        options = ("--mcp-config", servers, "--allowedTools", "mcp__client")
        environment = {"ANTHROPIC_BASE_URL": simulator.url, "ANTHROPIC_API_KEY": "sk-ant-api03-dummy"}
        prompt = 'sim:tool mcp__client__get_weather {"city": "Oslo"}'
        simulator.clear()
        running = asyncio.create_task(asyncio.to_thread(run_claude, home, prompt, environment, *options))
        for _ in range(3000):
            await asyncio.sleep(0.01)
            if waiting := tools._boxes["t1"].waiting:
                break
        (call,) = waiting
        assert call.arguments == {"city": "Oslo"}
        assert call.tool_use_id
        image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": TINY}}
        content = [{"type": "text", "text": "it rains in Oslo"}, image]
        tools.answer("t1", result(call.tool_use_id, content))
        await running
    requests = [request for request in simulator.requests() if "tools" in json.dumps(request)]
    assert "mcp__client__get_weather" in json.dumps(requests[0])
    assert "it rains in Oslo" in json.dumps(requests[-1])
    assert '"image/png"' in json.dumps(requests[-1])


TINY = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
