import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from ccproxy.agent import pool as module
from ccproxy.agent.errors import AgentError, CliMissing, WorkerDied
from ccproxy.agent.guard import Guard
from ccproxy.agent.pool import Pool
from ccproxy.agent.worker import Worker
from ccproxy.settings.sources import load
from tests.support.fake_claude import fake_claude, heard
from tests.support.fake_codex import is_running, until

Make = Callable[..., Pool]


@pytest.fixture
async def make(tmp_path: Path, guard: Guard, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """Makes pools; whatever they have started is gone in the end, but for what was taken."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.1)
    pools = []

    def make(size: int, **play: Any) -> Pool:
        fake_claude(tmp_path, **play)
        settings = load({"claude.cli_path": str(tmp_path / "claude")}, environ={}).settings
        pool = Pool(lambda: Worker(settings, guard, lambda token: {}), size, None)
        pools.append(pool)
        pool.start()
        return pool

    yield make
    for pool in pools:
        await pool.close()
        assert pool.status()["ready"] == pool.status()["starting"] == 0


def pids(tmp_path: Path) -> list[int]:
    return [said["pid"] for said in heard(tmp_path) if "pid" in said]


async def ready(pool: Pool, count: int) -> None:
    await until(lambda: pool.status()["ready"] == count)


async def test_it_keeps_some_ready(make: Make, tmp_path: Path) -> None:
    pool = make(2)
    await ready(pool, 2)
    assert pool.status() == {"size": 2, "ready": 2, "starting": 0, "failures": 0}
    worker = await pool.take()
    assert worker.alive
    assert pool.status()["ready"] == 1
    await ready(pool, 2)
    assert len(pids(tmp_path)) == 3
    await worker.close()


async def test_many_at_once(make: Make, tmp_path: Path) -> None:
    pool = make(1)
    await ready(pool, 1)
    workers = await asyncio.gather(*(pool.take() for _ in range(4)))
    assert len(set(workers)) == 4
    assert all(worker.alive for worker in workers)
    await asyncio.gather(*(worker.close() for worker in workers))


async def test_without_any_kept_ready(make: Make, tmp_path: Path) -> None:
    pool = make(0)
    await asyncio.sleep(0.2)
    assert pids(tmp_path) == []
    worker = await pool.take()
    assert worker.alive
    await worker.close()
    assert len(pids(tmp_path)) == 1


async def test_one_that_died_is_replaced(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pool = make(1)
    await ready(pool, 1)
    [first] = pids(tmp_path)
    os.kill(first, signal.SIGKILL)
    await until(lambda: len(pids(tmp_path)) == 2)
    await ready(pool, 1)
    await until(lambda: pool.status()["failures"] == 0)
    assert "ended while it waited" in caplog.text


async def test_several_that_died_while_somebody_takes_one(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close, taking = Worker.close, []

    async def slowly(worker: Worker) -> None:
        taking.append(asyncio.create_task(pool.take()))
        await asyncio.sleep(0.2)
        await close(worker)

    pool = make(2)
    await ready(pool, 2)
    with monkeypatch.context() as patched:
        patched.setattr(Worker, "close", slowly)
        for pid in pids(tmp_path):
            os.kill(pid, signal.SIGKILL)
        await until(lambda: bool(taking))
        await asyncio.sleep(0.3)
    for worker in await asyncio.gather(*taking):
        await worker.close()
    await ready(pool, 2)


async def test_one_that_died_is_not_given_out(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 60)
    pool = make(1)
    await ready(pool, 1)
    [first] = pids(tmp_path)
    os.kill(first, signal.SIGKILL)
    await ready(pool, 0)
    worker = await pool.take()
    assert worker.alive
    await worker.close()


@pytest.mark.parametrize("play", [{"first": [{"exit": 1}]}, {"first": [{"sleep": 0.01}, {"exit": 0}]}])
async def test_it_is_patient_with_one_that_does_not_start(
    make: Make, tmp_path: Path, play: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    pool = make(2, **play)
    await until(lambda: pool.status()["failures"] >= 4)
    tries, began = len(pids(tmp_path)), time.monotonic()
    await asyncio.sleep(0.5)
    assert len(pids(tmp_path)) - tries <= 1
    assert time.monotonic() - began < 5
    assert caplog.text.count("can be kept ready") == 1
    with pytest.raises(AgentError):
        await pool.take()
    fake_claude(tmp_path)
    worker = await pool.take()
    await worker.close()
    await ready(pool, 2)
    await until(lambda: pool.status()["failures"] == 0)


async def test_one_that_starts_and_dies_at_once(make: Make, tmp_path: Path) -> None:
    """A start that succeeds is no success yet."""
    pool = make(1, answers={"mcp_set_servers": {}}, dies_after="mcp_set_servers")
    await until(lambda: pool.status()["failures"] >= 4)
    tries = len(pids(tmp_path))
    await asyncio.sleep(0.5)
    assert len(pids(tmp_path)) - tries <= 1


async def test_missing(guard: Guard) -> None:
    settings = load({"claude.cli_path": "/nowhere"}, environ={}).settings
    pool = Pool(lambda: Worker(settings, guard, lambda token: {}), 0, None)
    with pytest.raises(CliMissing):
        await pool.take()
    await pool.close()


@pytest.mark.parametrize("delay", [0, 0.02, 0.2])
async def test_close_at_any_time(make: Make, tmp_path: Path, delay: float) -> None:
    pool = make(3)
    taking = asyncio.create_task(pool.take())
    await asyncio.sleep(delay)
    await asyncio.gather(pool.close(), pool.close())
    [taken] = await asyncio.gather(taking, return_exceptions=True)
    if isinstance(taken, Worker):
        await taken.close()
    else:
        assert isinstance(taken, AgentError)
    assert not any(is_running(pid) for pid in pids(tmp_path))
    with pytest.raises(WorkerDied):
        await pool.take()


async def test_a_cancelled_taker_leaves_nothing(make: Make, tmp_path: Path) -> None:
    pool = make(0, silent=["mcp_set_servers"])
    taking = asyncio.create_task(pool.take())
    await until(lambda: pids(tmp_path))
    taking.cancel()
    await asyncio.wait({taking})
    assert taking.cancelled()
    assert not any(is_running(pid) for pid in pids(tmp_path))
    assert pool.status()["starting"] == 0
