"""The graceful stop: no new request, and what runs may finish."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable

from mitmproxy import ctx

from ccproxy.addons.gate import Gate
from ccproxy.addons.recorder import Recorder

logger = logging.getLogger(__name__)

POLL = 0.05
"""Seconds between two looks at what still runs."""


class Drain:
    """On SIGTERM or SIGINT: close the doors, wait up to `seconds`, stop. A second signal stops at once."""

    name = "ccproxy_drain"

    def __init__(
        self, gate: Gate, recorder: Recorder, seconds: float, last: Callable[[], Awaitable[None]]
    ) -> None:
        self.gate = gate
        self.recorder = recorder
        self.seconds = seconds
        self.last = last
        self.task: asyncio.Task[None] | None = None

    def running(self) -> None:
        if type(ctx.master).__name__ == "ConsoleMaster":
            # the console asks its user before it leaves
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            try:
                loop.add_signal_handler(number, self.stop)
            except (NotImplementedError, RuntimeError, ValueError):
                return

    def stop(self) -> None:
        """Begin to stop, or stop now if that has begun already."""
        if self.task is None:
            self.task = asyncio.create_task(self.drain())
        else:
            ctx.master.shutdown()

    async def drain(self) -> None:
        self.gate.closed = True
        ctx.options.update(server=False)
        if count := self.under_way():
            logger.info("Stopping; running requests: %d, time left: %g s.", count, self.seconds)
        deadline = asyncio.get_running_loop().time() + self.seconds
        # asyncio has no event for "every buffer is empty"
        while self.busy() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(POLL)
        try:
            await self.last()
        finally:
            # whatever became of it: who was asked to stop has to
            ctx.master.shutdown()

    def under_way(self) -> int:
        """Requests that will end; who listens on a route of ours, or waits there for a person, may not."""
        return sum(not one.patient or one.backend is not None for one in self.recorder.under_way.values())

    def busy(self) -> bool:
        """Whether an answer is under way, or written and not yet sent."""
        if self.under_way():
            return True
        connections = ctx.master.addons.get("proxyserver").connections.values()
        writers = [
            io.writer for connection in connections for io in connection.transports.values() if io.writer
        ]
        return any(writer.transport.get_write_buffer_size() for writer in writers)
