"""A real terminal that a test can look at and type into: tmux, with a server of its own."""

import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.support.processes import clean_environment


class Terminal:
    """One window. `screen` is what a person would see."""

    def __init__(self, socket: Path, home: Path, width: int, height: int) -> None:
        self._socket = socket
        self._environment = clean_environment(home)
        self._config = home / "tmux.conf"
        self._config.write_text("set -g status off\n")
        size = ("-x", str(width), "-y", str(height))
        self._run("new-session", "-d", *size, "-c", str(home), "PS1='$ ' ENV= sh")

    def _run(self, *words: str) -> str:
        command = ["tmux", "-u", "-f", str(self._config), "-S", str(self._socket), *words]
        done = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, timeout=20, check=True
        )
        return done.stdout

    @property
    def screen(self) -> str:
        return self._run("capture-pane", "-p")

    @property
    def colours(self) -> str:
        """The screen with the escape sequences of its colours."""
        return self._run("capture-pane", "-p", "-e")

    @property
    def rows(self) -> list[str]:
        return self.screen.split("\n")[:-1]

    def shown(self, name: str) -> str:
        """A fact about the window, such as `alternate_on` or `cursor_flag`."""
        return self._run("display-message", "-p", f"#{{{name}}}").strip()

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names: a, Enter, Escape, C-c, PageDown."""
        self._run("send-keys", *names)

    def type(self, text: str) -> None:
        self._run("send-keys", "-l", "--", text)

    def command(self, words: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Run a command in the shell, once it is ready; its exit code is written behind it."""
        self.wait_for(r"^\$\s*\Z")
        variables = [f"{name}={value}" for name, value in (environment or {}).items()]
        self.type(f"{shlex.join(['env', *variables, *words])}; echo EXIT=$?")
        self.keys("Enter")

    def resize(self, width: int, height: int) -> None:
        self._run("resize-window", "-x", str(width), "-y", str(height))

    def wait_for(self, pattern: str, seconds: float = 15) -> re.Match[str]:
        """Until the screen has it; fails with the screen when time is up."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := re.search(pattern, self.screen, re.MULTILINE):
                return found
            time.sleep(0.03)
        raise AssertionError(f"{pattern!r} is not on the screen:\n{self.screen}")

    def wait_until_gone(self, pattern: str, seconds: float = 15) -> None:
        deadline = time.monotonic() + seconds
        while re.search(pattern, self.screen, re.MULTILINE):
            assert time.monotonic() < deadline, f"{pattern!r} is still on the screen:\n{self.screen}"
            time.sleep(0.03)

    def terminate(self, word: str) -> None:
        """SIGTERM for the process in it that has this word on its command line."""
        below = psutil.Process(int(self.shown("pane_pid"))).children(recursive=True)
        (found,) = (process for process in below if word in process.cmdline())
        found.terminate()

    def end(self) -> None:
        self._run("kill-server")


@contextmanager
def terminal(home: Path, width: int = 80, height: int = 24) -> Iterator[Terminal]:
    """A terminal for the length of the block; the test is skipped where tmux is missing."""
    if not shutil.which("tmux"):
        pytest.skip("tmux is not installed")
    # not in the test's own folder: the path of a socket may have 104 characters at most on some systems
    socket = Path(tempfile.gettempdir()) / f"ccp-{time.monotonic_ns()}.tmux"
    window = Terminal(socket, home, width, height)
    try:
        yield window
    finally:
        window.end()
        socket.unlink(missing_ok=True)
