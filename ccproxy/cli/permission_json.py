"""The approver for scripts: events as JSON lines on stdout, answers as JSON lines on stdin."""

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from ccproxy.cli.permission_client import Client, NotTakenError
from ccproxy.cli.permission_queue import Changed, Connected, Lost, Update
from ccproxy.cli.permission_request import Request

NAMES = {
    "pending": "permission_request",
    "allowed": "permission_resolved",
    "denied": "permission_resolved",
    "expired": "permission_expired",
}


class Feed:
    """What is written: each change of a request once, however often the server tells of it."""

    def __init__(self, address: str, write: Callable[[str], None]) -> None:
        self.address = address
        self._write = write
        self._pending: dict[str, Request] = {}
        self._lost = False

    def put(self, **event: Any) -> None:
        self._write(f"{json.dumps(event)}\n")

    def take(self, update: Update) -> None:
        match update:
            case Connected(requests):
                self.put(event="connected", address=self.address)
                self._lost = False
                for request in requests:
                    self._change(request)
                for gone in self._pending.keys() - {request.id for request in requests}:
                    self.put(event="permission_gone", request=self._pending.pop(gone).raw)
            case Changed(request):
                self._change(request)
            case Lost(reason):
                if not self._lost:
                    self.put(event="disconnected", message=reason)
                self._lost = True

    def _change(self, request: Request) -> None:
        known = request.id in self._pending
        if request.pending == known:
            return
        if request.pending:
            self._pending[request.id] = request
        else:
            del self._pending[request.id]
        self.put(event=NAMES.get(request.status, "permission_resolved"), request=request.raw)


async def run(client: Client, typed: "asyncio.Queue[str | None]", write: Callable[[str], None]) -> bool:
    """Until stdin ends: then what was read is answered, and what waits is told. Raises NoAnswerError.

    Returns whether every answer was taken.
    """
    feed = Feed(client.address, write)
    opened = asyncio.Event()
    following = asyncio.create_task(_follow(client, feed, opened))
    answering = asyncio.create_task(_answer_all(client, feed, typed, opened))
    try:
        await asyncio.wait((following, answering), return_when=asyncio.FIRST_COMPLETED)
        if following.done():
            await following
        return await answering
    finally:
        following.cancel()
        answering.cancel()
        await asyncio.gather(following, answering, return_exceptions=True)


async def _follow(client: Client, feed: Feed, opened: asyncio.Event) -> None:
    async with aclosing(client.watch()) as updates:
        async for update in updates:
            feed.take(update)
            opened.set()


async def _answer_all(
    client: Client, feed: Feed, typed: "asyncio.Queue[str | None]", opened: asyncio.Event
) -> bool:
    await opened.wait()
    good = True
    number = 0
    while (line := await typed.get()) is not None:
        number += 1
        if line.strip():
            good = await _answer(client, feed, line, number) and good
    return good


async def _answer(client: Client, feed: Feed, line: str, number: int) -> bool:
    """One line of stdin; what became of it is an event, too."""
    try:
        answer = json.loads(line)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not isinstance(answer.get("id"), str):
        message = f'Line {number} is not a JSON object with "id" and "allowed".'
        feed.put(event="answer", id=None, taken=False, status=None, message=message)
        return False
    id_ = answer.pop("id")
    try:
        request = await client.respond(id_, answer)
    except NotTakenError as problem:
        feed.put(event="answer", id=id_, taken=False, status=problem.status, message=str(problem))
        return False
    feed.put(event="answer", id=id_, taken=True, request=request.raw)
    return True
