import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ccproxy.records.filters import Filters, QueryError
from ccproxy.records.query import NAMES, Page, analytics, rows, sql
from ccproxy.records.store import AccessLog
from tests.records.rows import row, until

START = datetime(2026, 11, 1, 12)
MODELS = ("claude-opus-4-8", "gpt-5.5", "a-model-of-my-own")


def example(number: int) -> Any:
    """Twelve rows, ten minutes apart; every fourth has failed, every third model has no price."""
    failed = number % 4 == 3
    model = MODELS[number % 3]
    return row(
        request_id=f"{number:02}",
        started_at=START + timedelta(minutes=10 * number),
        backend="openai" if model == "gpt-5.5" else "api",
        model_requested=model,
        model_served=None if failed else model,
        status=429 if failed else 200,
        error="rate_limit_error" if failed else None,
        session_id=f"s-{number // 6}",
        client="claude-cli" if number % 2 else "Grüße",
        tokens_input=None if failed else 1000,
        tokens_output=None if failed else 100,
        cache_read_tokens=None if failed else 500,
        duration_ms=100.0 * number,
        first_byte_ms=None if failed else 10.0 * number,
    )


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccessLog]:
    log = AccessLog(tmp_path_factory.mktemp("data") / "access.duckdb")
    log.start()
    for number in range(12):
        log.put(example(number))
    until(lambda: log.status()["written"] == 12)
    yield log
    log.close()


@pytest.fixture
def reader(log: AccessLog) -> Iterator[duckdb.DuckDBPyConnection]:
    with log.reader() as reader:
        yield reader


def ids(page: Page) -> list[str]:
    return [one["request_id"] for one in page.rows]


# --- rows


def test_newest_first_with_every_column(reader: duckdb.DuckDBPyConnection) -> None:
    page = rows(reader, Filters())
    assert ids(page) == [f"{number:02}" for number in reversed(range(12))]
    assert page.next_cursor is None
    assert tuple(page.rows[0]) == NAMES
    assert page.rows[-1]["started_at"] == "2026-11-01T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(since=START + timedelta(minutes=100)), "11 10"),
        (Filters(until=START + timedelta(minutes=20)), "01 00"),
        (Filters(model="gpt-5.5"), "10 07 04 01"),
        (Filters(model="claude-*"), "09 06 03 00"),
        (Filters(model="claude"), ""),
        (Filters(backend="openai", session="s-0"), "04 01"),
        (Filters(status="429"), "11 07 03"),
        (Filters(status="4xx", client="claude-cli"), "11 07 03"),
        (Filters(error="any"), "11 07 03"),
        (Filters(error="rate_limit_error", session="s-1"), "11 07"),
        (Filters(text="GRÜSSE"), ""),
        (Filters(text="grüße", session="s-1"), "10 08 06"),
        (Filters(text="OPUS"), "09 06 03 00"),
        (Filters(text="%"), ""),
        (Filters(text="'; DROP TABLE access_log; --"), ""),
    ],
)
def test_filters(filters: Filters, found: str, reader: duckdb.DuckDBPyConnection) -> None:
    assert " ".join(ids(rows(reader, filters))) == found
    # the stream has the same idea of them
    assert " ".join(f"{n:02}" for n in reversed(range(12)) if filters.matches(example(n))) == found


def test_columns_in_the_order_asked_for(reader: duckdb.DuckDBPyConnection) -> None:
    page = rows(reader, Filters(), columns=["status", "request_id"], limit=2)
    assert page.rows == [{"status": 429, "request_id": "11"}, {"status": 200, "request_id": "10"}]


@pytest.mark.parametrize("order", [f"{sign}{name}" for sign in ("", "-") for name in NAMES])
def test_pages_have_every_row_once_in_every_order(order: str, reader: duckdb.DuckDBPyConnection) -> None:
    whole = ids(rows(reader, Filters(), order=order))
    assert sorted(whole) == [f"{number:02}" for number in range(12)]
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = rows(reader, Filters(), order=order, limit=5, cursor=cursor)
        found += ids(page)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == whole


