"""Rows of the access log, or of an answer to SQL, as files are made of them."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from ccproxy.records.query import TYPES

Rows = Iterable[Sequence[Any]]
"""Values in the order of the columns, as `query.plain` leaves them."""


def as_ndjson(columns: Sequence[str], rows: Rows) -> bytes:
    """One JSON object a line."""
    return b"".join(msgspec.json.encode(dict(zip(columns, row, strict=True))) + b"\n" for row in rows)


def as_csv(columns: Sequence[str], rows: Rows, *, names: bool = True) -> bytes:
    """As RFC 4180 has it, with a line of `names` first; what is unknown is empty, a list is one text."""
    written = io.StringIO()
    writer = csv.writer(written)
    if names:
        writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    return written.getvalue().encode()


def cell(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else value


def as_parquet(columns: Sequence[str], rows: Rows) -> bytes:
    """The log's columns as a Parquet file, with the types that they have in the log."""
    with TemporaryDirectory(prefix="ccproxy-") as folder:
        lines, made = Path(folder, "rows.ndjson"), Path(folder, "rows.parquet")
        lines.write_bytes(as_ndjson(columns, rows))
        write_parquet(columns, lines, made)
        return made.read_bytes()


def write_parquet(columns: Sequence[str], lines: Path, made: Path) -> None:
    """Turn a file of NDJSON into one of Parquet, however long it is. `columns` are the log's.

    The log's own database may touch no file, so another one does it, in memory and only for this.
    """
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": "512MB",
        "threads": "2",
    }
    with duckdb.connect(":memory:", config=config) as database:
        rows = database.read_json(
            str(lines), format="newline_delimited", columns={name: TYPES[name] for name in columns}
        )
        rows.write_parquet(str(made), compression="zstd")
