"""Workers started ahead of time, so that a first answer does not wait for a process."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable

from ccproxy.agent.errors import AgentError, WorkerDied
from ccproxy.agent.worker import Worker
from ccproxy.conversation.parts import JsonObject

LOOK_SECONDS = 5.0
"""How often it is looked whether the waiting ones still live."""
REFILL_SECONDS = 1.0
"""How long after one was taken the next is started: that takes a whole core, which the answer needs first."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before it is tried again after one failure, and after many."""

logger = logging.getLogger(__name__)


class Pool:
    """Keeps `size` started workers ready from `start` on; with size 0 it only makes fresh ones.

    `max_uses` is for those who take them: the turns after which a worker is to be closed. `usual` are the
    flags of the last conversation, with which the next ones are made ready.
    """

    def __init__(self, make: Callable[[], Worker], size: int, max_uses: int | None) -> None:
        self.max_uses = max_uses
        self.usual: JsonObject | None = None
        self._make, self._size = make, size
        self._ready: deque[Worker] = deque()
        self._starting: set[Worker] = set()
        self._failures = 0
        self._look = asyncio.Event()
        self._filling: asyncio.Task[None] | None = None
        self._closed = False

    def start(self) -> None:
        """Begin to fill it."""
        if self._size and self._filling is None and not self._closed:
            self._filling = asyncio.create_task(self._fill())

    async def take(self) -> Worker:
        """A started worker, which is the caller's to close. Raises CliMissing and CliBroken."""
        self._look.set()
        while self._ready:
            worker = self._ready.popleft()
            if worker.alive:
                self._failures = 0
                return worker
            await worker.close()
        return await self._started()

    async def close(self) -> None:
        """End the workers that nobody has taken, also those just being started. Can be called again."""
        self._closed = True
        if self._filling:
            self._filling.cancel()
            await asyncio.wait({self._filling})
        own = [*self._ready, *self._starting]
        self._ready.clear()
        await asyncio.gather(*(worker.close() for worker in own))

    def status(self) -> JsonObject:
        """Sizes, and how often in a row a worker could not be started or died while it waited."""
        ready = sum(worker.alive for worker in self._ready)
        return {
            "size": self._size,
            "ready": ready,
            "starting": len(self._starting),
            "failures": self._failures,
        }

    async def _started(self, flags: JsonObject | None = None) -> Worker:
        if self._closed:
            raise WorkerDied(None)
        worker = self._make()
        self._starting.add(worker)
        try:
            await worker.start(flags)
        finally:
            self._starting.discard(worker)
        return worker

    async def _fill(self) -> None:
        while True:
            if await self._without_the_dead() or not await self._filled():
                await asyncio.sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failures - 1, 10)))
                continue
            self._look.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), LOOK_SECONDS)
                await asyncio.sleep(REFILL_SECONDS)
            if all(worker.alive for worker in self._ready):
                self._failures = 0

    async def _filled(self) -> bool:
        """Start what is missing; whether that worked."""
        try:
            while len(self._ready) < self._size:
                self._ready.append(await self._started(self.usual))
        except AgentError as problem:
            self._failed(str(problem))
            return False
        except Exception:
            logger.exception("A Claude Code process could not be started ahead of time.")
            self._failures += 1
            return False
        return True

    async def _without_the_dead(self) -> bool:
        """Drop those that died while they waited; whether there were any."""
        dead = [worker for worker in self._ready if not worker.alive]
        for worker in dead:
            # all of them before any is waited for: who takes one meanwhile changes the row as well
            self._ready.remove(worker)
            self._failed("one ended while it waited")
        await asyncio.gather(*(worker.close() for worker in dead))
        return bool(dead)

    def _failed(self, why: str) -> None:
        self._failures += 1
        if self._failures == 1:
            logger.warning("No Claude Code process can be kept ready: %s", why)
