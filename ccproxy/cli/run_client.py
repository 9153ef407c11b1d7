"""The client as a child in our own process group: the terminal is its, and what it ends with is ours.

Because it shares our group, whatever the terminal sends (Ctrl-C, Ctrl-Z, a new size, a hang-up) reaches the
client without us. We pass on what somebody sends to us alone, and when the client stops, we stop with it, so
that the shell gets its prompt back.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

SI_KERNEL = 0x80
"""Where a signal of the terminal's comes from on Linux (sigaction(2))."""

LOOK_AGAIN = 1.0
"""Seconds after which we look at the client without having heard of it."""


class CannotStartError(Exception):
    """The client cannot be started; `code` is what a shell would exit with."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def find_program(name: str, environ: Mapping[str, str]) -> str:
    """The file that a name stands for, as a shell finds it. Raises CannotStartError."""
    if found := shutil.which(name, path=environ.get("PATH", os.defpath)):
        return found
    if os.path.dirname(name) and Path(name).exists():
        raise CannotStartError(126, f"{name} is no program, or you may not run it.")
    raise CannotStartError(127, f"{name} is not there: is it installed, and on your PATH?")


def attend(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the client to its end; returns its exit code, or 128 and the signal. Raises CannotStartError."""
    program = find_program(command[0], environ)
    try:
        if not hasattr(os, "posix_spawn"):
            return attend_plainly(program, command, environ)
        return attend_with_signals(program, command, environ)
    except OSError as problem:
        code = 127 if isinstance(problem, FileNotFoundError) else 126
        raise CannotStartError(code, f"{program} cannot be started: {problem.strerror}") from None


def attend_plainly(program: str, command: Sequence[str], environ: Mapping[str, str]) -> int:
    """For Windows, where the console itself tells every program of a Ctrl-C."""
    child = subprocess.Popen([program, *command[1:]], env=dict(environ))  # noqa: S603
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue


def attend_with_signals(program: str, command: Sequence[str], environ: Mapping[str, str]) -> int:
    quiet = {signal.SIGCHLD, signal.SIGCONT, signal.SIGWINCH}
    watched = quiet | {
        *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT),
        *(signal.SIGTSTP, signal.SIGUSR1, signal.SIGUSR2),
    }
    for number in quiet:
        # a signal that is ignored, as these are, need not be kept for those who wait for it
        signal.signal(number, lambda *_: None)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    try:
        child = os.posix_spawn(
            program,
            list(command),
            dict(environ),
            setsigmask=before,
            # Python ignores these, and its children would, too
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
        )
        return wait_for(child, watched)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def wait_for(child: int, watched: set[signal.Signals]) -> int:
    """Pass signals on until the client has ended."""
    while True:
        number, by_terminal = next_signal(watched)
        if number == signal.SIGCHLD:
            pid, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
            if not pid:
                continue
            if os.WIFSTOPPED(status):
                os.kill(os.getpid(), signal.SIGSTOP)
                continue
            code = os.waitstatus_to_exitcode(status)
            return 128 - code if code < 0 else code
        if not by_terminal:
            os.kill(child, number)


def next_signal(watched: set[signal.Signals]) -> tuple[int, bool]:
    """The next signal, and whether the terminal has sent it, to the client as well."""
    if hasattr(signal, "sigtimedwait"):
        info = signal.sigtimedwait(watched, LOOK_AGAIN)
        # where other threads run, one of them may have taken the word of the client's end
        return (info.si_signo, info.si_code == SI_KERNEL) if info else (signal.SIGCHLD, False)
    # macOS does not say who sent it: in the foreground, these are the terminal's
    number = signal.sigwait(watched)
    return number, number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP) and in_foreground()


def in_foreground() -> bool:
    """Whether the terminal that we belong to, if any, is ours at the moment."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
