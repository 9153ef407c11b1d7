import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ccproxy.agent import worker as module
from ccproxy.agent.errors import AgentError, CliBroken, CliMissing, WorkerDied
from ccproxy.agent.guard import Guard
from ccproxy.agent.transport import CliTransport
from ccproxy.agent.worker import TOOLS_KEY, Line, Setup, Worker
from ccproxy.conversation.parts import JsonObject
from ccproxy.settings.sources import load
from tests.support.fake_claude import RESULT, fake_claude, heard, requests, turn
from tests.support.fake_codex import is_running, until, written

Make = Callable[..., Worker]


@pytest.fixture
async def make(tmp_path: Path, guard: Guard) -> AsyncIterator[Make]:
    """Makes workers of a fake that plays this; every one is ended, with its folder."""
    workers = []

    def make(settings: dict[str, object] | None = None, **play: Any) -> Worker:
        cli = fake_claude(tmp_path / "cli", **play)
        given = {"claude.cli_path": str(cli), **(settings or {})}
        worker = Worker(load(given, environ={}).settings, guard, permission)
        workers.append(worker)
        return worker

    yield make
    for worker in workers:
        await worker.close()
        assert not worker.alive
    assert [*guard.start().iterdir()] == []


def permission(token: str) -> dict[str, JsonObject]:
    return {"ccproxy": {"type": "http", "url": "http://127.0.0.1:1/", "headers": {"Authorization": token}}}


def setup(worker: Worker, **more: Any) -> Setup:
    return replace(Setup("opus", "high", "Be nice.", worker.servers), **more)


async def rest(worker: Worker) -> list[Line]:
    """The lines up to the result."""
    lines = [await worker.line()]
    while lines[-1].get("type") != "result":
        lines.append(await worker.line())
    return lines


async def begun(worker: Worker, **more: Any) -> Worker:
    await worker.start()
    await worker.begin(setup(worker, **more))
    return worker


def asked(tmp_path: Path) -> list[str]:
    return [request["subtype"] for request in requests(tmp_path / "cli")]


async def test_a_conversation(make: Make, tmp_path: Path) -> None:
    worker = make()
    assert (worker.alive, worker.uses, worker.session_id) == (False, 0, None)
    await worker.start()
    assert worker.alive
    assert worker.servers == permission(worker.token)
    assert asked(tmp_path) == ["mcp_set_servers"]
    await worker.begin(setup(worker))
    assert (worker.version, worker.models) == ("9.8.7", [{"value": "m", "displayName": "M"}])
    said = [{"type": "x", "n": 1, "session_id": "s-1"}, {"type": "assistant", "text": "ü"}]
    for number in (1, 2):
        await worker.send(turn(*({"say": line} for line in said)))
        assert await rest(worker) == [*said, RESULT]
        assert (worker.uses, worker.session_id) == (number, "s-1")
    assert requests(tmp_path / "cli") == [
        {"subtype": "mcp_set_servers", "servers": worker.servers},
        {"subtype": "apply_flag_settings", "settings": {"model": "opus", "effortLevel": "high"}},
        {"subtype": "initialize", "hooks": None, "appendSystemPrompt": "Be nice."},
    ]
    prompt = next(line["in"] for line in heard(tmp_path / "cli") if line.get("in", {}).get("type") == "user")
    assert (prompt["parent_tool_use_id"], prompt["session_id"]) == (None, "default")
    assert prompt["message"]["role"] == "user"


