"""A JSON file that another program may own: read at any time, changed without harm to what else is in it.

A change keeps every key that it does not touch, in its place, and the file is whole at every moment: a new
one is written beside it, synced, and renamed over it. Who knows our lock takes turns. Who does not may
rewrite the file at any time: then the change is made again, to what the file says by then.
"""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ccproxy.conversation.parts import JsonObject
from ccproxy.credentials.credential import CredentialError

LOCK_SECONDS = 60.0
"""How long to wait for a lock. Its holder may be asking a login server, which takes half of that at most."""
LOCK_POLL = 0.03
READS = 4
"""Tries to read a file: one that is not replaced as a whole is broken for a moment."""
READ_PAUSE = 0.05


class FileProblem(CredentialError):
    """A file cannot be read, locked or written. The text names what the file is, not where it lies."""


class JsonFile:
    """The JSON object in the file at `path`; `name` is what people call it."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name

    async def read(self) -> JsonObject | None:
        """What the file says now; None when there is none. Raises FileProblem, also for broken JSON."""
        return (await in_thread(self._read))[1]

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """One holder at a time, over all tasks and processes. Not to be taken twice. Raises FileProblem.

        To hold it proves that the folder can be written to.
        """
        lock = FileLock(f"{self._target()}.lock", mode=0o600, thread_local=False)
        deadline = time.monotonic() + LOCK_SECONDS
        try:
            while not await in_thread(lambda: self._try(lock)):
                if time.monotonic() > deadline:
                    raise FileProblem(f"{self.name} is locked by another process: try again.")
                await asyncio.sleep(LOCK_POLL)
            yield
        finally:
            lock.release()

    def update(self, change: Callable[[JsonObject], bool]) -> JsonObject:
        """Let `change` alter the object in its place, and write it. Blocks; hold the lock meanwhile.

        `change` may run several times, each time on what the file says by then, and returns False to leave
        the file as it is. Returns what the file says in the end. Raises FileProblem; the file is then as it
        was.
        """
        try:
            target = self._target()
            while True:
                before, content = self._read()
                found = content or {}
                if not change(found) or _replace(target, before, _encode(found, before)):
                    return found
        except (OSError, ValueError) as problem:
            why = problem.strerror if isinstance(problem, OSError) else "it holds what is not JSON"
            raise FileProblem(f"{self.name} cannot be written ({why}).") from None

    def _target(self) -> Path:
        """The file itself, where the path is a symbolic link to it."""
        return Path(os.path.realpath(self.path))

    def _try(self, lock: FileLock) -> bool:
        try:
            Path(lock.lock_file).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock.acquire(blocking=False)
        except Timeout:
            return False
        except OSError as problem:
            raise FileProblem(f"{self.name} cannot be locked ({problem.strerror}).") from None
        return True

    def _read(self) -> tuple[bytes | None, JsonObject | None]:
        for left in reversed(range(READS)):
            try:
                content = _bytes(self.path)
            except OSError as problem:
                raise FileProblem(f"{self.name} cannot be read ({problem.strerror}).") from None
            if content is None:
                return None, None
            with contextlib.suppress(ValueError, RecursionError):
                parsed = json.loads(content)
                if isinstance(parsed, dict):
                    return content, parsed
            if left:
                time.sleep(READ_PAUSE)
        raise FileProblem(f"{self.name} is not a JSON object: mend or remove the file, then log in again.")


async def in_thread[T](work: Callable[[], T]) -> T:
    """`work` in a thread. A cancellation waits for its end, so that nothing goes on behind our back."""
    running = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # nobody is left to hear of it
        raise


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _encode(content: JsonObject, like: bytes | None) -> bytes:
    """In the style of what was there: on one line or on many. Raises ValueError for what is not JSON."""
    indented = like is None or b"\n" in like.strip()
    text = json.dumps(
        content, allow_nan=False, indent=2 if indented else None, separators=None if indented else (",", ":")
    )
    return text.encode() + (b"\n" if like is None or like.endswith(b"\n") else b"")


def _replace(target: Path, before: bytes | None, after: bytes) -> bool:
    """Put `after` in the place of `before`; False when somebody else has written there meanwhile."""
    new = target.with_name(target.name + ".new")  # always the same name: what a kill leaves does not pile up
    new.unlink(missing_ok=True)
    try:
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        if _bytes(target) != before:
            return False
        os.replace(new, target)
    finally:
        new.unlink(missing_ok=True)
    if os.name == "posix":
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return True
