"""What the stores in files have in common; each adds how its file is laid out."""

from abc import ABC, abstractmethod
from collections.abc import Container
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from ccproxy.conversation.parts import JsonObject
from ccproxy.credentials.json_file import JsonFile, in_thread
from ccproxy.credentials.oauth.tokens import Tokens
from ccproxy.credentials.stores.login import Login


class FileStore(ABC):
    """A login in a JSON file. It can be renewed: hold `lock()` from reading it until `renew` has returned."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self._file = JsonFile(path, name)

    async def read(self) -> Login | None:
        content = await self._file.read()
        return None if content is None else self.parse(content)

    async def write(self, tokens: Tokens) -> Login:
        async with self.lock():
            return await in_thread(lambda: self._save(tokens))

    async def clear(self) -> None:
        if await self._file.read() is None:
            return
        async with self.lock():
            await in_thread(lambda: self._file.update(self._forget))

    def lock(self) -> AbstractAsyncContextManager[None]:
        """One process at a time renews or writes. Raises FileProblem, also when the folder is read-only."""
        return self._file.lock()

    def renew(self, tokens: Tokens, spent: Container[str]) -> Login | None:
        """Keep what one of our `spent` refresh tokens was exchanged for; returns what the file has then.

        A login that somebody else has put there meanwhile stays, as long as it is good; and where the login
        is gone, somebody has logged out: None. Blocks; hold the lock.
        """

        def change(content: JsonObject) -> bool:
            there = self.parse(content)
            if there is None or (there.refresh_token not in spent and not there.expired()):
                return False
            self.put(content, tokens, renewal=True)
            return True

        return self.parse(self._file.update(change))

    @abstractmethod
    def parse(self, content: JsonObject) -> Login | None:
        """The login in the file's object."""

    @abstractmethod
    def put(self, content: JsonObject, tokens: Tokens, *, renewal: bool) -> None:
        """Write the tokens into the file's object. With `renewal` what they do not say stays as it was."""

    @abstractmethod
    def remove(self, content: JsonObject) -> None:
        """Take the login out of the file's object."""

    def _save(self, tokens: Tokens) -> Login:
        def change(content: JsonObject) -> bool:
            self.put(content, tokens, renewal=False)
            return True

        login = self.parse(self._file.update(change))
        assert login is not None
        return login

    def _forget(self, content: JsonObject) -> bool:
        self.remove(content)
        return True


def text(value: object) -> str | None:
    """A text that is not empty."""
    return value if isinstance(value, str) and value else None


def table(value: object) -> JsonObject:
    """A copy of an object; an empty one for anything else."""
    return dict(value) if isinstance(value, dict) else {}


def texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