async def test_its_surroundings(make: Make, tmp_path: Path, guard: Guard) -> None:
    (tmp_path / "work").mkdir()
    options = {"cwd": str(tmp_path / "work"), "env": {"MINE": "1"}, "append_system_prompt": "x"}
    first = make({f"claude.options.{name}": value for name, value in options.items()})
    second = make()
    await asyncio.gather(first.start(), second.start())
    [one, *_] = [said for said in heard(tmp_path / "cli") if said.get("env", {}).get("MINE")]
    assert one["cwd"] == str((tmp_path / "work").resolve())
    markers = [said["env"]["CCPROXY_WORKER"] for said in heard(tmp_path / "cli") if "env" in said]
    assert len(set(map(len, markers))) == 1
    assert len(set(markers)) == 2
    assert all(marker.startswith(f"{guard.marker}-") for marker in markers)
    folder = Path(one["env"]["CLAUDE_CODE_TMPDIR"])
    assert folder.parent == guard.start()
    assert mode_of(folder) == 0o700
    assert first.token != second.token
    assert "Authorization" not in json.dumps(one["argv"])
    await first.close()
    assert mode_of(folder) is None
    assert second.alive


def mode_of(path: Path) -> int | None:
    return path.stat().st_mode & 0o777 if path.exists() else None


async def test_change_says_only_what_is_different(make: Make, tmp_path: Path) -> None:
    worker = await begun(make())
    before = len(requests(tmp_path / "cli"))
    await worker.change(setup(worker))
    assert len(requests(tmp_path / "cli")) == before
    await worker.change(setup(worker, effort="minimal"))
    await worker.change(setup(worker, model=None, effort=None))
    client = {"client": {"type": "http", "url": "http://127.0.0.1:3/", "headers": {"a": "b"}}}
    servers = {**worker.servers, **client}
    await worker.change(setup(worker, model=None, effort=None, servers=servers, tools_key="k1"))
    await worker.change(setup(worker, model=None, effort=None, servers=servers, tools_key="k1"))
    await worker.change(setup(worker, model=None, effort=None, servers=servers, tools_key="k2"))
    changes = requests(tmp_path / "cli")[before:]
    assert [change.get("settings") for change in changes[:2]] == [
        {"effortLevel": "low"},
        {"model": None, "effortLevel": None},
    ]
    first, second = [change["servers"]["client"]["headers"] for change in changes[2:]]
    assert first.keys() == {"a", TOOLS_KEY}
    assert first[TOOLS_KEY] != second[TOOLS_KEY]


async def test_lines_between_turns_are_dropped_and_reading_goes_on(make: Make, tmp_path: Path) -> None:
    worker = await begun(make())
    after: list[JsonObject] = [{"say": RESULT}, {"raw": '{"type":"stray"}\n' * 500}]
    await worker.send(turn(*after, ends=False))
    assert await rest(worker) == [RESULT]
    await worker.change(setup(worker, model="other"))
    await worker.send(turn())
    assert await rest(worker) == [RESULT]


async def test_a_turn_that_nobody_has_read(make: Make) -> None:
    """More lines than the SDK's own buffer holds."""
    worker = await begun(make())
    await worker.send(turn(*[{"say": {"type": "unread", "n": n}} for n in range(500)]))
    await over(worker)
    await worker.send(turn({"say": {"type": "read"}}))
    assert await rest(worker) == [{"type": "read"}, RESULT]


async def over(worker: Worker) -> None:
    """The turn has ended, whoever reads it."""
    assert worker._transport
    await asyncio.wait_for(worker._transport.idle.wait(), 10)


async def test_a_slow_reader_gets_everything(make: Make) -> None:
    worker = await begun(make())
    await worker.send(turn({"big": 2**20}, *[{"say": {"type": "n", "n": n}} for n in range(300)]))
    await over(worker)
    await worker.change(setup(worker, model="other"))
    lines = await rest(worker)
    assert [line.get("n") for line in lines[1:-1]] == list(range(300))


async def test_no_turn(make: Make) -> None:
    worker = await begun(make())
    with pytest.raises(RuntimeError, match="no turn"):
        await worker.line()


async def test_one_turn_at_a_time(make: Make) -> None:
    worker = await begun(make())
    await worker.send(turn({"interrupts": 1}))
    with pytest.raises(RuntimeError, match="a turn is under way"):
        await worker.send(turn())
    await worker.interrupt()
    assert await rest(worker) == [RESULT]


