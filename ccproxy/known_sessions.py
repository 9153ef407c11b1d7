"""The names of sessions that were used before, so that a restart does not lose a conversation in silence.

What was said lives in memory only. After a restart a client that goes on without its history would be
answered as if nothing had been said; this file is how the proxy knows, and can tell it.
"""

import asyncio
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from ccproxy.settings.places import home_dir

logger = logging.getLogger(__name__)

MOST = 2048
"""Sessions in the file; those used longest ago are dropped."""

PAUSE = 1.0
"""Seconds from one writing to the next."""


def default_path(environ: Mapping[str, str] = os.environ) -> Path:
    """`$XDG_STATE_HOME/ccproxy/sessions.json`, by default below `~/.local/state`."""
    given = environ.get("XDG_STATE_HOME", "")
    # a relative path is invalid there and to be ignored (XDG base directories, 0.8)
    base = Path(given) if given.startswith("/") else home_dir(environ) / ".local/state"
    return base / "ccproxy" / "sessions.json"


class KnownSessions:
    """SHA-256 of each name with the Unix time of its last use; `path` None is the usual place.

    The file is a help, not a must: where it cannot be read or written, sessions are known until the end of
    the process, and the log says so once.
    """

    def __init__(
        self, path: Path | None, idle_seconds: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._path = path
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._used: dict[str, float] = {}
        self._read = False
        self._lock = asyncio.Lock()
        self._changed = False
        self._writer: asyncio.Task[None] | None = None
        self._complained = False

    async def touch(self, session: str) -> None:
        """This session is used now. The file follows within a moment."""
        await self._load()
        self._used[_key(session)] = self._clock()
        self._changed = True
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_while_changed())

    async def knows(self, session: str) -> bool:
        """Whether this session was used within the idle time, in this process or before it."""
        await self._load()
        used = self._used.get(_key(session))
        return used is not None and used >= self._oldest()

    async def save(self) -> None:
        """Write what has not been written yet, without waiting for the next turn."""
        async with self._lock:
            if self._changed:
                self._changed = False
                before = dict(self._used)
                kept = await asyncio.to_thread(self._merge_and_write, before)
                meanwhile = {key: when for key, when in self._used.items() if before.get(key) != when}
                self._used = kept | meanwhile

    async def _load(self) -> None:
        if self._read:
            return
        async with self._lock:
            if not self._read:
                self._used = await asyncio.to_thread(self._stored)
                self._read = True

    async def _write_while_changed(self) -> None:
        while self._changed:
            await self.save()
            await asyncio.sleep(PAUSE)

    def _merge_and_write(self, used: dict[str, float]) -> dict[str, float]:
        """What is in the file now; another proxy may have written to it as well."""
        both = self._stored()
        for key, when in used.items():
            both[key] = max(when, both.get(key, when))
        oldest = self._oldest()
        newest = sorted(both.items(), key=lambda entry: entry[1])[-MOST:]
        kept = {key: when for key, when in newest if when >= oldest}
        try:
            _replace(self._path or default_path(), msgspec.json.encode(kept))
        except OSError as problem:
            self._complain(problem.strerror or type(problem).__name__)
        return kept

    def _stored(self) -> dict[str, float]:
        try:
            content = (self._path or default_path()).read_bytes()
            return msgspec.json.decode(content, type=dict[str, float])
        except FileNotFoundError:
            pass
        except OSError as problem:
            self._complain(problem.strerror or type(problem).__name__)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._complain("it is not what this program writes")
        return {}

    def _complain(self, reason: str) -> None:
        if not self._complained:
            self._complained = True
            logger.warning("The file of known sessions is of no use (%s): a restart forgets them.", reason)

    def _oldest(self) -> float:
        return self._clock() - self._idle_seconds


def _key(session: str) -> str:
    return hashlib.sha256(session.encode("utf-8", "surrogatepass")).hexdigest()


def _replace(path: Path, content: bytes) -> None:
    """The file is whole at any time, and only its owner can read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with open(number, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except OSError:
        os.unlink(name)
        raise
