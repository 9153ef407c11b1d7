"""Instructions for requests that bring none: those of the installed Codex CLI, a file's text, or none.

A text stays the same, byte for byte, as long as the CLI or the file does: prompt caches depend on it.
"""

import asyncio
import hashlib
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from ccproxy.codex.capture import Captured, CaptureError, capture
from ccproxy.codex.cli import Fingerprint, find, fingerprint, version_of
from ccproxy.settings.places import home_dir

CHECK_SECONDS = 120.0
"""How often the CLI is looked at, to see an update."""
RETRY_SECONDS = 600.0
"""How long a failure is remembered before it is tried again."""
MOST_MODELS = 64
"""How many models are kept in memory and on disk: a client may ask for any name."""

_log = logging.getLogger(__name__)


class Instructions:
    """The setting `codex.instructions` at work; `cache` is the folder that captured ones are kept in."""

    def __init__(
        self,
        setting: Literal["captured", "none"] | Path,
        cache: Path | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source: _Nothing | _File | _FromCli
        if isinstance(setting, Path):
            self._source = _File(setting)
        elif setting == "none":
            self._source = _Nothing()
        else:
            self._source = _FromCli(Cache(cache or default_cache()), clock)

    async def text(self, model: str) -> str:
        """The instructions for this model, "" when there are none. Never raises; may run the CLI once."""
        return await self._source.text(model)

    def status(self) -> dict[str, object]:
        """mode, state, reason (why there are none), cli_version, models: for people, no paths, no text."""
        return {"reason": None, "cli_version": None, "models": [], **self._source.status()}


class _Nothing:
    async def text(self, model: str) -> str:
        return ""

    def status(self) -> dict[str, object]:
        return {"mode": "none", "state": "off"}


class _File:
    """The text of a file, read again when it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._text = ""
        self._reason: str | None = None

    async def text(self, model: str) -> str:
        return await asyncio.to_thread(self._read)

    def status(self) -> dict[str, object]:
        return {"mode": "file", "state": "failed" if self._reason else "file", "reason": self._reason}

    def _read(self) -> str:
        try:
            stat = self._path.stat()
            if self._seen != (stat.st_mtime_ns, stat.st_size):
                self._text = self._path.read_bytes().decode()
                self._seen = (stat.st_mtime_ns, stat.st_size)
        except OSError as error:
            self._fail(f"The file that codex.instructions names cannot be read: {error.strerror}.")
        except UnicodeDecodeError:
            self._fail("The file that codex.instructions names is not UTF-8 text.")
        else:
            self._reason = None
        return self._text

    def _fail(self, reason: str) -> None:
        if reason != self._reason:
            _log.warning("%s", reason)
        self._seen, self._text, self._reason = None, "", reason


class _FromCli:
    """Captured when first needed, model by model, and anew when the CLI has been updated."""

    def __init__(self, cache: "Cache", clock: Callable[[], float]) -> None:
        self._cache = cache
        self._clock = clock
        self._cli = _Cli(clock)
        self._one_at_a_time = asyncio.Lock()
        self._under_way: dict[str, asyncio.Task[str]] = {}
        self._texts: dict[tuple[str, str], str] = {}
        self._failed: dict[tuple[Fingerprint, str], _Failure] = {}

    async def text(self, model: str) -> str:
        task = self._under_way.get(model)
        if task is None:
            task = self._under_way[model] = asyncio.create_task(self._obtain(model))
            task.add_done_callback(lambda _: self._under_way.pop(model, None))
        # whoever leaves does not take it away from the others
        return await asyncio.shield(task)

    def status(self) -> dict[str, object]:
        cli = self._cli.installed
        models = sorted(model for version, model in self._texts if cli and version == cli.version)
        failures = [failure for (seen, _), failure in self._failed.items() if cli and seen == cli.fingerprint]
        if self._cli.failure:
            failures = [self._cli.failure]
        reasons = [failure.reason for failure in failures if failure.until > self._clock()]
        state = "captured" if models else "failed" if reasons else "not captured yet"
        return {
            "mode": "captured",
            "state": state,
            "reason": reasons[0] if reasons else None,
            "cli_version": cli and cli.version,
            "models": models,
        }

    async def _obtain(self, model: str) -> str:
        try:
            cli = await self._cli.look()
            key = (cli.version, model)
            if key not in self._texts:
                kept = await asyncio.to_thread(self._cache.read, *key)
                _put(self._texts, key, kept or await self._capture(cli, model))
                self._failed.pop((cli.fingerprint, model), None)
        except CaptureError:
            return ""
        return self._texts[key]

    async def _capture(self, cli: "_Installed", model: str) -> str:
        key = (cli.fingerprint, model)
        failure = self._failed.get(key)
        if failure and self._clock() < failure.until:
            raise CaptureError(failure.reason)
        try:
            async with self._one_at_a_time:
                captured = await capture(cli.binary, model)
        except CaptureError as problem:
            _put(self._failed, key, _failed(problem, self._clock()))
            raise
        try:
            await asyncio.to_thread(self._cache.write, captured)
        except OSError as error:
            _log.warning("The captured Codex instructions cannot be kept on disk: %s", error.strerror)
        return captured.text


@dataclass(frozen=True, slots=True)
class _Installed:
    binary: Path
    fingerprint: Fingerprint
    version: str


@dataclass(frozen=True, slots=True)
class _Failure:
    reason: str
    until: float


def _failed(problem: CaptureError, now: float) -> _Failure:
    """Says it once; it counts for a while."""
    _log.warning("Requests to the Codex backend get no captured instructions: %s", problem)
    return _Failure(str(problem), now + RETRY_SECONDS)


def _put[Key, Value](table: dict[Key, Value], key: Key, value: Value) -> None:
    table.pop(key, None)
    table[key] = value
    if len(table) > MOST_MODELS:
        del table[next(iter(table))]


class _Cli:
    """The installed CLI: a look at its file now and then, its version asked again when that has changed."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.installed: _Installed | None = None
        self.failure: _Failure | None = None
        self._clock = clock
        self._seen: tuple[Path, Fingerprint] | None = None
        self._look_at = float("-inf")
        self._looking = asyncio.Lock()

    async def look(self) -> _Installed:
        """The CLI as it was seen last. Raises CaptureError."""
        async with self._looking:
            now = self._clock()
            if now >= self._look_at:
                await self._look(now)
                self._look_at = now + CHECK_SECONDS
        if self.installed:
            return self.installed
        raise CaptureError(self.failure.reason if self.failure else "")

    async def _look(self, now: float) -> None:
        problem: CaptureError | None = None
        try:
            seen = await asyncio.to_thread(_seen)
        except CaptureError as error:
            seen, problem = None, error
        if seen == self._seen and (self.installed or (self.failure and now < self.failure.until)):
            return
        installed: _Installed | None = None
        if seen:
            try:
                installed = _Installed(*seen, await version_of(seen[0]))
            except CaptureError as error:
                problem = error
        self._seen, self.installed = seen, installed
        self.failure = _failed(problem, now) if problem else None


def _seen() -> tuple[Path, Fingerprint]:
    binary = find()
    return binary, fingerprint(binary)


class Cache:
    """Captured instructions on disk, a file for each CLI version and model, for their owner only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, version: str, model: str) -> str | None:
        """The text that was kept; None when there is none, or its file is broken."""
        try:
            kept = msgspec.json.decode(self._path(version, model).read_bytes(), type=Captured)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        return kept.text if (kept.cli_version, kept.model) == (version, model) else None

    def write(self, captured: Captured) -> None:
        """Keeps it; the oldest make room. Raises OSError."""
        from ccproxy.settings.editing import write_private  # brings tomlkit along, which is rarely needed

        write_private(
            self._path(captured.cli_version, captured.model), msgspec.json.encode(captured).decode()
        )
        files = sorted(self.folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
        for file in files[:-MOST_MODELS]:
            file.unlink(missing_ok=True)

    def _path(self, version: str, model: str) -> Path:
        digest = hashlib.sha256(f"{version}\n{model}".encode()).hexdigest()
        return self.folder / f"{digest[:32]}.json"


def default_cache(environ: Mapping[str, str] = os.environ) -> Path:
    """`$XDG_CACHE_HOME/ccproxy/codex-instructions`, by default below `~/.cache`."""
    given = environ.get("XDG_CACHE_HOME", "")
    base = Path(given) if given.startswith("/") else home_dir(environ) / ".cache"
    return base / "ccproxy" / "codex-instructions"