async def test_interrupt(make: Make, tmp_path: Path) -> None:
    """The first one may come too early, and is then without effect."""
    worker = await begun(make())
    await worker.send(turn({"say": {"type": "begun"}}, {"interrupts": 2}, {"say": {"type": "cut"}}))
    assert await worker.line() == {"type": "begun"}
    await worker.interrupt()
    assert asked(tmp_path).count("interrupt") == 2
    assert await rest(worker) == [{"type": "cut"}, RESULT]
    await worker.interrupt()
    assert asked(tmp_path).count("interrupt") == 2
    await worker.send(turn())
    assert await rest(worker) == [RESULT]


async def test_an_interrupt_without_effect(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INTERRUPT_SECONDS", 0.7)
    worker = await begun(make())
    await worker.send(turn({"interrupts": 99}))
    with pytest.raises(CliBroken, match="did not stop its turn in time"):
        await worker.interrupt()
    assert not worker.alive


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([{"stderr": "Authorization: Bearer secret"}, {"exit": 1}], 1),
        ([{"exit": 0}], 0),
        ([{"close": True}, {"sleep": 60}], -15),
        ([{"raw": '{"type":"assis'}, {"exit": 2}], 2),
    ],
)
async def test_it_dies_in_a_turn(make: Make, steps: list[JsonObject], code: int) -> None:
    worker = await begun(make())
    await worker.send(turn({"say": {"type": "last words"}}, *steps))
    assert await worker.line() == {"type": "last words"}
    with pytest.raises(WorkerDied) as caught:
        await worker.line()
    assert caught.value.exit_code == code
    assert "secret" not in caught.value.stderr
    assert not worker.alive
    for call in (worker.line(), worker.send(turn()), worker.interrupt(), worker.change(setup(worker))):
        with pytest.raises(WorkerDied):
            await call


async def test_it_dies_between_turns(make: Make) -> None:
    worker = await begun(make())
    await worker.send(turn({"say": RESULT}, {"exit": 1}))
    assert await rest(worker) == [RESULT]
    await until(lambda: not worker.alive)
    with pytest.raises(WorkerDied):
        await worker.send(turn())


async def test_it_is_killed(make: Make, tmp_path: Path) -> None:
    worker = await begun(make())
    await worker.send(turn({"child": str(tmp_path / "pids")}, {"sleep": 60}))
    own, child = map(int, (await written(tmp_path / "pids")).split())
    waiting = asyncio.create_task(worker.line())
    os.kill(own, signal.SIGKILL)
    with pytest.raises(WorkerDied, match="signal 9"):
        await waiting
    await worker.close()
    assert not is_running(child)


async def test_an_sdk_control_request_is_answered(make: Make, tmp_path: Path) -> None:
    """Nothing that the CLI asks for is left open."""
    worker = await begun(make())
    request = {"type": "control_request", "request_id": "q", "request": {"subtype": "hook_callback"}}
    await worker.send(turn({"say": request}))
    await rest(worker)
    await until(
        lambda: any(said.get("in", {}).get("type") == "control_response" for said in heard(tmp_path / "cli"))
    )


@pytest.mark.parametrize("subtype", ["mcp_set_servers", "initialize", "apply_flag_settings"])
async def test_what_it_refuses(make: Make, subtype: str) -> None:
    worker = make(refuses=[subtype])
    with pytest.raises(CliBroken, match=r"refused .*Update it: `claude update`"):
        await begun(worker)
    assert not worker.alive


