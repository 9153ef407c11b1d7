"""Signals and the terminal, with real processes: a client that writes down what reaches it."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ccproxy.cli.run_client import CannotStartError, attend, find_program
from tests.support.processes import clean_environment, started

ATTEND = (
    "import os, sys; from ccproxy.cli.run_client import attend; sys.exit(attend(sys.argv[1:], os.environ))"
)
CLIENT = """
import os, signal, sys, time
print("group", os.getpgrp() == os.getpgid(os.getppid()), flush=True)
print("blocked", sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), flush=True)
def note(number, frame):
    os.write(1, f"got {signal.Signals(number).name}\\n".encode())
    if number == signal.SIGUSR2:
        sys.exit(7)
for name in ("INT", "TERM", "HUP", "QUIT", "CONT", "WINCH", "USR1", "USR2"):
    signal.signal(getattr(signal, "SIG" + name), note)
print("ready", flush=True)
while True:
    time.sleep(0.05)
"""


def client(home: Path) -> list[str]:
    """The command of a client of ours, and of who attends to it."""
    (home / "client.py").write_text(CLIENT)
    return [sys.executable, "-c", ATTEND, sys.executable, str(home / "client.py")]


def test_the_clients_exit_code() -> None:
    assert attend([sys.executable, "-c", "import sys; sys.exit(42)"], os.environ) == 42
    assert attend(["true"], os.environ) == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_client_that_a_signal_ends(number: signal.Signals) -> None:
    assert attend(["sh", "-c", f"ulimit -c 0; kill -{int(number)} $$"], os.environ) == 128 + number


def test_clients_that_cannot_be_started(home: Path) -> None:
    for name, code in (("nonesuch", 127), (str(home / "none"), 127), (str(home), 126), ("/etc/passwd", 126)):
        with pytest.raises(CannotStartError) as raised:
            attend([name], os.environ)
        assert raised.value.code == code
        assert name in str(raised.value)
    script = home / "script"
    script.write_text("#!/nowhere/sh\n")
    script.chmod(0o755)
    with pytest.raises(CannotStartError, match="cannot be started: No such file") as raised:
        attend([str(script)], os.environ)
    assert raised.value.code == 127


def test_it_is_found_on_the_clients_path(home: Path) -> None:
    (home / "mine").write_text("#!/bin/sh\nexit 5\n")
    (home / "mine").chmod(0o755)
    assert find_program("mine", {"PATH": str(home)}) == str(home / "mine")
    assert attend(["mine"], {"PATH": str(home)}) == 5


def test_signals_are_passed_on(home: Path) -> None:
    with started(client(home), home) as process:
        process.wait_for("ready")
        assert "group True" in process.output
        # what we hold back for ourselves the client does not inherit
        assert "blocked []" in process.output
        for name in ("INT", "TERM", "HUP", "QUIT", "CONT", "WINCH", "USR1"):
            process.child.send_signal(getattr(signal, f"SIG{name}"))
            process.wait_for(f"got SIG{name}")
        process.child.send_signal(signal.SIGUSR2)
        assert process.child.wait(5) == 7
        assert process.output.count("got ") == 8


def test_stopped_and_continued_from_outside(home: Path) -> None:
    # a group of its own, with a parent in the session: no other is ever stopped
    own_group = "import os, sys; os.setpgid(0, 0); os.execv(sys.argv[1], sys.argv[1:])"
    with started([sys.executable, "-c", own_group, *client(home)], home) as process:
        process.wait_for("ready")
        process.child.send_signal(signal.SIGTSTP)
        deadline, status = time.monotonic() + 10, 0
        while not status and time.monotonic() < deadline:
            _, status = os.waitpid(process.child.pid, os.WUNTRACED | os.WNOHANG)
            time.sleep(0.02)
        assert os.WIFSTOPPED(status)
        process.child.send_signal(signal.SIGCONT)
        process.wait_for("got SIGCONT")
        process.child.send_signal(signal.SIGUSR2)
        assert process.child.wait(5) == 7


class Terminal:
    """A shell with job control in a terminal of its own."""

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        self.child = child
        self.text = ""

    def type(self, text: str) -> None:
        assert self.child.stdin
        self.child.stdin.write(text.encode())
        self.child.stdin.flush()

    def wait_for(self, pattern: str, seconds: float = 10) -> re.Match[str]:
        """The first match, after which the search goes on the next time."""
        assert self.child.stdout
        deadline = time.monotonic() + seconds
        while not (match := re.search(pattern, self.text)):
            left = deadline - time.monotonic()
            assert select.select([self.child.stdout], [], [], max(left, 0))[0], self.text
            self.text += os.read(self.child.stdout.fileno(), 4096).decode(errors="replace")
        self.text = self.text[match.end() :]
        return match


@contextmanager
def terminal(home: Path) -> Iterator[Terminal]:
    shell = "import pty; pty.spawn(['bash', '--norc', '--noprofile', '-i'])"
    with subprocess.Popen(
        [sys.executable, "-c", shell],
        cwd=home,
        env=clean_environment(home, {"PS1": "prompt> ", "TERM": "dumb"}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as child:
        try:
            seen = Terminal(child)
            seen.wait_for("prompt> ")
            yield seen
        finally:
            child.kill()


def command_line(home: Path) -> str:
    """The client's command in a script: short, whatever the width of the terminal."""
    program, option, code, *rest = client(home)
    (home / "go").write_text(f"#!/bin/sh\nexec {program} {option} '{code}' {' '.join(rest)}\n")
    (home / "go").chmod(0o755)
    return "./go"


