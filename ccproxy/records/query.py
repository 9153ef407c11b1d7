"""Questions to the access log: rows, figures, and SQL for people who know DuckDB.

Each takes a connection of `AccessLog.reader`, blocks, and belongs into a worker thread. Values are bound,
never pasted; names of columns come from the schema, and one that is not in it is an error.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any

import msgspec

from ccproxy.records.filters import Filters, QueryError
from ccproxy.records.schema import COLUMNS, TABLE
from ccproxy.records.sql_guard import check

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TYPES = {column.name: column.type for column in COLUMNS}
NAMES = tuple(TYPES)
SECONDS = 10.0
"""How long a question may take."""

MOST_ROWS = 10_000

BY = {
    "hour": "strftime(started_at, '%Y-%m-%dT%H:00:00Z')",
    "day": "strftime(started_at, '%Y-%m-%d')",
    "model": "coalesce(model_served, model_requested)",
    "backend": "backend",
    "session": "session_id",
    "client": "client",
}
"""What a series can be divided by; hours and days are those of UTC."""

FIGURES = {
    "requests": "count(*)",
    "errors": "count(*) FILTER (error IS NOT NULL OR status >= 400)",
    "tokens_input": "sum(tokens_input)::BIGINT",
    "tokens_output": "sum(tokens_output)::BIGINT",
    "cache_read_tokens": "sum(cache_read_tokens)::BIGINT",
    "cache_write_tokens": "sum(cache_write_tokens)::BIGINT",
    "reasoning_tokens": "sum(reasoning_tokens)::BIGINT",
    "cache_hit_rate": "sum(cache_read_tokens) / nullif(sum(tokens_input), 0)",
    "cost_usd": "sum(cost_usd)",
    "cost_reported_usd": "sum(cost_reported_usd)",
    "unpriced": "count(*) FILTER (tokens_input IS NOT NULL AND cost_usd IS NULL)",
    "first_byte_p50_ms": "quantile_cont(first_byte_ms, 0.5)",
    "first_byte_p95_ms": "quantile_cont(first_byte_ms, 0.95)",
    "duration_p50_ms": "quantile_cont(duration_ms, 0.5)",
    "duration_p95_ms": "quantile_cont(duration_ms, 0.95)",
}
"""Of all rows, and of each part of a series. Sums and quantiles of nothing are None, never 0; `unpriced` are
those whose cost is not in the sum."""


@dataclass(frozen=True)
class Page:
    """Rows by column, and the cursor with which the next ones begin; None after the last."""

    rows: list[dict[str, Any]]
    next_cursor: str | None


@dataclass(frozen=True)
class Table:
    """An answer to SQL; `truncated` when there was more than the limit."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool


def rows(
    reader: "DuckDBPyConnection",
    filters: Filters,
    *,
    columns: Sequence[str] = NAMES,
    order: str = "-started_at",
    limit: int = 100,
    cursor: str | None = None,
    seconds: float = SECONDS,
) -> Page:
    """Rows, newest first unless `order` names another column; `-` before it turns it round.

    A cursor goes on after the last row of a page, whatever has been written in the meantime.
    """
    name = order.removeprefix("-")
    for wanted in (*columns, name):
        if wanted not in NAMES:
            raise QueryError(f"There is no column {wanted!r}. Columns: {', '.join(NAMES)}.")
    if not 1 <= limit <= MOST_ROWS:
        raise QueryError(f"limit must be from 1 to {MOST_ROWS}.")
    where, values = filters.where()
    if cursor:
        more, further = _after(name, order.startswith("-"), _read_cursor(cursor, name))
        where, values = f"{where} AND {more}", [*values, *further]
    direction = "DESC" if order.startswith("-") else "ASC"
    # the key of the cursor is selected beside what was asked for
    chosen = ", ".join([*columns, name, "started_at", "request_id"])
    query = (
        f"SELECT {chosen} FROM {TABLE} WHERE {where} "  # noqa: S608
        f"ORDER BY {name} {direction} NULLS LAST, started_at {direction}, request_id {direction} LIMIT ?"
    )
    with _time_limit(reader, seconds):
        found = reader.execute(query, [*values, limit + 1]).fetchall()
    page = found[:limit]
    following = _write_cursor(page[-1][-3:]) if len(found) > limit else None
    return Page([dict(zip(columns, map(plain, row), strict=False)) for row in page], following)


