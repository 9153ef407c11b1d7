"""Child processes: started with a clean environment, watched through /proc, always ended. Linux only."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_SECONDS_TO_STOP = 5
_LOG_TAIL_LINES = 15

_living: set[int] = set()
"""Process groups that we started and have not ended yet; a group has the pid of its first process."""


@dataclass(frozen=True)
class Command:
    """What to start, and the variables it gets besides HOME and PATH."""

    argv: list[str]
    env: Mapping[str, str] = field(default_factory=dict)


class Child:
    """A running command and whatever processes it started in turn."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    def cpu_seconds(self) -> float:
        """CPU time spent so far by the whole process tree, children that have ended included."""
        ticks = sum(sum(map(int, fields[11:15])) for fields in self._tree_stats())
        return ticks / _TICKS_PER_SECOND

    def resident_bytes(self) -> int:
        """Resident memory of the whole process tree; pages that two processes share count twice."""
        return sum(resident_bytes(int(fields[-1])) for fields in self._tree_stats())

    def log_tail(self) -> str:
        """The last lines that the command printed."""
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-_LOG_TAIL_LINES:])

    def _tree_stats(self) -> list[list[str]]:
        """Fields of /proc/PID/stat after the command name, with the pid appended, for each process."""
        stats = {int(fields[-1]): fields for fields in _all_stats()}
        tree = [self._process.pid]
        for parent in tree:  # grows while it is walked
            tree += [pid for pid, fields in stats.items() if int(fields[1]) == parent]
        return [stats[pid] for pid in tree if pid in stats]


@asynccontextmanager
async def running(command: Command, home: Path) -> AsyncIterator[Child]:
    """The command, for as long as the block runs, with `home` as its HOME and working directory.

    PATH leads to a directory that does not exist: no contender shall find and start the user's tools.
    """
    log = home / "output.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command.argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=home,
            env={"HOME": str(home), "PATH": str(home / "bin"), **command.env},
            start_new_session=True,
        )
    _living.add(process.pid)
    try:
        yield Child(process, log)
    finally:
        await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    _signal_group(process.pid, signal.SIGTERM)
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), _SECONDS_TO_STOP)
    _signal_group(process.pid, signal.SIGKILL)  # whoever of the group did not follow
    await process.wait()
    _living.discard(process.pid)


def end_all() -> None:
    """Kills whatever still runs: the last resort when a second Ctrl-C broke off the orderly end."""
    for group in list(_living):
        _signal_group(group, signal.SIGKILL)


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


def _all_stats() -> list[list[str]]:
    stats = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit():
            with suppress(OSError):  # it ended meanwhile
                text = (directory / "stat").read_text()
                stats.append([*text.rpartition(")")[2].split(), directory.name])
    return stats


def resident_bytes(pid: int) -> int:
    """Resident memory of one process; 0 when it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0


def new_home(home: Path) -> Path:
    """The directory, made unless an earlier start left it."""
    home.mkdir(parents=True, exist_ok=True)
    return home


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
