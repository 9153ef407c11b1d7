import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ccproxy.agent.errors import CliBroken, WorkerDied
from ccproxy.agent.guard import VARIABLE, descendants
from ccproxy.agent.process import STDERR_KEPT, CliProcess
from tests.support.fake_codex import is_running, until, written

ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""


class Running:
    """A process and what it says."""

    def __init__(self, tmp_path: Path) -> None:
        self.tmp_path = tmp_path
        self.output = b""
        self.ends = 0
        self.process: CliProcess

    async def python(self, code: str, **more: str) -> CliProcess:
        return await self.start(sys.executable, "-IS", "-c", code, **more)

    async def start(self, *command: str, **more: str) -> CliProcess:
        environment = {"PATH": os.environ["PATH"], VARIABLE: f"test-process-{self.tmp_path}", **more}
        self.process = CliProcess(command, environment, self.tmp_path, environment[VARIABLE])
        await self.process.start(self._received, self._ended)
        return self.process

    def _received(self, data: bytes) -> None:
        assert not self.ends
        self.output += data

    def _ended(self) -> None:
        self.ends += 1


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    running = Running(tmp_path)
    yield running
    if hasattr(running, "process"):
        await running.process.end()
        assert not running.process.running


async def test_writes_and_reads(running: Running) -> None:
    process = await running.python(ECHO)
    assert process.running
    await process.write(b"one\n")
    await process.write(b"two\n")
    await until(lambda: running.output == b"one\ntwo\n")
    process.close_input()
    await until(lambda: running.ends)
    assert (process.exit_code, process.running) == (0, False)
    await process.write(b"nobody reads this\n")


async def test_much_in_both_directions(running: Running) -> None:
    process = await running.python(ECHO)
    data = b"x" * 4_000_000 + b"\n"
    await asyncio.wait_for(process.write(data), 20)
    await until(lambda: len(running.output) == len(data))


async def test_all_output_is_there_before_the_end(running: Running) -> None:
    process = await running.python("print('y' * 300_000); import sys; sys.exit(7)")
    await until(lambda: running.ends)
    assert (len(running.output), process.exit_code) == (300_001, 7)


async def test_the_end_of_stderr_is_kept(running: Running) -> None:
    process = await running.python("import sys; sys.stderr.write('a' * 100_000 + 'end\\n')")
    await until(lambda: running.ends)
    assert len(process.stderr) == STDERR_KEPT
    assert process.stderr.endswith("aend\n")


async def test_an_idle_one_ends_with_its_input(running: Running) -> None:
    process = await running.python(ECHO)
    started = time.monotonic()
    await process.end()
    assert (process.exit_code, running.ends) == (0, 1)
    assert time.monotonic() - started < 2
    await asyncio.gather(process.end(), process.end())
    assert running.ends == 1


async def test_a_busy_one_is_asked_to(running: Running) -> None:
    process = await running.python("import time; time.sleep(60)")
    await process.end()
    assert process.exit_code == -15


async def test_a_deaf_one_is_killed(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccproxy.agent.process.TERM_SECONDS", 0.2)
    process = await running.python(DEAF)
    await until(lambda: running.output)
    await process.end()
    assert process.exit_code == -9


async def test_what_it_has_started_is_ended(running: Running, tmp_path: Path) -> None:
    code = "setsid sleep 60 & setsid env -u CCPROXY_WORKER sleep 60 & echo $$ $! > new; mv new pids; wait"
    process = await running.start("sh", "-c", code)
    assert await written(tmp_path / "pids")
    pids = await asyncio.to_thread(children, process)
    assert len(pids) == 2
    await process.end()
    assert not any(is_running(pid) for pid in pids)


def children(process: CliProcess) -> list[int]:
    assert process._transport
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = descendants(process._transport.get_pid())
        if [child.name() for child in found] == ["sleep", "sleep"]:
            return [child.pid for child in found]
        time.sleep(0.02)
    return []


async def test_what_a_killed_one_has_started_is_ended(running: Running, tmp_path: Path) -> None:
    """It holds the output open; the end is told all the same."""
    code = "setsid sleep 60 & echo $! > new; mv new pids; wait"
    process = await running.start("sh", "-c", code)
    pid = int(await written(tmp_path / "pids"))
    process.kill()
    await until(lambda: running.ends)
    assert not is_running(pid)
    assert process.exit_code == -9


async def test_one_that_closes_its_output_is_ended(running: Running) -> None:
    process = await running.python("import os, time; os.close(1); time.sleep(60)")
    await until(lambda: running.ends)
    assert process.exit_code == -15


async def test_a_caller_that_is_cancelled_does_not_stop_the_end(running: Running) -> None:
    process = await running.python("import time; time.sleep(60)")
    ending = asyncio.create_task(process.end())
    await asyncio.sleep(0.05)
    ending.cancel()
    await asyncio.wait({ending})
    assert ending.cancelled()
    await until(lambda: running.ends)
    assert not process.running


async def test_a_cancelled_start_leaves_nothing(running: Running, tmp_path: Path) -> None:
    starting = asyncio.create_task(running.start("sh", "-c", "echo $$ > new; mv new pid; sleep 60"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    starting.cancel()
    await asyncio.wait({starting})
    assert starting.cancelled()
    pid = int(await written(tmp_path / "pid"))
    await running.process.end()
    assert not is_running(pid)


async def test_ended_before_it_is_started(running: Running) -> None:
    process = CliProcess(["sleep", "60"], {}, None, "none")
    await process.end()
    with pytest.raises(WorkerDied):
        await process.start(print, print)
    assert not process.running


async def test_what_cannot_be_started(tmp_path: Path) -> None:
    (tmp_path / "claude").write_bytes(b"\x7fELF")
    (tmp_path / "claude").chmod(0o755)
    for program in (tmp_path / "claude", tmp_path / "nothing", tmp_path):
        process = CliProcess([str(program)], {}, tmp_path, "none")
        with pytest.raises(CliBroken, match=r"cannot be started: .* Look at") as caught:
            await process.start(print, print)
        assert str(tmp_path) not in str(caught.value)
        await process.end()
    process = CliProcess(["true"], {}, tmp_path / "nowhere", "none")
    with pytest.raises(CliBroken, match=r"claude\.options\.cwd: there is no such folder"):
        await process.start(print, print)


async def test_the_loop_is_not_blocked_by_looking_for_processes(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object) -> list[object]:
        time.sleep(1)
        return []

    for name in ("descendants", "sweep"):
        monkeypatch.setattr(f"ccproxy.agent.process.{name}", slow)
    process = await running.python(ECHO)
    ending = asyncio.create_task(process.end())
    longest, last = 0.0, time.monotonic()
    while not ending.done():
        await asyncio.sleep(0.01)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    assert longest < 0.8
