"""Where requests come in and answers go out: the same for the screen and for line mode."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime

from ccproxy.cli.permission_client import Client, NotTakenError
from ccproxy.cli.permission_queue import Queue
from ccproxy.cli.permission_request import Request, in_brief
from ccproxy.conversation.parts import JsonObject

SETTLE = 0.5
"""Seconds that a request must have been seen before it can be allowed.

Who presses a key just when one request leaves and the next one comes must not allow what was never read.
"""

CLOSING = 3.0
"""Seconds that answers on their way have, when a person quits."""


class Desk:
    """`queue` is what there is; `changed` is called after every change of it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.queue = Queue()
        self.changed: Callable[[], None] = lambda: None
        self.arrived: Callable[[], None] = lambda: None
        self.following: asyncio.Task[None]
        self._seen: tuple[str | None, float] = None, 0.0
        self._sending: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Connect, and follow from then on; `following` ends only if something is wrong.

        Raises NoAnswerError.
        """
        opened = asyncio.Event()
        self.following = asyncio.create_task(self._follow(opened))
        waiting = asyncio.create_task(opened.wait())
        await asyncio.wait((self.following, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self.following.done():
            await self.following

    async def _follow(self, opened: asyncio.Event) -> None:
        async with aclosing(self.client.watch()) as updates:
            async for update in updates:
                before = set(self.queue.waiting)
                self.queue.take(update, datetime.now(UTC))
                self._look()
                if set(self.queue.waiting) - before:
                    self.arrived()
                self.changed()
                opened.set()

    def move(self, steps: int) -> None:
        """Look at another request; it need not settle, because the person knows."""
        self.queue.move(steps)
        self._seen = self.queue.shown, float("-inf")

    def settled(self) -> bool:
        """Whether the request that is shown has been there long enough to be read."""
        return time.monotonic() - self._seen[1] > SETTLE

    def _look(self) -> None:
        if self._seen[0] != self.queue.shown:
            self._seen = self.queue.shown, time.monotonic()

    def answer(self, request: Request, answer: JsonObject) -> asyncio.Task[None]:
        """Send an answer; what comes of it is told by the queue."""
        self.queue.sending(request)
        task = asyncio.create_task(self._answer(request, answer))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        self.changed()
        return task

    async def _answer(self, request: Request, answer: JsonObject) -> None:
        queue = self.queue
        try:
            queue.decided(await self.client.respond(request.id, answer), datetime.now(UTC))
        except NotTakenError as problem:
            queue.not_sent(request)
            now = datetime.now(UTC)
            if problem.too_late:
                queue.drop(
                    request, now, f"Too late, it was decided before or has expired: {in_brief(request)}"
                )
            else:
                queue.tell(now, f"Not sent ({problem}): {in_brief(request)}", "bad")
        self._look()
        self.changed()

    async def close(self) -> None:
        """Wait a moment for answers that are on their way, and let go."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=CLOSING)
        for task in self._sending:
            task.cancel()
        self.following.cancel()
        await asyncio.gather(self.following, *self._sending, return_exceptions=True)