def analytics(
    reader: "DuckDBPyConnection", filters: Filters, by: Sequence[str] = (), *, seconds: float = SECONDS
) -> dict[str, Any]:
    """`{"totals": {figures}, "series": [{by…, figures}]}`; the series is empty unless `by` says what by."""
    for name in by:
        if name not in BY:
            raise QueryError(f"Nothing can be divided by {name!r}. Allowed: {', '.join(BY)}.")
    where, values = filters.where()
    figures = [f"{expression} AS {name}" for name, expression in FIGURES.items()]
    with _time_limit(reader, seconds):
        query = f"SELECT {', '.join(figures)} FROM {TABLE} WHERE {where}"  # noqa: S608
        (total,) = reader.execute(query, values).fetchall()
        series: list[tuple[Any, ...]] = []
        if by:
            keys = ", ".join(BY[name] for name in by)
            places = ", ".join(str(number + 1) for number in range(len(by)))
            query = (
                f"SELECT {keys}, {', '.join(figures)} FROM {TABLE} WHERE {where} "  # noqa: S608
                f"GROUP BY {places} ORDER BY {places} LIMIT {MOST_ROWS}"
            )
            series = reader.execute(query, values).fetchall()
    return {
        "totals": dict(zip(FIGURES, total, strict=True)),
        "series": [dict(zip((*by, *FIGURES), row, strict=True)) for row in series],
    }


def sql(
    reader: "DuckDBPyConnection", text: str, *, seconds: float = SECONDS, limit: int = MOST_ROWS
) -> Table:
    """One SELECT in DuckDB's SQL; anything else, and anything that leaves the database, is a QueryError."""
    import duckdb

    try:
        with _time_limit(reader, seconds):
            check(reader, text)
            reader.execute("BEGIN TRANSACTION READ ONLY")
            relation = reader.sql(text).limit(limit + 1)
            if any(str(kind) == "TIMESTAMP WITH TIME ZONE" for kind in relation.types):
                raise QueryError("Ask for times without a zone, such as now() AT TIME ZONE 'UTC'.")
            found = relation.fetchall()
    except (duckdb.PermissionException, duckdb.IOException, duckdb.FatalException, duckdb.InternalException):
        # their texts name paths of this machine
        raise QueryError("Files, extensions and settings are out of reach here.") from None
    except duckdb.Error as problem:
        # what follows its first lines is advice about settings that are locked
        raise QueryError(str(problem).partition("\n\n")[0]) from None
    finally:
        with suppress(duckdb.Error):
            reader.execute("ROLLBACK")
    return Table(relation.columns, [list(map(plain, row)) for row in found[:limit]], len(found) > limit)


def plain(value: Any) -> Any:
    """A value as JSON can have it: times as RFC 3339, an infinite figure as null, the rest as text."""
    match value:
        case None | str() | bool() | int():
            return value
        case float():
            return value if isfinite(value) else None
        case Decimal():
            return plain(float(value))
        case datetime():
            return f"{value.isoformat(timespec='microseconds')}{'' if value.tzinfo else 'Z'}"
        case list() | tuple():
            return [plain(one) for one in value]
        case dict():
            return {str(name): plain(one) for name, one in value.items()}
    return str(value)


@contextmanager
def _time_limit(reader: "DuckDBPyConnection", seconds: float) -> Iterator[None]:
    import duckdb

    timer = threading.Timer(seconds, reader.interrupt)
    timer.start()
    try:
        yield
    except duckdb.InterruptException:
        raise QueryError(f"That takes more than {seconds:g} s: ask for less.") from None
    finally:
        timer.cancel()


KINDS: dict[str, Any] = {
    "TIMESTAMP": datetime,
    "DOUBLE": float,
    "VARCHAR": str,
    "BOOLEAN": bool,
    "VARCHAR[]": list[str],
}
"""What a type of DuckDB is in Python; any other is a whole number."""

Key = tuple[Any, datetime, str]
"""Where a page ended: value of the column it is ordered by, time and id of the row."""


def _after(name: str, descending: bool, key: Key) -> tuple[str, list[Any]]:
    """What lies behind a row, in an order in which rows without a value come last."""
    beyond = "<" if descending else ">"
    value, started_at, request_id = key
    tie = f"(started_at, request_id) {beyond} (?::TIMESTAMP, ?)"
    if value is None:
        return f"{name} IS NULL AND {tie}", [started_at, request_id]
    return (
        f"({name} {beyond} ? OR {name} IS NULL OR ({name} = ? AND {tie}))",
        [value, value, started_at, request_id],
    )


def _write_cursor(key: Sequence[Any]) -> str:
    return msgspec.json.encode(key).hex()


def _read_cursor(cursor: str, name: str) -> Key:
    try:
        value, started_at, request_id = msgspec.json.decode(
            bytes.fromhex(cursor), type=tuple[Any, datetime, str]
        )
        return msgspec.convert(value, KINDS.get(TYPES[name], int) | None), started_at, request_id
    except (ValueError, msgspec.MsgspecError):
        raise QueryError("cursor must be the next_cursor of an earlier answer in the same order.") from None
