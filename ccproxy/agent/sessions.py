"""Which conversation a request belongs to, and the processes that hold them.

A request whose history extends what a live process has heard goes to that process and says only what is new;
any other gets a fresh one, which is told what was said before. A session that the client names keeps its
conversation, whatever becomes of the process.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping

import msgspec

from ccproxy.agent.answer import Answer
from ccproxy.agent.asked import Asked
from ccproxy.agent.client_tools import ClientTools
from ccproxy.agent.errors import WorkerDied
from ccproxy.agent.pool import Pool
from ccproxy.agent.refused import SessionBusy, SessionForgotten, SessionsFull
from ccproxy.agent.rendering import render
from ccproxy.agent.session import Plan, Session, besides_results, results_in
from ccproxy.agent.turn import Turn
from ccproxy.agent.worker import Setup, Worker
from ccproxy.conversation.parts import JsonObject
from ccproxy.known_sessions import KnownSessions
from ccproxy.settings import Settings

logger = logging.getLogger(__name__)

NAMED, MEMORY = 256, 64 * 2**20
"""Conversations of named sessions that are remembered at most, and their size in bytes without a process."""

Servers = Callable[[Worker, Asked], Mapping[str, JsonObject]]
"""The MCP servers for a worker that answers this request."""


class Sessions:
    """`servers` says which MCP servers a process is given."""

    def __init__(
        self, settings: Settings, pool: Pool, tools: ClientTools, servers: Servers, known: KnownSessions
    ) -> None:
        self._settings = settings
        self._limits = settings.claude.sessions
        self._max_uses = settings.claude.pool.max_uses
        self._pool, self._tools, self._servers, self._known = pool, tools, servers, known
        self._named: OrderedDict[str, Session] = OrderedDict()
        self._live: set[Session] = set()
        self._turns: set[asyncio.Task[None]] = set()
        self._starting = 0

    async def open(self, asked: Asked) -> Turn:
        """Begin the turn that this request asks for. Raises SessionBusy and SessionForgotten."""
        session = await self._claim(asked)
        try:
            plan = session.plan(asked)
            if (
                session.name
                and not (session.held or asked.has_history)
                and await self._known.knows(session.name)
            ):
                raise SessionForgotten(session.name)
            if plan.said == () or asked.system:
                session.system = asked.system
            turn = self._turn(session, asked, plan)
        except BaseException:
            session.lock.release()
            raise
        self._turns.add(turn.task)
        turn.task.add_done_callback(self._turns.discard)
        return turn

    def named_by(self, token: str) -> str | None:
        """The session whose process has this token: the client's name for it, or Claude Code's."""
        for session in self._live:
            if session.worker and session.worker.token == token:
                return session.name or session.worker.session_id
        return None

    async def close_idle(self) -> None:
        """End the processes that nobody has used for `claude.sessions.idle_seconds`."""
        oldest = asyncio.get_running_loop().time() - self._limits.idle_seconds
        for session in list(self._live):
            # looked at here and not before: while one is ended, the next may be asked again
            if session.is_free and session.used < oldest:
                await self._end(session)

    async def close(self) -> None:
        """End every turn and every process."""
        for task in list(self._turns):
            task.cancel()
        await asyncio.gather(*self._turns, return_exceptions=True)
        await asyncio.gather(*(self._end(session) for session in list(self._live)))

    def status(self) -> dict[str, int]:
        """How many there are: processes that hold a conversation, those that answer now, and the most."""
        busy = sum(not session.is_free for session in self._live)
        return {"live": len(self._live), "busy": busy, "named": len(self._named), "max": self._limits.max}

    async def _claim(self, asked: Asked) -> Session:
        """The session of this request, locked."""
        if asked.session is None:
            return await self._claim_by_history(asked)
        session = self._named.setdefault(asked.session, Session(asked.session, asked.system))
        self._named.move_to_end(asked.session)
        try:
            await asyncio.wait_for(session.lock.acquire(), self._limits.wait_seconds)
        except TimeoutError:
            raise SessionBusy(asked.session, self._limits.wait_seconds) from None
        self._forget_oldest()
        return session

    async def _claim_by_history(self, asked: Asked) -> Session:
        going_on = [
            (len(plan.prints), session)
            for session in self._live
            if session.name is None and session.is_free and (plan := session.plan(asked)).goes_on
        ]
        session = max(going_on, key=lambda found: found[0])[1] if going_on else Session(None, asked.system)
        # it is free, so this does not wait
        await session.lock.acquire()
        return session

    def _turn(self, session: Session, asked: Asked, plan: Plan) -> Turn:
        replaceable = True

        async def instead() -> None:
            """A fresh process in the place of one that died before it said anything of this turn; once."""
            nonlocal replaceable
            if not replaceable:
                raise
            replaceable = False
            await self._start(session, asked, plan)

        async def begin() -> None:
            try:
                if plan.goes_on and session.worker:
                    await self._go_on(session, session.worker, asked, plan)
                else:
                    await self._start(session, asked, plan)
            except WorkerDied:
                await instead()

        async def line() -> JsonObject:
            nonlocal replaceable
            assert session.worker
            try:
                found = await session.worker.line()
            except WorkerDied:
                await instead()
                found = await session.worker.line()
            replaceable = False
            return found

        async def interrupt() -> None:
            if session.worker:
                await session.worker.interrupt()

        async def over(turn: Turn) -> None:
            await self._over(session, plan, turn)

        claude = self._settings.claude
        # in their order: what Claude Code calls them depends on it
        names = tuple(str(tool["name"]) for tool in asked.tools)
        answered = session.calls if plan.goes_on else ()
        answer = Answer(claude.sdk_message_mode, claude.pretty_format, names, asked.joined, answered)
        return Turn(answer, begin, line, interrupt, over)

    async def _start(self, session: Session, asked: Asked, plan: Plan) -> None:
        """A fresh process that hears everything."""
        await self._end(session)
        await self._make_room()
        self._starting += 1
        try:
            worker = await self._pool.take()
            session.worker = worker
            self._live.add(session)
        finally:
            self._starting -= 1
        self._tools.offer(worker.token, asked.tools)
        await worker.begin(self._setup(worker, asked, session.system))
        self._pool.usual = worker.flags
        await worker.send(await asyncio.to_thread(render, (*plan.said, *plan.new)))

    async def _go_on(self, session: Session, worker: Worker, asked: Asked, plan: Plan) -> None:
        """Say only what is new: the results that the running turn waits for, or the next turn."""
        if session.calls:
            self._tools.answer(worker.token, with_more(plan.new))
            return
        self._tools.offer(worker.token, asked.tools)
        await worker.change(self._setup(worker, asked, session.system))
        await worker.send(besides_results(plan.new))

    def _setup(self, worker: Worker, asked: Asked, system: str) -> Setup:
        options = self._settings.claude.options
        texts = [text for text in (options.append_system_prompt, system) if text]
        return Setup(
            asked.model or options.model,
            asked.effort,
            "\n\n".join(texts) or None,
            self._servers(worker, asked),
            msgspec.json.encode(asked.tools).decode(),
        )

    async def _over(self, session: Session, plan: Plan, turn: Turn) -> None:
        """Keep what is good for the next request, and let the next one in."""
        try:
            content = turn.collector.message()["content"]
            if turn.failure is None:
                session.keep(plan, [{"role": "assistant", "content": content}] if content else [])
                if session.worker:
                    self._tools.called(session.worker.token, turn.answer.calls)
                if session.name:
                    await self._known.touch(session.name)
            worn = session.worker and self._max_uses and session.worker.uses >= self._max_uses
            # after a failure the process remembers a turn that the client will say again
            if turn.failure or (worn and not session.calls):
                await self._end(session)
            session.used = asyncio.get_running_loop().time()
        finally:
            session.lock.release()

    async def _make_room(self) -> None:
        while len(self._live) + self._starting >= self._limits.max:
            free = [session for session in self._live if session.is_free]
            if not free:
                raise SessionsFull(self._limits.max)
            await self._end(min(free, key=lambda session: session.used))

    async def _end(self, session: Session) -> None:
        """End its process. What was said stays with a session that has a name."""
        self._live.discard(session)
        worker, session.worker, session.calls = session.worker, None, frozenset()
        if worker:
            self._tools.forget(worker.token)
            await worker.close()

    def _forget_oldest(self) -> None:
        idle = [name for name, session in self._named.items() if session.is_free and not session.is_live]
        size = sum(self._named[name].size for name in idle)
        for name in idle:
            if len(self._named) <= NAMED and size <= MEMORY:
                return
            size -= self._named.pop(name).size


def with_more(messages: tuple[JsonObject, ...]) -> dict[str, JsonObject]:
    """The results by their calls. What the client says besides goes with the last one: the turn that waits
    for them takes nothing else."""
    results, more = results_in(messages), besides_results(messages)
    if results and more:
        last = list(results)[-1]
        content = results[last].get("content")
        before = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        results[last] = {**results[last], "content": [*before, *more]}
    return results
