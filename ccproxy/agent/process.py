"""One operating system process with pipes, and how it is ended for certain."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

from ccproxy.agent.errors import CliBroken, WorkerDied
from ccproxy.agent.guard import descendants, sweep

STDERR_KEPT = 4096
"""Bytes of the end of standard error."""

CLOSE_SECONDS = 0.5
"""How long it may take to end after its standard input did: an idle Claude Code 2.1.330 needs 0.03 s."""
TERM_SECONDS = 3.0
KILL_SECONDS = 2.0
LATE_OUTPUT_SECONDS = 0.5
"""How long output is waited for after the end: what the process has started may hold the pipe open."""

logger = logging.getLogger(__name__)


class CliProcess(asyncio.SubprocessProtocol):
    """Output goes to `received` as it comes, whoever reads it or not; `ended` is called once, after the last.

    `marker` is in the environment of the process and of all that it starts.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], cwd: Path | None, marker: str
    ) -> None:
        self._command, self._environment, self._cwd, self._marker = command, environment, cwd, marker
        self._stderr = bytearray()
        self._transport: asyncio.SubprocessTransport | None = None
        self._exited = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._launching: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._received: Callable[[bytes], None] = lambda data: None
        self._ended: Callable[[], None] | None = None

    async def start(self, received: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        """Raises CliBroken when the system cannot, and WorkerDied when it has been ended already."""
        if self._ending:
            raise WorkerDied(None)
        self._received, self._ended = received, ended
        # a caller that is cancelled would leave a process half made, whose children nobody knows
        self._launching = asyncio.create_task(self._launch())
        await asyncio.shield(self._launching)

    async def _launch(self) -> None:
        try:
            await asyncio.get_running_loop().subprocess_exec(
                lambda: self,
                *self._command,
                env=self._environment,
                cwd=self._cwd,
                # Ctrl-C in the proxy's terminal is the proxy's
                start_new_session=True,
            )
        except OSError as error:
            raise CliBroken(_why_not(error, self._cwd)) from error

    @property
    def running(self) -> bool:
        return self._transport is not None and not self._exited.is_set()

    @property
    def exit_code(self) -> int | None:
        return self._transport.get_returncode() if self._transport else None

    @property
    def stderr(self) -> str:
        """The end of it, as it was: it may hold secrets."""
        return self._stderr.decode(errors="replace")

    async def write(self, data: bytes) -> None:
        """To its standard input. What is written to a process that is gone is lost: its end says so."""
        if self._transport and self.running and (pipe := self._stdin()) and not pipe.is_closing():
            pipe.write(data)
            await self._writable.wait()

    def close_input(self) -> None:
        if pipe := self._stdin():
            pipe.close()

    def kill(self) -> None:
        """At once; `end` is still to be called."""
        self._send(signal.SIGKILL)

    async def end(self) -> None:
        """End it and all that it started. Can be called again, and goes on when the caller is cancelled."""
        await asyncio.shield(self._end_soon())

    def _end_soon(self) -> asyncio.Task[None]:
        """Whoever says nothing any more is ended as well: it is of no use."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        return self._ending

    async def _end(self) -> None:
        if self._launching is None:
            return
        await asyncio.wait({self._launching})
        if self._launching.exception() or not self._transport:
            return
        known = await asyncio.to_thread(descendants, self._transport.get_pid()) if self.running else []
        self.close_input()
        for seconds, harder in (
            (CLOSE_SECONDS, signal.SIGTERM),
            (TERM_SECONDS, signal.SIGKILL),
            (KILL_SECONDS, None),
        ):
            if await self._exits_within(seconds):
                break
            if harder:
                self._send(harder)
        try:
            await asyncio.to_thread(sweep, self._marker, known)
        except Exception:
            logger.exception("What Claude Code has started could not be looked for.")
        self._finish()

    async def _exits_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._exited.wait(), seconds)
        return self._exited.is_set()

    def _send(self, number: signal.Signals) -> None:
        if self._transport and self.running:
            with contextlib.suppress(ProcessLookupError):
                self._transport.send_signal(number)

    def _stdin(self) -> asyncio.WriteTransport | None:
        pipe = self._transport.get_pipe_transport(0) if self._transport else None
        return cast("asyncio.WriteTransport | None", pipe)

    def _finish(self) -> None:
        """No more output: let go of the pipes."""
        self._writable.set()
        if self._transport:
            self._transport.close()
        ended, self._ended = self._ended, None
        if ended:
            ended()

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 1:
            if self._ended:
                self._received(data)
        else:
            self._stderr += data
            del self._stderr[:-STDERR_KEPT]

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == 0:
            self._writable.set()
        if fd == 1:
            self._end_soon()

    def process_exited(self) -> None:
        self._exited.set()
        self._writable.set()
        asyncio.get_running_loop().call_later(LATE_OUTPUT_SECONDS, self._end_soon)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()


def _why_not(error: OSError, cwd: Path | None) -> str:
    if cwd and not cwd.is_dir():
        return "Claude Code cannot work in claude.options.cwd: there is no such folder."
    return f"Claude Code cannot be started: {error.strerror}. Look at claude.cli_path and its permissions."
