"""One turn: what the client says goes to the process, and its lines become the events of an answer.

The turn runs in a task of its own. Whoever asked reads the events, or leaves: then Claude Code is
interrupted.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

from ccproxy import failures
from ccproxy.agent.answer import Answer
from ccproxy.agent.errors import AgentError
from ccproxy.agent.message import Collector
from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import JsonObject
from ccproxy.failures import Failure

logger = logging.getLogger(__name__)

CUT = "The proxy stopped in the middle of this turn. Claude Code may have done part of the work already."


class Turn:
    """`line` gives the next line of the process, `begin` sets it going, `interrupt` stops it, and `over` is
    called at the end, with the answer as far as it went. `failure` is set where the answer ended by an error.
    """

    def __init__(
        self,
        answer: Answer,
        begin: Callable[[], Awaitable[None]],
        line: Callable[[], Awaitable[JsonObject]],
        interrupt: Callable[[], Awaitable[None]],
        over: Callable[["Turn"], Awaitable[None]],
    ) -> None:
        self.answer = answer
        self.collector = Collector()
        self.failure: Failed | Failure | None = None
        self._begin, self._line, self._interrupt, self._over = begin, line, interrupt, over
        self._events: asyncio.Queue[JsonObject | None] = asyncio.Queue()
        self._left = asyncio.Event()
        self.task = asyncio.create_task(self._run())

    async def events(self, silence: float) -> AsyncIterator[JsonObject | None]:
        """The events as they come, and None whenever there was none for `silence` seconds."""
        while True:
            try:
                event = await asyncio.wait_for(self._events.get(), silence)
            except TimeoutError:
                yield None
                continue
            if event is None:
                return
            yield event

    def leave(self) -> None:
        """Nobody reads on."""
        self._left.set()

    async def _run(self) -> None:
        leaving = asyncio.create_task(self._left.wait())
        try:
            await self._until(leaving, self._begin())
            while not (self.answer.ended or self._left.is_set()):
                if line := await self._until(leaving, self._line()):
                    self._take(line)
            if not self.answer.ended:
                await self._interrupt()
            self.failure = self.answer.failure
        except AgentError as problem:
            self.failure = problem.failure
        except Exception:
            logger.exception("A turn of Claude Code failed.")
            self.failure = failures.internal_error()
        except asyncio.CancelledError:
            # the proxy stops: half an answer must not look whole
            self.failure = replace(failures.shutting_down(), message=CUT)
            raise
        finally:
            leaving.cancel()
            try:
                await self._over(self)
            finally:
                self._events.put_nowait(None)

    def _take(self, line: JsonObject) -> None:
        for event in self.answer.take(line):
            self.collector.take(event)
            self._events.put_nowait(event)

    async def _until[T](self, leaving: asyncio.Task[bool], work: Awaitable[T]) -> T | None:
        """The result of the work, or None when the reader leaves first; the work is then cancelled."""
        doing = asyncio.ensure_future(work)
        try:
            await asyncio.wait({doing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            return doing.result() if doing.done() else None
        finally:
            if not doing.done():
                doing.cancel()
                await asyncio.wait({doing})
