"""`scripts/bench logs`: how fast the access log takes rows and answers questions about very many of them."""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import duckdb
from rich.console import Console
from rich.table import Table

from ccproxy.exchange import Exchange
from ccproxy.records.filters import Filters
from ccproxy.records.query import NAMES, analytics, rows
from ccproxy.records.row import row_of
from ccproxy.records.schema import TABLE, prepare
from ccproxy.records.store import AccessLog

from .report import machine

GOAL = 1.0
"""Seconds that the slowest question may take."""

RUNS = 5
HANDED = 5000

MADE = {
    "request_id": "'ccp_' || md5(i::VARCHAR)",
    "started_at": "TIMESTAMP '2026-01-01' + to_seconds(i * 20)",
    "duration_ms": "(hash(i) % 60000) / 1.0",
    "first_byte_ms": "(hash(i + 1) % 3000) / 1.0",
    "path": "'/api/v1/messages'",
    "client": "['claude-cli', 'codex_cli_rs', 'python'][1 + i % 3]",
    "session_id": "md5((i // 200)::VARCHAR)",
    "backend": "['api', 'codex', 'sdk'][1 + i % 3]",
    "model_requested": "'claude-opus-4-8'",
    "model_served": "['claude-opus-4-8', 'gpt-5.5', 'claude-haiku-4-5'][1 + i % 3]",
    "status": "[200, 200, 200, 429][1 + (hash(i) % 4)::BIGINT]",
    "tokens_input": "hash(i) % 100000",
    "tokens_output": "hash(i) % 3000",
    "cache_read_tokens": "hash(i) % 90000",
    "cost_usd": "(hash(i) % 1000) / 1000.0",
}
"""What the rows hold, as SQL of their number; other columns are empty."""

type Ask = Callable[[duckdb.DuckDBPyConnection], object]

QUESTIONS: dict[str, Ask] = {
    "newest 100 rows": lambda reader: rows(reader, Filters()),
    "failed ones of a model": lambda reader: rows(reader, Filters(model="claude-*", status="4xx")),
    "a text that is nowhere": lambda reader: rows(reader, Filters(text="nowhere")),
    "slowest 100 rows": lambda reader: rows(reader, Filters(), order="-duration_ms"),
    "totals": lambda reader: analytics(reader, Filters()),
    "by hour": lambda reader: analytics(reader, Filters(), ["hour"]),
    "by day and model": lambda reader: analytics(reader, Filters(), ["day", "model"]),
    "by session": lambda reader: analytics(reader, Filters(), ["session"]),
}


def main(arguments: Sequence[str]) -> int:
    """Exit codes: 0 done, 1 a question took too long and `--check` was given."""
    parser = argparse.ArgumentParser(prog="scripts/bench logs", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, metavar="N", help="rows in the log (1000000)")
    parser.add_argument("--check", action="store_true", help=f"exit 1 unless all answer within {GOAL:g} s")
    options = parser.parse_args(arguments)
    console, facts = Console(), machine()
    shown = ("date", "cores", "cpu", "python", "ccproxy", "load_average")
    console.print(", ".join(f"{key}: {facts[key]}" for key in shown), style="dim", highlight=False)
    with tempfile.TemporaryDirectory(prefix="ccproxy-bench-") as directory:
        file = Path(directory) / "access.duckdb"
        fill(file, options.rows)
        log = AccessLog(file)
        log.start()
        try:
            taken = {name: ask(log, question) for name, question in QUESTIONS.items()}
            making, handing, writing = hand_over(log)
        finally:
            log.close()
    table = Table(f"of {options.rows} rows", "ms, median", "ms, worst")
    for name, seconds in taken.items():
        table.add_row(name, f"{median(seconds) * 1000:.0f}", f"{max(seconds) * 1000:.0f}")
    console.print(table)
    console.print(
        f"a row is made in {making * 1e6:.1f} µs and handed over in {handing * 1e6:.2f} µs; "
        f"{HANDED} are written in {writing:.1f} s"
    )
    slowest = max(median(seconds) for seconds in taken.values())
    met = slowest <= GOAL
    console.print(f"goal: every answer within {GOAL:g} s: {slowest:.2f} s, {'met' if met else 'missed'}")
    return int(options.check and not met)


def fill(file: Path, count: int) -> None:
    """A log with so many rows."""
    with duckdb.connect(file) as connection:
        prepare(connection)
        values = ", ".join(f"{MADE.get(name, 'NULL')} AS {name}" for name in NAMES)
        connection.execute(f"INSERT INTO {TABLE} SELECT {values} FROM range({count}) numbers(i)")


def ask(log: AccessLog, question: Ask) -> list[float]:
    """How long it takes to answer, in seconds, several times."""
    until(lambda: log.status()["state"] == "ok")
    taken = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        with log.reader() as reader:
            question(reader)
        taken.append(time.perf_counter() - begun)
    return taken


def hand_over(log: AccessLog) -> tuple[float, float, float]:
    """Seconds to make a row, to hand it over, and until all of them are written."""
    exchange = Exchange("reverse", "POST", "/api/v1/messages", "anthropic", backend="api")
    exchange.model_served, exchange.usage.input, exchange.usage.output = "claude-opus-4-8", 1000, 100
    begun = time.perf_counter()
    made = [row_of(exchange) for _ in range(HANDED)]
    making = time.perf_counter() - begun
    begun = time.perf_counter()
    for row in made:
        log.put(row)
    handing = time.perf_counter() - begun
    until(lambda: log.status()["written"] == HANDED)
    return making / HANDED, handing / HANDED, time.perf_counter() - begun


def until(true: Callable[[], bool]) -> None:
    while not true():
        time.sleep(0.01)