def test_unknown_values_come_last(reader: duckdb.DuckDBPyConnection) -> None:
    for order in ("first_byte_ms", "-first_byte_ms"):
        assert set(ids(rows(reader, Filters(), order=order))[-3:]) == {"03", "07", "11"}


def test_a_page_is_stable_while_rows_are_written(log: AccessLog, reader: duckdb.DuckDBPyConnection) -> None:
    first = rows(reader, Filters(session="s-1"), limit=3)
    reader.execute(
        "INSERT INTO access_log BY NAME (SELECT * REPLACE ('99' AS request_id, started_at + "
        "INTERVAL 1 DAY AS started_at) FROM access_log WHERE request_id = '11')"
    )
    second = rows(reader, Filters(session="s-1"), limit=3, cursor=first.next_cursor)
    again = ids(rows(reader, Filters(session="s-1"), limit=1))
    reader.execute("DELETE FROM access_log WHERE request_id = '99'")
    assert (ids(first), ids(second), again) == (["11", "10", "09"], ["08", "07", "06"], ["99"])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"columns": ["status", "statsu"]}, "There is no column 'statsu'. Columns: request_id, started_at"),
        ({"order": "-1; DROP TABLE access_log"}, "There is no column '1; DROP TABLE access_log'"),
        ({"limit": 0}, "limit must be from 1 to 10000"),
        ({"limit": 10_001}, "limit must be from 1 to 10000"),
        ({"cursor": "zz"}, "cursor must be the next_cursor"),
        ({"cursor": b'["x",1,2]'.hex()}, "cursor must be the next_cursor"),
        ({"cursor": b'["x","2026-11-01T12:00:00","a"]'.hex()}, "cursor must be the next_cursor"),
    ],
)
def test_what_cannot_be_asked(wrong: dict[str, Any], said: str, reader: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(QueryError) as problem:
        rows(reader, Filters(), **wrong)
    assert str(problem.value).startswith(said)


# --- figures


def test_totals(reader: duckdb.DuckDBPyConnection) -> None:
    totals = analytics(reader, Filters())["totals"]
    assert (totals["requests"], totals["errors"]) == (12, 3)
    assert (totals["tokens_input"], totals["tokens_output"]) == (9000, 900)
    assert (totals["cache_read_tokens"], totals["cache_hit_rate"]) == (4500, 0.5)
    claude, gpt = 500 * 5e-6 + 500 * 0.5e-6 + 100 * 25e-6, 500 * 5e-6 + 500 * 0.5e-6 + 100 * 30e-6
    assert totals["cost_usd"] == pytest.approx(3 * claude + 3 * gpt)
    assert (totals["unpriced"], totals["cost_reported_usd"]) == (3, None)
    assert (totals["duration_p50_ms"], totals["duration_p95_ms"]) == (550, pytest.approx(1045))
    # of 0, 10, 20, 40, 50, 60, 80, 90, 100
    assert (totals["first_byte_p50_ms"], totals["first_byte_p95_ms"]) == (50, pytest.approx(96))


def test_nothing_has_no_figures(reader: duckdb.DuckDBPyConnection) -> None:
    figures = analytics(reader, Filters(model="none"), ["day"])
    assert figures["series"] == []
    assert figures["totals"]["requests"] == 0
    assert figures["totals"]["cost_usd"] is figures["totals"]["cache_hit_rate"] is None


@pytest.mark.parametrize(
    ("by", "requests"),
    [
        (["hour"], {("2026-11-01T12:00:00Z",): 6, ("2026-11-01T13:00:00Z",): 6}),
        (["day"], {("2026-11-01",): 12}),
        (["model"], {(model,): 4 for model in MODELS}),
        (["backend"], {("api",): 8, ("openai",): 4}),
        (["session"], {("s-0",): 6, ("s-1",): 6}),
        (["client"], {("claude-cli",): 6, ("Grüße",): 6}),
        (["backend", "session"], {(b, s): n for b, n in (("api", 4), ("openai", 2)) for s in ("s-0", "s-1")}),
    ],
)
def test_series(
    by: list[str], requests: dict[tuple[str, ...], int], reader: duckdb.DuckDBPyConnection
) -> None:
    answer = analytics(reader, Filters(), by)
    series = {tuple(part[name] for name in by): part for part in answer["series"]}
    assert {key: part["requests"] for key, part in series.items()} == requests
    for figure in ("tokens_input", "tokens_output", "cost_usd", "errors"):
        whole = sum(part[figure] or 0 for part in series.values())
        assert whole == pytest.approx(answer["totals"][figure])


def test_an_unknown_division_is_named(reader: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(QueryError, match=r"by 'colour'\. Allowed: hour, day, model"):
        analytics(reader, Filters(), ["colour"])


# --- SQL


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SELECT count(*) AS n FROM access_log", [[12]]),
        ("select min(started_at) from access_log;", [["2026-11-01T12:00:00.000000Z"]]),
        (
            "WITH a AS (SELECT status, count(*) FROM access_log GROUP BY 1) FROM a ORDER BY 1",
            [[200, 9], [429, 3]],
        ),
        ("VALUES (1), (2)", [[1], [2]]),
    ],
)
def test_sql(text: str, found: list[list[Any]], reader: duckdb.DuckDBPyConnection) -> None:
    assert sql(reader, text).rows == found


