"""The permission handler as a child process that is talked to by lines, on pipes or on a terminal."""

import os
import pty
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import BIN, clean_environment

HANDLER = [str(BIN / "ccproxy"), "permission-handler"]


class Talk:
    """What it says comes in beside; `said` is everything so far."""

    def __init__(self, child: "subprocess.Popen[bytes]", to: int, of: int) -> None:
        self.child = child
        self._to = to
        self._of = of
        self._said = b""
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        while True:
            try:
                chunk = os.read(self._of, 65536)
            except OSError:
                # the other side of a terminal has gone
                return
            if not chunk:
                return
            self._said += chunk

    @property
    def raw(self) -> bytes:
        return self._said

    @property
    def said(self) -> str:
        return self._said.decode(errors="replace").replace("\r\n", "\n")

    def wait_for(self, pattern: str, after: int = 0, seconds: float = 15) -> re.Match[str]:
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.said[after:], re.MULTILINE)):
            assert time.monotonic() < deadline, f"{pattern!r} was not said:\n{self.said}"
            time.sleep(0.02)
        return found

    def type(self, text: str) -> None:
        os.write(self._to, text.encode())

    def line(self, text: str, then: str) -> re.Match[str]:
        """Type a line, and wait for what comes of it."""
        before = len(self.said)
        self.type(f"{text}\n")
        return self.wait_for(then, before)

    def hang_up(self) -> None:
        """The end of its input."""
        os.close(self._to)
        self._to = -1

    def interrupt(self) -> None:
        self.child.send_signal(signal.SIGINT)

    def end(self, seconds: float = 15) -> int:
        """The exit code, once it has ended by itself."""
        code = self.child.wait(seconds)
        self._reading.join(5)
        return code

    def close(self) -> None:
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        if self._to >= 0:
            os.close(self._to)
        self._reading.join(5)
        if self._of != self._to:
            os.close(self._of)


@contextmanager
def on_pipes(home: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[Talk]:
    """With stdin and stdout on pipes; what goes to stderr is said, too."""
    given, to = os.pipe()
    of, taken = os.pipe()
    child = subprocess.Popen(
        [*HANDLER, *arguments],
        cwd=home,
        env=clean_environment(home, environment),
        stdin=given,
        stdout=taken,
        stderr=taken,
    )
    os.close(given)
    os.close(taken)
    talk = Talk(child, to, of)
    try:
        yield talk
    finally:
        talk.close()


@contextmanager
def on_a_terminal(home: Path, *arguments: str, term: str) -> Iterator[Talk]:
    """With a terminal at both ends that nobody interprets: its bytes are `raw`."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [*HANDLER, *arguments],
        cwd=home,
        env=clean_environment(home, {"TERM": term}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    talk = Talk(child, ours, ours)
    try:
        yield talk
    finally:
        talk.close()