@pytest.mark.parametrize("subtype", ["mcp_set_servers", "initialize", "apply_flag_settings"])
async def test_what_it_does_not_answer(make: Make, subtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for method in ("control", "initialized"):
        old = getattr(CliTransport, method).__defaults__
        assert old == (30.0,)
        monkeypatch.setattr(getattr(CliTransport, method), "__defaults__", (0.3,))
    worker = make(silent=[subtype], first=[{"stderr": "thinking hard"}])
    with pytest.raises(CliBroken, match=r"did not .* in time.* It said: thinking hard"):
        await begun(worker)
    assert not worker.alive


async def test_it_does_not_start(make: Make) -> None:
    worker = make(first=[{"stderr": "error: unknown option '--no-session-persistence'"}, {"exit": 1}])
    with pytest.raises(AgentError, match=r"exit code 1.*unknown option.*Update it"):
        await worker.start()
    with pytest.raises(CliMissing):
        await make({"claude.cli_path": "/nowhere/claude"}).start()
    with pytest.raises(CliBroken, match=r"claude\.options\.cwd"):
        await make({"claude.options.cwd": "/nowhere"}).start()


async def test_servers_that_it_does_not_reach(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    worker = make(answers={"mcp_set_servers": {"errors": {"ccproxy": "ECONNREFUSED"}}})
    with pytest.raises(CliBroken, match=r"own MCP server 'ccproxy'.*ECONNREFUSED"):
        await worker.start()
    other = make(answers={"mcp_set_servers": {"errors": {"mine": "Bearer abc"}}})
    await other.start()
    assert "'mine'" in caplog.text


async def test_close_while_others_wait(make: Make) -> None:
    worker = await begun(make())
    await worker.send(turn({"sleep": 60}))
    waiting = asyncio.create_task(worker.line())
    interrupting = asyncio.create_task(worker.interrupt())
    await asyncio.sleep(0.05)
    await asyncio.gather(worker.close(), worker.close())
    for task in (waiting, interrupting):
        with pytest.raises(WorkerDied):
            await task
    with pytest.raises(WorkerDied, match="closed"):
        await worker.send(turn())


async def test_close_without_start(make: Make) -> None:
    worker = make()
    await worker.close()
    with pytest.raises(WorkerDied):
        await worker.start()


@pytest.mark.parametrize("delay", [0, 0.005, 0.02, 0.1])
async def test_close_during_start(make: Make, delay: float, tmp_path: Path) -> None:
    worker = make(silent=["mcp_set_servers"])
    starting = asyncio.create_task(worker.start())
    await asyncio.sleep(delay)
    await worker.close()
    with pytest.raises(AgentError):
        await starting
    assert not any(is_running(said["pid"]) for said in heard(tmp_path / "cli") if "pid" in said)


@pytest.mark.parametrize("silent", ["mcp_set_servers", "initialize"])
@pytest.mark.parametrize("delay", [0, 0.02, 0.2])
async def test_cancelled_callers_leave_nothing(make: Make, silent: str, delay: float, tmp_path: Path) -> None:
    worker = make(silent=[silent])
    working = asyncio.create_task(begun(worker))
    await asyncio.sleep(delay)
    working.cancel()
    await asyncio.wait({working})
    assert working.cancelled()
    assert not worker.alive
    assert not any(is_running(said["pid"]) for said in heard(tmp_path / "cli") if "pid" in said)


async def test_a_cancelled_close_goes_on(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccproxy.agent.process.TERM_SECONDS", 0.2)
    worker = await begun(make(ignores_term=True, ignores_eof=True))
    closing = asyncio.create_task(worker.close())
    await asyncio.sleep(0.1)
    closing.cancel()
    await asyncio.wait({closing})
    [pid] = [said["pid"] for said in heard(tmp_path / "cli") if "pid" in said]
    await until(lambda: not is_running(pid))


async def test_flags_of_another_worker_are_not_set_twice(make: Make, tmp_path: Path) -> None:
    first = await begun(make())
    second = make()
    await second.start(first.flags)
    before = len(requests(tmp_path / "cli"))
    await second.begin(setup(second))
    assert "apply_flag_settings" not in [one["subtype"] for one in requests(tmp_path / "cli")[before:]]
