"""Which process gets a request, with a program that plays Claude Code."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from ccproxy.agent.agent import Agent
from ccproxy.agent.asked import read
from ccproxy.agent.sessions import with_more
from ccproxy.agent.worker import Worker
from ccproxy.conversation.parts import JsonObject
from tests.agent.test_agent import serving_agent
from tests.agent.test_app import PATH, body, client, saying
from tests.support.fake_claude import heard

HEADER = "x-ccproxy-session"


@asynccontextmanager
async def asked(folder: Path, **given: Any) -> AsyncIterator[tuple[Agent, httpx.AsyncClient]]:
    async with serving_agent(folder, **given) as (agent, url), client(url) as http:
        yield agent, http


async def say(
    http: httpx.AsyncClient, steps: Sequence[JsonObject], session: str | None = None, **more: Any
) -> httpx.Response:
    headers = {HEADER: session} if session else {}
    return await http.post(PATH, json=body(steps, **more), headers=headers)


def processes(folder: Path) -> list[int]:
    """The pid of each that was started, in order."""
    return [said["pid"] for said in heard(folder / "cli") if "pid" in said]


def turns(folder: Path) -> list[str]:
    """The text of each turn that a process heard."""
    return [
        "".join(block["text"] for block in said["in"]["message"]["content"])
        for said in heard(folder / "cli")
        if said.get("in", {}).get("type") == "user"
    ]


async def test_a_named_session_has_one_process_and_hears_each_turn_once(tmp_path: Path) -> None:
    async with asked(tmp_path) as (agent, http):
        for text in ("one", "two", "three"):
            assert (await say(http, saying(text), "s")).status_code == 200
        assert agent.status()["sessions"]["named"] == 1
    assert len(processes(tmp_path)) == 1
    assert len(turns(tmp_path)) == 3


async def test_strangers_have_processes_of_their_own(tmp_path: Path) -> None:
    async with asked(tmp_path) as (agent, http):
        await asyncio.gather(*(say(http, saying(str(number))) for number in range(3)))
        assert agent.status()["sessions"]["live"] == 3


async def test_a_request_waits_for_its_session_and_not_for_ever(tmp_path: Path) -> None:
    async with asked(tmp_path, **{"claude.sessions.wait_seconds": 0.3}) as (_, http):
        slow = asyncio.create_task(say(http, [{"sleep": 1}, *saying("slow")], "s"))
        await asyncio.sleep(0.3)
        refused = await say(http, saying("impatient"), "s")
        assert (await slow).status_code == 200
    assert (refused.status_code, refused.headers["x-ccproxy-error"]) == (409, "session_busy")


async def test_a_process_that_failed_is_not_used_again(tmp_path: Path) -> None:
    async with asked(tmp_path) as (agent, http):
        assert (await say(http, [*saying("one")[:2], {"exit": 3}], "s")).status_code == 503
        assert agent.status()["sessions"]["live"] == 0
        assert (await say(http, saying("two"), "s")).status_code == 200
    assert len(set(processes(tmp_path))) == 2


async def test_one_that_dies_before_it_says_anything_is_replaced_once(tmp_path: Path) -> None:
    async with asked(tmp_path) as (_, http):
        answer = await say(http, [{"exit": 3}])
    assert answer.status_code == 503
    assert len(set(processes(tmp_path))) == 2


async def test_uses_are_counted(tmp_path: Path) -> None:
    async with asked(tmp_path, **{"claude.pool.max_uses": 1}) as (agent, http):
        assert (await say(http, saying("one"), "s")).status_code == 200
        assert agent.status()["sessions"]["live"] == 0


async def test_more_than_there_may_be(tmp_path: Path) -> None:
    async with asked(tmp_path, **{"claude.sessions.max": 1}) as (agent, http):
        slow = asyncio.create_task(say(http, [{"sleep": 1.5}, *saying("slow")]))
        await asyncio.sleep(0.7)
        refused = await say(http, saying("one too many"))
        assert (await slow).status_code == 200
        assert (await say(http, saying("room again"))).status_code == 200
        assert agent.status()["sessions"]["live"] == 1
    assert (refused.status_code, refused.headers["x-ccproxy-error"]) == (503, "sessions_full")


async def test_a_session_from_before_the_restart_is_an_error_once_asked_for_alone(tmp_path: Path) -> None:
    for expected in (200, 400):
        async with asked(tmp_path) as (agent, http):
            answer = await say(http, saying("hello"), "s")
            assert answer.status_code == expected
            await agent._sessions._known.save()
    assert answer.headers["x-ccproxy-error"] == "session_forgotten"


async def test_idle_ones_are_ended(tmp_path: Path) -> None:
    async with asked(tmp_path, **{"claude.sessions.idle_seconds": 1}) as (agent, http):
        await say(http, saying("hello"), "s")
        assert agent.status()["sessions"]["live"] == 1
        async with asyncio.timeout(10):
            while agent.status()["sessions"]["live"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def test_one_that_is_asked_again_while_others_are_ended_is_not_idle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asked(tmp_path) as (agent, http):
        for name in ("a", "b"):
            await say(http, saying("hello"), name)
        sessions = agent._sessions
        close, ended = Worker.close, []

        async def slowly(worker: Worker) -> None:
            """Meanwhile whichever is left is asked again."""
            ended.append(worker)
            asking.append(asyncio.create_task(say(http, [{"sleep": 0.5}, *saying("again")], left())))
            await asyncio.sleep(0.3)
            await close(worker)

        def left() -> str:
            [session] = sessions._live
            assert session.name
            return session.name

        asking: list[asyncio.Task[httpx.Response]] = []
        with monkeypatch.context() as patched:
            patched.setattr(Worker, "close", slowly)
            for session in sessions._live:
                session.used -= 10_000
            await sessions.close_idle()
        [answer] = await asyncio.gather(*asking)
        assert (answer.status_code, len(ended)) == (200, 1)


async def test_a_request_that_cannot_begin_lets_the_next_one_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asked(tmp_path, **{"claude.sessions.wait_seconds": 0.3}) as (agent, http):
        with monkeypatch.context() as patched:
            patched.setattr(agent._sessions, "_turn", None)
            with pytest.raises(TypeError):
                await agent._sessions.open(read(body(saying("one")), {HEADER: "s"}))
        assert (await say(http, saying("two"), "s")).status_code == 200


async def test_the_client_is_asked_for_the_tool_that_the_process_was_offered(tmp_path: Path) -> None:
    """Names that are alike for Claude Code: the first of them keeps its own, whatever the order of a set."""
    names = ["a.b", "a/b", "a:b", "a+b", "a=b", "a b", "a~b", "a@b"]
    tools = [{"name": name, "input_schema": {"type": "object"}} for name in names]
    call = {"type": "tool_use", "id": "toolu_1", "name": "mcp__client__a_b", "input": {}}
    line = {"type": "assistant", "message": {"id": "msg_1", "model": "m", "content": [call]}}
    async with asked(tmp_path) as (agent, http):
        answer = await say(http, [{"say": line}], tools=tools)
        [session] = agent._sessions._live
        assert session.worker
        offered = agent._tools._boxes[session.worker.token].own_names["a_b"]
    assert [block["name"] for block in answer.json()["content"]] == [offered] == ["a.b"]


def test_what_is_said_besides_a_result_goes_with_the_last_one() -> None:
    def result(name: str) -> JsonObject:
        return {"type": "tool_result", "tool_use_id": name, "content": "fine"}

    text = {"type": "text", "text": "and?"}
    found = with_more(({"role": "user", "content": [result("a"), result("b"), text]},))
    assert found["a"]["content"] == "fine"
    assert found["b"]["content"] == [{"type": "text", "text": "fine"}, text]
