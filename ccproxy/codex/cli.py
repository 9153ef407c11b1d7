"""The Codex CLI that is installed here: where it is, its version, and how it is run on its own."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

INSTALL = "npm install -g @openai/codex"
VERSION_SECONDS = 10.0
"""How long `codex --version` may take."""
_MISSING = (
    f"The Codex CLI is not on PATH: install it ({INSTALL}), or set codex.instructions to none or a file."
)
_VERSION = re.compile(r"\d+\.\d+\.\d+[\w.+-]*")
_GONE_SECONDS = 2.0

Fingerprint = tuple[str, int]
"""A program's real path and when that was last changed (ns)."""


class CaptureError(Exception):
    """Why the CLI's instructions cannot be had: sentences that say what to do, without paths."""


def find() -> Path:
    """The `codex` on PATH. Raises CaptureError."""
    found = shutil.which("codex")
    if found is None:
        raise CaptureError(_MISSING)
    return Path(found).absolute()


def fingerprint(binary: Path) -> Fingerprint:
    """What changes when the CLI is updated. Raises CaptureError."""
    try:
        real = binary.resolve(strict=True)
        return str(real), real.stat().st_mtime_ns
    except (OSError, RuntimeError) as error:
        raise CaptureError(_MISSING) from error


async def version_of(binary: Path, limit: float = VERSION_SECONDS) -> str:
    """What `codex --version` prints, such as 0.169.0; `limit` in seconds. Raises CaptureError."""
    try:
        async with (
            asyncio.timeout(limit),
            private_home() as home,
            running(binary, "--version", home=home, stdout=PIPE) as process,
        ):
            assert process.stdout
            line = (await process.stdout.readline()).decode(errors="replace")
    except TimeoutError:
        raise CaptureError(
            f"`codex --version` did not answer within {limit:g} seconds: run it in a terminal to see why."
        ) from None
    except OSError as error:
        raise CaptureError(
            f"`codex` cannot be run here: {error.strerror}. Install it ({INSTALL})."
        ) from error
    except ValueError:  # the line has no end
        line = ""
    if match := _VERSION.search(line):
        return match[0]
    raise CaptureError(f"`codex --version` prints no version: install the Codex CLI anew ({INSTALL}).")


@contextlib.asynccontextmanager
async def private_home() -> AsyncIterator[Path]:
    """An empty home directory for one run, with `work` to run in and `.codex` for the CLI; gone after it."""
    # not in a thread: whoever is cancelled while waiting for one would leave the folder behind
    folder = Path(tempfile.mkdtemp(prefix="ccproxy-codex-"))
    try:
        for name in ("work", "tmp", ".codex"):
            (folder / name).mkdir()
        yield folder
    finally:
        await asyncio.to_thread(_remove, folder)


def _remove(folder: Path) -> None:
    for _ in range(10):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.05)  # what was killed a moment ago was still writing


@contextlib.asynccontextmanager
async def running(binary: Path, *arguments: str, home: Path, stdout: int = DEVNULL) -> AsyncIterator[Process]:
    """The CLI as a process that sees nothing of the user's; at the end it is killed with all its children.

    Raises OSError when it cannot be started.
    """
    process = await asyncio.create_subprocess_exec(
        binary,
        *arguments,
        cwd=home / "work",
        env=_environment(home),
        stdin=DEVNULL,
        stdout=stdout,
        stderr=DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nothing is left of the group
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GONE_SECONDS):
                await process.wait()


def _environment(home: Path) -> dict[str, str]:
    """Nothing of the user's but PATH. The proxy that nobody is leaves loopback as the only network."""
    nobody = "http://127.0.0.1:9"
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "CODEX_HOME": str(home / ".codex"),
        "TMPDIR": str(home / "tmp"),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "HTTP_PROXY": nobody,
        "HTTPS_PROXY": nobody,
        "ALL_PROXY": nobody,
        "NO_PROXY": "127.0.0.1,localhost",
    }
