"""A small file that another program may change at any time, read again when it has."""

import asyncio
from collections.abc import Callable
from pathlib import Path


class WatchedFile[T]:
    """What `parse` makes of the file at `path()`; None when there is none, or it says nothing."""

    def __init__(self, path: Callable[[], Path], parse: Callable[[bytes], T | None]) -> None:
        self._path = path
        self._parse = parse
        self._seen: tuple[int, int] | None = None
        self._value: T | None = None

    async def value(self) -> T | None:
        return await asyncio.to_thread(self._read)

    def _read(self) -> T | None:
        path = self._path()
        try:
            stat = path.stat()
            if self._seen != (stat.st_mtime_ns, stat.st_size):
                self._value = self._parse(path.read_bytes())
                self._seen = (stat.st_mtime_ns, stat.st_size)
        except OSError:
            self._seen, self._value = None, None
        return self._value
