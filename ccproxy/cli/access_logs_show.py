"""Rows of the access log on a terminal, in 80 columns, and as JSON or CSV."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ccproxy.cli.access_logs_source import Ask, Asked, Row, pages
from ccproxy.records.output import as_csv, cell

WIDTH = 80
COLUMNS = {"Time": 14, "Model": 22, "Status": 6, "In": 6, "Out": 6, "Cost": 8, "First": 5, "Took": 5}
RIGHT = list(COLUMNS)[2:]


def show(asked: Asked, ask: Ask, form: Literal["table", "json", "csv"]) -> None:
    """Print what is asked for."""
    if form == "csv":
        for number, page in enumerate(pages(asked, ask)):
            values = [list(row.values()) for row in page]
            sys.stdout.write(as_csv(asked.names, values, names=number == 0).decode())
        return
    found = [row for page in pages(asked, ask) for row in page]
    if form == "json":
        print(json.dumps({"results": found, "count": len(found)}, indent=2))
        return
    console = console_for_rows()
    if asked.columns:
        console.print(as_they_are(asked.columns, found))
    elif found:
        console.print(table(found))
    if not found:
        console.print("No row is like that.")


def console_for_rows() -> Console:
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        # who reads it further has no use for a narrow one
        console.width = max(console.width, WIDTH)
    return console


def table(rows: Iterable[Row], *, heads: bool = True) -> Table:
    """A line for each row, always of the same widths: tables of one row each look like one."""
    made = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, show_header=heads)
    for title, width in COLUMNS.items():
        justify: Literal["left", "right"] = "right" if title in RIGHT else "left"
        made.add_column(title, width=width, justify=justify, no_wrap=True, overflow="ellipsis")
    for row in rows:
        made.add_row(*cells(row))
    return made


def cells(row: Row) -> list[Text]:
    """What is known of one row."""
    status, error = row["status"], row["error"]
    failed = bool(error) or (status or 0) >= 400
    model = row["model_served"] or row["model_requested"] or row["path"]
    return [
        Text(f"{datetime.fromisoformat(row['started_at']).astimezone():%m-%d %H:%M:%S}"),
        Text(model),
        Text("-" if status is None else str(status), "red" if failed else "green"),
        Text(count(row["tokens_input"])),
        Text(count(row["tokens_output"])),
        Text("" if row["cost_usd"] is None else f"${row['cost_usd']:.4f}"),
        Text(seconds(row["first_byte_ms"])),
        Text(seconds(row["duration_ms"])),
    ]


def count(tokens: int | None) -> str:
    """At most six characters."""
    if tokens is None:
        return ""
    return str(tokens) if tokens < 100_000 else f"{tokens / 1000:.0f}k"


def seconds(milliseconds: float | None) -> str:
    """At most five characters, with what matters of them."""
    if milliseconds is None:
        return ""
    took = milliseconds / 1000
    return f"{took:.2f}s" if took < 10 else f"{took:.1f}s" if took < 100 else f"{took:.0f}s"


def as_they_are(columns: Sequence[str], rows: Iterable[Row]) -> Table:
    """Chosen columns under their own names, nothing shortened that has room."""
    made = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name in columns:
        made.add_column(name, overflow="fold")
    for row in rows:
        made.add_row(*(Text(shown(row[name])) for name in columns))
    return made


def shown(value: Any) -> str:
    return "" if value is None else str(cell(value))