def test_the_columns_of_sql_have_names(reader: duckdb.DuckDBPyConnection) -> None:
    table = sql(reader, "SELECT 1 AS a, 'x' AS b")
    assert (table.columns, table.truncated) == (["a", "b"], False)


def test_sql_gives_so_many_rows(reader: duckdb.DuckDBPyConnection) -> None:
    table = sql(reader, "SELECT request_id FROM access_log ORDER BY 1 DESC", limit=2)
    assert (table.rows, table.truncated) == ([["11"], ["10"]], True)
    assert not sql(reader, "SELECT request_id FROM access_log", limit=12).truncated


FILE = "'/etc/hostname'"


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO access_log (request_id) VALUES ('x')",
        "UPDATE access_log SET status = 1",
        "DELETE FROM access_log",
        "DROP TABLE access_log",
        "CREATE TABLE x (i INTEGER)",
        "CREATE TEMP TABLE x (i INTEGER)",
        "ALTER TABLE access_log ADD COLUMN x INTEGER",
        "COMMIT; DELETE FROM access_log",
        "SELECT 1; DELETE FROM access_log",
        "ATTACH ':memory:' AS other",
        "COPY access_log TO '/tmp/x.csv'",
        f"COPY access_log FROM {FILE}",
        "EXPORT DATABASE '/tmp/x'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 1",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "PRAGMA database_list",
        "CALL pragma_version()",
        "CHECKPOINT",
        "PREPARE x AS SELECT 1",
        "",
        "SELEC 1",
        f"SELECT * FROM read_csv({FILE})",
        f"SELECT * FROM read_text({FILE})",
        f"SELECT * FROM read_blob({FILE})",
        f"SELECT * FROM read_parquet({FILE})",
        f"SELECT * FROM {FILE}",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM query('DELETE FROM access_log')",
        "SELECT getenv('HOME')",
        "SELECT * FROM text",
        "SELECT * FROM statements",
        "SELECT * FROM parquet_scan('https://127.0.0.1:1/x')",
        "SELECT * FROM sqlite_scan('/tmp/x', 'y')",
    ],
)
def test_sql_only_reads_and_only_the_log(text: str, reader: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(QueryError) as problem:
        sql(reader, text)
    assert str(Path.home()) not in str(problem.value)
    assert reader.execute("SELECT count(*) FROM access_log").fetchall() == [(12,)]


ENDLESS = "SELECT count(*) FROM range(100000000000) a, range(100000000000) b WHERE a.range * 7 % 11 = b.range"


def test_a_time_limit(reader: duckdb.DuckDBPyConnection) -> None:
    begun = time.monotonic()
    with pytest.raises(QueryError, match=r"takes more than 0\.2 s"):
        sql(reader, ENDLESS, seconds=0.2)
    assert time.monotonic() - begun < 5
    assert len(rows(reader, Filters()).rows) == 12


def test_memory_has_a_limit(log: AccessLog, reader: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(QueryError, match="Out of Memory"):
        sql(reader, "SELECT list(repeat('x', 100000) || range) FROM range(1000000)")
    assert log.status()["state"] == "ok"
