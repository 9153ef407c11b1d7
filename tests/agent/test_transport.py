import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from ccproxy.agent.errors import CliBroken, ControlRefused, WorkerDied
from ccproxy.agent.lines import Lines
from ccproxy.agent.process import CliProcess
from ccproxy.agent.transport import CliTransport
from ccproxy.conversation.parts import JsonObject
from tests.support.fake_claude import INITIALIZED, fake_claude, heard, requests, turn
from tests.support.fake_codex import until

Connect = Callable[..., Any]


@pytest.fixture
async def connect(tmp_path: Path) -> AsyncIterator[Connect]:
    """Connects to a fake that plays this."""
    transports = []

    async def connect(**play: Any) -> CliTransport:
        command = [str(fake_claude(tmp_path, **play))]
        transport = CliTransport(
            CliProcess(command, dict(os.environ), tmp_path, f"test-transport-{tmp_path}")
        )
        transports.append(transport)
        await transport.connect()
        return transport

    yield connect
    for transport in transports:
        await transport.close()
        assert not transport.is_ready()


async def initialize(transport: CliTransport) -> JsonObject:
    """As the SDK does."""
    request = {"subtype": "initialize", "hooks": None}
    await transport.write(
        json.dumps({"type": "control_request", "request_id": "req_1_ab", "request": request}) + "\n"
    )
    return await transport.initialized()


async def say(transport: CliTransport, *steps: JsonObject) -> None:
    message = {"role": "user", "content": turn(*steps, ends=False)}
    await transport.write(json.dumps({"type": "user", "message": message}) + "\n")


async def test_control(connect: Connect, tmp_path: Path) -> None:
    transport = await connect(answers={"x": {"n": 1}}, refuses=["no"])
    assert await transport.control("x", servers={"a": 1}) == {"n": 1}
    assert await transport.control("y") == {}
    with pytest.raises(ControlRefused, match=r"\(no\).*Unsupported control.*Update it"):
        await transport.control("no")
    many = await asyncio.gather(*(transport.control("x") for _ in range(20)))
    assert many == [{"n": 1}] * 20
    assert requests(tmp_path)[0] == {"subtype": "x", "servers": {"a": 1}}


async def test_no_answer(connect: Connect) -> None:
    transport = await connect(silent=["x"])
    with pytest.raises(TimeoutError):
        await transport.control("x", 0.1)
    assert await transport.control("y") == {}


async def test_connect_starts_one_process(connect: Connect, tmp_path: Path) -> None:
    transport = await connect()
    await asyncio.gather(transport.connect(), transport.connect())
    await transport.control("x")
    assert len([said for said in heard(tmp_path) if "pid" in said]) == 1


async def test_initialize_adds_the_system_text(connect: Connect, tmp_path: Path) -> None:
    transport = await connect()
    transport.system = "Be nice."
    assert await initialize(transport) == INITIALIZED
    assert requests(tmp_path) == [{"subtype": "initialize", "hooks": None, "appendSystemPrompt": "Be nice."}]


async def test_initialize_without_one(connect: Connect, tmp_path: Path) -> None:
    await initialize(await connect())
    assert requests(tmp_path) == [{"subtype": "initialize", "hooks": None}]


async def test_initialize_is_refused_or_not_answered(connect: Connect) -> None:
    with pytest.raises(ControlRefused):
        await initialize(await connect(refuses=["initialize"]))
    transport = await connect(silent=["initialize"])
    await transport.write('{"type":"control_request","request_id":"r","request":{"subtype":"initialize"}}\n')
    with pytest.raises(TimeoutError):
        await transport.initialized(0.1)


async def test_what_the_sdk_reads(connect: Connect) -> None:
    """Every line of a turn as it was, whatever its type; and control messages that are for it."""
    transport = await connect(first=[{"say": {"type": "early"}}])
    await initialize(transport)
    transport.begin_turn()
    asked = {"type": "control_request", "request_id": "q", "request": {"subtype": "can_use_tool"}}
    said = [
        {"type": "assistant", "message": {"content": "  a  "}},
        {"type": "never_heard_of", "x": [1]},
        {"no": "type"},
        {"type": "result"},
    ]
    odd = [
        {"type": "control_request"},
        {"type": "control_response", "response": {"request_id": "of nobody"}},
        {"type": "control_response", "response": 1},
        {"type": "control_cancel_request", "request_id": "q"},
    ]
    steps = [{"say": line} for line in (*said, *odd, asked)]
    await say(
        transport, {"raw": "no json\n\n"}, {"cut": {"type": "cut", "t": "ä  \U0001f600"}, "size": 1}, *steps
    )
    await until(transport.idle.is_set)
    await say(transport, {"say": {"type": "stray"}})
    await transport.control("x")
    transport.begin_turn()
    await say(transport, {"big": 2**20}, {"exit": 0})
    [first, *messages] = [message async for message in transport.read_messages()]
    assert first["type"] == "control_response"
    *lines, late, big = messages
    assert late == asked
    assert [line["line"] for line in lines] == [{"type": "cut", "t": "ä  \U0001f600"}, *said]
    assert [line["subtype"] for line in lines] == ["cut", "assistant", "never_heard_of", "", "result"]
    assert {line["type"] for line in lines} == {"system"}
    assert len(big["line"]["text"]) == 2**20
    assert ({line["turn"] for line in lines}, big["turn"]) == ({1}, 2)


async def test_nobody_has_to_read(connect: Connect) -> None:
    transport = await connect()
    await initialize(transport)
    transport.begin_turn()
    await say(transport, *[{"big": 2**20}] * 5)
    assert await transport.control("x", 10) == {}


async def test_the_end_is_told_to_all_who_wait(connect: Connect) -> None:
    transport = await connect(silent=["x"])
    waiting = [asyncio.create_task(transport.control("x")) for _ in range(3)]
    waiting.append(asyncio.create_task(transport.initialized()))
    await say(transport, {"stderr": "Bearer abcdef broke"}, {"exit": 3})
    done, _ = await asyncio.wait(waiting, timeout=10)
    assert len(done) == 4
    for task in done:
        problem = task.exception()
        assert isinstance(problem, WorkerDied)
        assert (problem.exit_code, problem.stderr) == (3, "Bearer [sealed] broke\n")
    assert isinstance(transport.problem, WorkerDied)
    with pytest.raises(WorkerDied):
        await transport.control("x")
    assert [message async for message in transport.read_messages()] == []
    await transport.write('{"type":"user"}\n')


async def test_what_it_prints_instead_of_messages_is_told(connect: Connect) -> None:
    transport = await connect(first=[{"raw": "Please log in first\n"}, {"exit": 1}])
    await until(lambda: transport.problem)
    assert "It said: Please log in first" in str(transport.problem)


async def test_a_line_that_is_too_long(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccproxy.agent.transport.Lines", lambda: Lines(limit=1000))
    transport = await connect(first=[{"big": 100_000}, {"sleep": 60}])
    await until(lambda: not transport.is_ready())
    assert isinstance(transport.problem, CliBroken)
    with pytest.raises(CliBroken, match="longer than"):
        await transport.control("x")


async def test_end_input(connect: Connect) -> None:
    transport = await connect()
    assert transport.is_ready()
    await transport.end_input()
    await until(lambda: not transport.is_ready())


async def test_a_start_that_fails_can_be_closed(tmp_path: Path) -> None:
    transport = CliTransport(CliProcess([str(tmp_path / "nothing")], {}, tmp_path, "none"))
    with pytest.raises(CliBroken):
        await transport.connect()
    await transport.close()
    await transport.close()