def test_the_terminals_keys_reach_the_client_once(home: Path) -> None:
    with terminal(home) as seen:
        seen.type(f"{command_line(home)}\n")
        seen.wait_for("ready")
        seen.type("\x03")
        seen.wait_for("got SIGINT")
        seen.type("\x1c")
        seen.wait_for("got SIGQUIT")
        time.sleep(0.3)
        seen.type("\x03")
        seen.wait_for("got SIGINT")
        assert "got" not in seen.text


def test_ctrl_z_and_fg(home: Path) -> None:
    with terminal(home) as seen:
        seen.type(f"{command_line(home)}\n")
        seen.wait_for("ready")
        seen.type("\x1a")
        seen.wait_for("Stopped")
        seen.type("echo the shell is $((40 + 2))\n")
        seen.wait_for("the shell is 42")
        seen.type("fg\n")
        seen.wait_for("got SIGCONT")
        seen.type("\x03")
        seen.wait_for("got SIGINT")


def test_a_client_that_stops_itself(home: Path) -> None:
    """As full-screen programs do, which read Ctrl-Z themselves."""
    (home / "stops.sh").write_text("kill -TSTP $$\necho again\n")
    with terminal(home) as seen:
        code = ATTEND.replace("sys.argv[1:]", '["bash", "stops.sh"]')
        (home / "go").write_text(f"#!/bin/sh\nexec {sys.executable} -c '{code}'\n")
        seen.type("sh go\n")
        seen.wait_for("Stopped")
        seen.type("fg\n")
        seen.wait_for("again")


def test_the_client_may_read_and_shape_the_terminal(home: Path) -> None:
    """Only who is in the foreground may."""
    script = (
        "import os, tty; tty.setraw(0); print(os.isatty(1), os.tcgetpgrp(0) == os.getpgrp(), os.read(0, 1))"
    )
    (home / "tui.py").write_text(script)
    with terminal(home) as seen:
        code = ATTEND.replace("sys.argv[1:]", '["python", "tui.py"]')
        (home / "go").write_text(f"#!/bin/sh\n{sys.executable} -c '{code}'; stty sane; echo ended $?\n")
        seen.type("sh go\n")
        time.sleep(0.5)
        seen.type("\x03")
        assert seen.wait_for(r"(True|False) (True|False) b'(\S+)'").groups() == ("True", "True", "\\x03")
