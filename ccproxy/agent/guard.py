"""Sees to it that nothing that Claude Code started outlives the proxy, however that ends.

`python guard.py MARKER FOLDER` is a small process that reads a pipe from the proxy. When the pipe ends, also
because the proxy was killed, it ends every process that carries the marker, and removes the folder.
"""

import contextlib
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

VARIABLE = "CCPROXY_WORKER"
TERM_SECONDS = 2.0
"""How long a process may take to end when it is asked to."""
_KILL_SECONDS = 1.0
_CLOSE_SECONDS = 15.0

logger = logging.getLogger(__name__)


class Guard:
    """`marker` is what the markers of all workers begin with, `folder` holds their temporary files.

    Both methods wait for the system: they are not for the event loop.
    """

    def __init__(self) -> None:
        self.marker = f"ccproxy-{os.getpid()}-{secrets.token_hex(6)}"
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Path:
        """The folder, made together with the process that guards it, once. Raises OSError."""
        with self._lock:
            if self._folder is None:
                # short: the path of a socket in it must not exceed 104 bytes
                self._folder = Path(tempfile.mkdtemp(prefix="ccproxy-"))
                # without -P the modules beside this file would stand before those of the same name elsewhere
                command = [sys.executable, "-P", __file__, self.marker, str(self._folder)]
                self._process = subprocess.Popen(  # noqa: S603 - ourselves
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            return self._folder

    def close(self) -> None:
        """End what is left, and the guarding process; can be called again."""
        with self._lock:
            process, self._process = self._process, None
            folder, self._folder = self._folder, None
            if process:
                assert process.stdin
                process.stdin.close()
                try:
                    process.wait(_CLOSE_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            if folder and folder.exists():
                logger.warning("The guard of the Claude Code processes was gone; cleaning up without it.")
                sweep(self.marker)
                remove(folder)


def descendants(pid: int) -> list[psutil.Process]:
    """What this process has started, and what that has."""
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).children(recursive=True)
    return []


def sweep(marker: str, known: Iterable[psutil.Process] = ()) -> None:
    """End every process whose marker begins with this one, those below it, and the known ones.

    The system hides the environment of some programs (on macOS, of those that come with it).
    """
    known = list(known)
    for _ in range(3):  # one that was just being started may have been missed
        left = {process for process in (*known, *_marked(marker)) if _runs(process)}
        left |= {child for process in left for child in descendants(process.pid)}
        if not left:
            return
        for end, seconds in ((psutil.Process.terminate, TERM_SECONDS), (psutil.Process.kill, _KILL_SECONDS)):
            for process in left:
                with contextlib.suppress(psutil.Error):
                    end(process)
            left = _after(left, seconds)


def _marked(marker: str) -> Iterable[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(VARIABLE, "").startswith(marker):
                yield process


def _after(processes: Iterable[psutil.Process], seconds: float) -> set[psutil.Process]:
    """Those that still run then. Not psutil's wait, which would take asyncio's children from it."""
    deadline = time.monotonic() + seconds
    left = {process for process in processes if _runs(process)}
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = {process for process in left if _runs(process)}
    return left


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def remove(folder: Path) -> None:
    """The folder with all in it, as far as that is possible."""
    for _ in range(10):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.05)  # what has just ended may have been writing


def _main(marker: str, folder: str) -> None:
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    while os.read(0, 1024):
        pass
    sweep(marker)
    remove(Path(folder))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2])
