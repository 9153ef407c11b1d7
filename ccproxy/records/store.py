"""The access log on disk: a DuckDB file, one thread that writes it, and a queue in between that never waits.

Rows are gathered for a moment and written in one transaction. A commit is in the write-ahead log before it
returns, so a killed process loses what was still being gathered, and DuckDB replays the rest at the next
start. Whatever happens to the file, the proxy goes on: rows wait, or are counted as dropped, while the
thread tries again.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import msgspec

from ccproxy.records.row import Row
from ccproxy.records.schema import COLUMNS, TABLE, prepare
from ccproxy.records.store_states import REASONS, State, is_damaged_log, state_of

if TYPE_CHECKING:
    # it takes a tenth of a second to import, which is for the thread to spend
    from duckdb import DuckDBPyConnection

logger = logging.getLogger(__name__)

WAITING = 10_000
"""Rows that wait at most: some 10 MB. Further ones are dropped."""

BATCH = 1_000
GATHER = 0.2
"""Rows of one transaction at most, and seconds for which they are gathered."""

PATIENCE = 3.0
"""Seconds from one attempt to the next while the file cannot be written."""

STEP = 10_000
CLEANING = 3600.0
"""Old rows that are deleted at a time, and seconds from one look at them to the next."""

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    # what a query could reach besides the log: files, extensions, variables of this program
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    # one query of a reader must take neither all memory nor the disk
    "memory_limit": "1GB",
    "temp_directory": "",
    "threads": "2",
    "lock_configuration": "true",
}

_INSERT = f"INSERT INTO {TABLE} SELECT unnest(from_json(?, ?), max_depth := 2)"
_SHAPE = msgspec.json.encode(
    [{column.name: ["VARCHAR"] if column.type == "VARCHAR[]" else column.type for column in COLUMNS}]
).decode()
_OLD = (
    f"DELETE FROM {TABLE} WHERE rowid IN (SELECT rowid FROM {TABLE} "  # noqa: S608
    f"WHERE started_at < ?::TIMESTAMP - to_days(?) LIMIT {STEP})"
)


class UnavailableError(Exception):
    """The log cannot be read now; the text says why."""


class AccessLog:
    """`start`, then `put` rows from any thread, at last `close`. `retention_days` None: rows stay."""

    def __init__(
        self,
        path: Path,
        retention_days: int | None = None,
        *,
        waiting: int = WAITING,
        patience: float = PATIENCE,
    ) -> None:
        self.path = path
        self._retention_days = retention_days
        self._most, self._patience = waiting, patience
        self._waiting: SimpleQueue[Row | None] = SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ccproxy-access-log", daemon=True)
        self._database: DuckDBPyConnection | None = None
        self._writer: DuckDBPyConnection | None = None
        self._state: State = "starting"
        self._moved: str | None = None
        self._refused = self._lost = self._written = 0
        self._next_cleaning = 0.0

    def start(self) -> None:
        """Open the file and begin to write, in a thread of its own."""
        self._thread.start()

    def put(self, row: Row) -> None:
        """Hand a row over; takes microseconds. When too many wait it is dropped and counted."""
        if self._waiting.qsize() >= self._most:
            self._refused += 1
        else:
            self._waiting.put(row)

    def close(self, seconds: float = 5.0) -> None:
        """Write what waits and close the file; gives up after `seconds`."""
        self._ending.set()
        self._waiting.put(None)
        if self._thread.is_alive():
            self._thread.join(seconds)

    def status(self) -> dict[str, Any]:
        """`{"state","reason","written","dropped","waiting","bytes","moved_aside"}`; rows since the start.

        `reason` is None when all is well; `moved_aside` is the new name of a damaged file.
        """
        with contextlib.suppress(OSError):
            return self._figures() | {"bytes": self.path.stat().st_size}
        return self._figures()

    def _figures(self) -> dict[str, Any]:
        return {
            "state": self._state,
            "reason": REASONS[self._state],
            "written": self._written,
            "dropped": self._refused + self._lost,
            "waiting": self._waiting.qsize(),
            "bytes": None,
            "moved_aside": self._moved,
        }

    @contextlib.contextmanager
    def reader(self) -> "Iterator[DuckDBPyConnection]":
        """A connection of its own to the open file, for one thread; UnavailableError when there is none."""
        import duckdb

        try:
            cursor = self._database.cursor() if self._database else None
        except duckdb.Error:
            cursor = None
        if cursor is None:
            raise UnavailableError(REASONS[self._state])
        with cursor:
            yield cursor

    def _run(self) -> None:
        batch: list[Row] = []
        done = self._attempt(batch)
        while True:
            self._gather(batch, failing=not done)
            done = self._attempt(batch)
            if self._ending.is_set() and (not done or self._waiting.empty()):
                break
        while not self._waiting.empty():
            batch += [row] if (row := self._waiting.get()) else []
        self._lost += len(batch)
        self._let_go()
        self._state = "closed"

    def _gather(self, batch: list[Row], *, failing: bool) -> None:
        """Wait for rows, and a moment for more of them; after a failure, only until the next attempt."""
        if failing:
            self._ending.wait(self._patience)
        elif not self._ending.is_set():
            with contextlib.suppress(Empty):
                first = self._waiting.get(timeout=max(0.0, self._next_cleaning - time.monotonic()))
                batch += [first] if first else []
                self._ending.wait(GATHER if batch and self._waiting.qsize() < BATCH else 0)
        with contextlib.suppress(Empty):
            while len(batch) < BATCH:
                if row := self._waiting.get_nowait():
                    batch.append(row)

    def _attempt(self, batch: list[Row]) -> bool:
        """Open the file if need be, write the batch and forget what is old; whether that went well."""
        try:
            if self._writer is None:
                self._writer = self._open()
            if batch:
                self._write(self._writer, batch)
            if time.monotonic() >= self._next_cleaning:
                self._clean(self._writer)
        except Exception as problem:
            self._fail(problem, batch)
            return False
        self._change("ok")
        return True

    def _open(self) -> "DuckDBPyConnection":
        import duckdb

        from ccproxy.records.cost import cost

        self._cost = cost
        # 0700 only where we make it: a directory that was there is the user's
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._database = duckdb.connect(self.path, config=CONFIG)
        except duckdb.Error as problem:
            if state_of(problem) != "damaged" or not is_damaged_log(self.path):
                raise
            self._move_aside()
            self._database = duckdb.connect(self.path, config=CONFIG)
        self._keep_private()
        writer = self._database.cursor()
        prepare(writer)
        return writer

    def _move_aside(self) -> None:
        """Nobody's file is deleted: a damaged one may still be rescued, and the log goes on in a new one."""
        suffix = f".damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        for path in (self.path, self._wal):
            with contextlib.suppress(FileNotFoundError):
                path.rename(path.with_name(path.name + suffix))
        self._moved = self.path.name + suffix
        logger.error("The access log was damaged. It is now %s; the log goes on in a new file.", self._moved)

    @property
    def _wal(self) -> Path:
        return self.path.with_name(self.path.name + ".wal")

    def _keep_private(self) -> None:
        for path in (self.path, self._wal):
            with contextlib.suppress(FileNotFoundError):
                os.chmod(path, 0o600)

    def _write(self, writer: "DuckDBPyConnection", batch: list[Row]) -> None:
        for row in batch:
            row.cost_usd = self._cost(row)
        writer.execute(_INSERT, [msgspec.json.encode(batch).decode(), _SHAPE])
        # DuckDB makes a new one after each checkpoint
        self._keep_private()
        self._written += len(batch)
        batch.clear()

    def _clean(self, writer: "DuckDBPyConnection") -> None:
        """Delete a step of what is too old; the next step follows at once, or the next look in an hour."""
        self._next_cleaning = time.monotonic() + CLEANING
        if self._retention_days:
            now = datetime.now(UTC).replace(tzinfo=None)
            ((deleted,),) = writer.execute(_OLD, [now, self._retention_days]).fetchall()
            if deleted == STEP:
                self._next_cleaning = time.monotonic()

    def _fail(self, problem: Exception, batch: list[Row]) -> None:
        state = state_of(problem)
        if state == "failed" and self._writer:
            # if it is the rows that cannot be written, the next ones may be
            self._lost += len(batch)
            batch.clear()
        if state == "failed" != self._state:
            logger.error("The access log has failed.", exc_info=problem)
        self._let_go()
        self._change(state)

    def _let_go(self) -> None:
        """Close the file: DuckDB refuses to go on with one in which something fatal has happened."""
        import duckdb

        for connection in (self._writer, self._database):
            with contextlib.suppress(duckdb.Error):
                if connection:
                    connection.close()
        self._writer = self._database = None

    def _change(self, state: State) -> None:
        if state != self._state and (reason := REASONS[state]):
            logger.warning("Access log: %s", reason)
        elif state != self._state and self._state != "starting":
            logger.info("The access log is written again.")
        self._state = state
