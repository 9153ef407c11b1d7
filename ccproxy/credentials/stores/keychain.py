"""The login that Claude Code keeps in the login keychain of macOS, instead of in its file. Read only.

Claude Code 2.1 (read 2026-11-22): a generic password of the service `Claude Code-credentials`, whose account
is the user's name, with the text of the file as its value.
"""

import asyncio
import json
import shutil
import sys
import time
from collections.abc import Callable

from ccproxy.credentials.credential import CredentialError
from ccproxy.credentials.oauth.tokens import Tokens
from ccproxy.credentials.stores.claude_code import login_of
from ccproxy.credentials.stores.login import Login

SERVICE = "Claude Code-credentials"
KEPT_SECONDS = 30.0
"""How long an answer is kept: the system may ask the user each time somebody reads."""
READ_SECONDS = 60.0
"""How long the user may take to allow it."""


def find() -> str | None:
    """The program that reads the keychain; None where there is none."""
    return shutil.which("security") if sys.platform == "darwin" else None


class KeychainStore:
    """Read by `program`. It is Claude Code that renews it: a renewed login could not be put back."""

    name = "Claude Code (keychain)"

    def __init__(self, program: str, user: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._command = (program, "find-generic-password", "-s", SERVICE, "-a", user, "-w")
        self._clock = clock
        self._reading = asyncio.Lock()
        self._read_at: float | None = None
        self._login: Login | None = None

    async def read(self) -> Login | None:
        async with self._reading:
            if self._read_at is None or self._clock() - self._read_at >= KEPT_SECONDS:
                self._login = _parse(await self._output())
                self._read_at = self._clock()
            return self._login

    async def write(self, tokens: Tokens) -> Login:
        raise CredentialError(_NOT_OURS)

    async def clear(self) -> None:
        raise CredentialError(_NOT_OURS)

    async def _output(self) -> bytes:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError:
            return b""
        try:
            async with asyncio.timeout(READ_SECONDS):
                return (await process.communicate())[0]
        except TimeoutError:
            return b""
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


_NOT_OURS = "The login in the keychain belongs to Claude Code: run 'claude' and use /login or /logout."


def _parse(output: bytes) -> Login | None:
    try:
        content = json.loads(output)
    except ValueError:
        return None
    login = login_of(content) if isinstance(content, dict) else None
    return login and Login(login.access_token, None, login.expires_at, None, login.plan, login.scopes)
