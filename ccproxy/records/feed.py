"""Rows as exchanges end, for everybody who listens: in the proxy's own loop, and nobody is waited for."""

import asyncio
from collections import deque

from ccproxy.records.filters import Filters
from ccproxy.records.row import Row

MOST_ROWS = 1_000
"""Rows that wait for one listener at most; the oldest of them give way."""


class Listener:
    """Rows for one who listens. `async for` gives a row, or how many were lost before the next one."""

    def __init__(self, filters: Filters, most: int = MOST_ROWS) -> None:
        self._filters = filters
        self._most = most
        self._waiting: deque[Row] = deque()
        self._lost = 0
        self._ended = False
        self._news = asyncio.Event()

    def tell(self, row: Row) -> None:
        if not self._filters.matches(row):
            return
        if len(self._waiting) >= self._most:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append(row)
        self._news.set()

    def end(self) -> None:
        """Give what waits, and stop."""
        self._ended = True
        self._news.set()

    def __aiter__(self) -> "Listener":
        return self

    async def __anext__(self) -> Row | int:
        while not self._waiting:
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        if lost := self._lost:
            self._lost = 0
            return lost
        return self._waiting.popleft()


class Feed:
    """Who listens."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._ended = False

    def tell(self, row: Row) -> None:
        """Costs next to nothing while nobody listens."""
        for listener in self._listeners:
            listener.tell(row)

    def listen(self, filters: Filters, most: int = MOST_ROWS) -> Listener:
        """To be given to `leave` in the end."""
        listener = Listener(filters, most)
        if self._ended:
            listener.end()
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    def end(self) -> None:
        """The proxy stops: nobody listens any more."""
        self._ended = True
        for listener in self._listeners:
            listener.end()
