import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from ccproxy.agent.guard import VARIABLE, Guard, descendants, remove, sweep
from tests.support.fake_codex import is_running

DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""

PROXY = """
import subprocess, sys, time
from ccproxy.agent.guard import VARIABLE, Guard
guard = Guard()
folder = guard.start()
(folder / "some").mkdir()
child = subprocess.Popen(["sleep", "60"], env={VARIABLE: guard.marker + "-1"}, start_new_session=True)
print(folder, child.pid, guard._process.pid, flush=True)
time.sleep(60)
"""
"""Stands for the proxy."""


class Sleeper:
    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack

    def __call__(self, marker: str, *command: str) -> subprocess.Popen[bytes]:
        """A process with this marker, once it is up."""
        environment = {"PATH": os.environ["PATH"], VARIABLE: marker}
        child = subprocess.Popen(command or ("sleep", "60"), env=environment, stdout=subprocess.PIPE)
        self.stack.callback(child.communicate)
        self.stack.callback(child.kill)
        if command:
            assert child.stdout
            child.stdout.readline()
        return child


@pytest.fixture
def sleeper() -> Iterator[Sleeper]:
    with ExitStack() as stack:
        yield Sleeper(stack)


def gone(*pids: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(is_running(pid) for pid in pids):
            return True
        time.sleep(0.02)
    return False


def test_sweep_ends_what_is_marked_and_nothing_else(sleeper: Sleeper) -> None:
    mine, other = sleeper("test-guard-a-1"), sleeper("test-guard-b-1")
    deaf = sleeper("test-guard-a-2", sys.executable, "-c", DEAF)
    sweep("test-guard-a")
    assert gone(mine.pid, deaf.pid, seconds=1)
    assert is_running(other.pid)
    assert mine.wait() == -signal.SIGTERM
    assert deaf.wait() == -signal.SIGKILL


def test_sweep_ends_what_is_below_a_marked_one_and_what_is_known(sleeper: Sleeper) -> None:
    """The system may hide the environment of some."""
    parent = sleeper("test-guard-c", "sh", "-c", f"env -u {VARIABLE} sleep 60 & echo up; wait")
    [child] = descendants(parent.pid)
    known = sleeper("")
    sweep("test-guard-c", [psutil.Process(known.pid)])
    assert gone(parent.pid, child.pid, known.pid, seconds=1)


def test_nothing_to_sweep() -> None:
    started = time.monotonic()
    sweep("test-guard-nothing")
    assert time.monotonic() - started < 2
    assert descendants(2**22 + 1) == []


def test_remove(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_text("x")
    remove(tmp_path / "a")
    assert not (tmp_path / "a").exists()
    remove(tmp_path / "a")


def test_it_is_started_once_and_closed(sleeper: Sleeper) -> None:
    guard = Guard()
    folder = guard.start()
    assert guard.start() == folder
    assert folder.stat().st_mode & 0o777 == 0o700
    left = sleeper(f"{guard.marker}-1")
    guard.close()
    assert not folder.exists()
    assert not is_running(left.pid)
    guard.close()


def test_close_without_start() -> None:
    Guard().close()


def test_a_guard_that_was_killed_is_replaced_by_the_proxy_itself(
    sleeper: Sleeper, caplog: pytest.LogCaptureFixture
) -> None:
    guard = Guard()
    folder = guard.start()
    left = sleeper(f"{guard.marker}-1")
    assert guard._process
    guard._process.kill()
    guard.close()
    assert not folder.exists()
    assert not is_running(left.pid)
    assert "guard" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_outlives_a_proxy_that_is_killed(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PROXY], stdout=subprocess.PIPE, text=True) as proxy:
        assert proxy.stdout
        folder, *pids = proxy.stdout.readline().split()
        child, guard = map(int, pids)
        assert os.getsid(guard) == guard
        for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            await_ignored(guard, ignored)
        assert Path(folder, "some").exists()
        proxy.send_signal(number)
        proxy.wait()
    assert gone(child, guard)
    assert not Path(folder).exists()


def await_ignored(pid: int, number: signal.Signals) -> None:
    """What is said to the whole terminal or service does not end it."""
    if Path("/proc/self").exists():
        deadline = time.monotonic() + 10
        while (
            not int(Path(f"/proc/{pid}/status").read_text().partition("SigIgn:\t")[2][:16], 16)
            >> (number - 1)
            & 1
        ):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    os.kill(pid, number)
    assert is_running(pid)
