"""The access log's routes, over real sockets."""

import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from starlette.applications import Starlette

from ccproxy.local.logs import log_routes
from ccproxy.records.query import FIGURES, NAMES
from ccproxy.records.schema import COLUMNS
from ccproxy.records.store import AccessLog
from tests.records.rows import row, until
from tests.support.serving import serving

START = datetime(2026, 11, 1, 12)


@asynccontextmanager
async def served(log: AccessLog | None) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(Starlette(routes=log_routes(log))) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as client:
            yield client


@asynccontextmanager
async def filled(path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The routes of a log with three rows."""
    log = AccessLog(path / "access.duckdb")
    log.start()
    try:
        for number in range(3):
            at = START + timedelta(minutes=number)
            log.put(row(request_id=f"{number}", started_at=at, client='a "b", c', losses=["x", "y(clamped)"]))
        until(lambda: log.status()["written"] == 3)
        async with served(log) as client:
            yield client
    finally:
        log.close()


async def test_rows_as_json_page_by_page(tmp_path: Path) -> None:
    async with filled(tmp_path) as client:
        answer = await client.get("/logs/query", params={"limit": "2", "model": "claude-*"})
        first = answer.json()
        second = (
            await client.get("/logs/query", params={"limit": "2", "cursor": first["next_cursor"]})
        ).json()
    assert answer.headers["cache-control"] == "no-store"
    assert (first["count"], first["filters"]) == (2, {"model": "claude-*"})
    assert [one["request_id"] for one in first["results"]] == ["2", "1"]
    assert tuple(first["results"][0]) == NAMES
    assert first["results"][0]["started_at"] == "2026-11-01T12:02:00.000000Z"
    assert ([one["request_id"] for one in second["results"]], second["next_cursor"]) == (["0"], None)


async def test_rows_alone(tmp_path: Path) -> None:
    asked = {"columns": "request_id,client,stream,losses,error", "order": "started_at", "limit": "2"}
    async with filled(tmp_path) as client:
        lines = await client.get("/logs/query", params=asked | {"format": "ndjson"})
        table = await client.get("/logs/query", params=asked | {"format": "csv"})
        whole = await client.get("/logs/query", params={"format": "csv"})
    assert lines.headers["content-type"] == "application/x-ndjson"
    expected = {"client": 'a "b", c', "stream": False, "losses": ["x", "y(clamped)"], "error": None}
    assert [json.loads(line) for line in lines.text.splitlines()] == [
        {"request_id": name} | expected for name in "01"
    ]
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert list(csv.reader(io.StringIO(table.text))) == [
        ["request_id", "client", "stream", "losses", "error"],
        *([name, 'a "b", c', "false", "x y(clamped)", ""] for name in "01"),
    ]
    assert table.headers["x-ccproxy-next-cursor"] == lines.headers["x-ccproxy-next-cursor"]
    assert "x-ccproxy-next-cursor" not in whole.headers


async def test_rows_as_parquet(tmp_path: Path) -> None:
    asked = {"columns": "request_id,started_at,losses,error,tokens_input", "format": "parquet", "limit": "2"}
    async with filled(tmp_path) as client:
        answer = await client.get("/logs/query", params=asked)
        nothing = await client.get("/logs/query", params={"format": "parquet", "client": "nobody"})
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    assert "x-ccproxy-next-cursor" in answer.headers
    assert [table_of(one.content, tmp_path) for one in (answer, nothing)] == [
        (
            [
                "request_id VARCHAR",
                "started_at TIMESTAMP",
                "losses VARCHAR[]",
                "error VARCHAR",
                "tokens_input BIGINT",
            ],
            [(name, START + timedelta(minutes=int(name)), ["x", "y(clamped)"], None, 1000) for name in "21"],
        ),
        ([f"{column.name} {column.type}" for column in COLUMNS], []),
    ]


def table_of(content: bytes, folder: Path) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Columns with their types, and rows, of a Parquet file."""
    (folder / "x.parquet").write_bytes(content)
    with duckdb.connect() as database:
        table = database.read_parquet(str(folder / "x.parquet"))
        return [f"{n} {t}" for n, t in zip(table.columns, table.types, strict=True)], table.fetchall()


async def test_sql(tmp_path: Path) -> None:
    query = "SELECT request_id, started_at, sum(tokens_input) OVER () AS n FROM access_log ORDER BY 1"
    async with filled(tmp_path) as client:
        by_get = await client.get("/logs/sql", params={"query": query, "limit": "2"})
        by_post = await client.post("/logs/sql", params={"limit": "2"}, content=query)
        lines = await client.post("/logs/sql?format=ndjson", content="SELECT 1 AS a, NULL AS b")
        table = await client.post("/logs/sql?format=csv&limit=1", content="SELECT request_id FROM access_log")
    assert by_get.json() == by_post.json()
    assert by_get.json() == {
        "columns": ["request_id", "started_at", "n"],
        "rows": [[name, f"2026-11-01T12:0{name}:00.000000Z", 3000] for name in "01"],
        "count": 2,
        "truncated": True,
    }
    assert (lines.text, lines.headers["content-type"]) == ('{"a":1,"b":null}\n', "application/x-ndjson")
    assert (table.text[:12], table.headers["x-ccproxy-truncated"]) == ("request_id\r\n", "true")
    assert "x-ccproxy-truncated" not in lines.headers


@pytest.mark.parametrize(
    ("asked", "body", "said"),
    [
        ({}, "", "query must be a SELECT"),
        ({"format": "parquet"}, "SELECT 1", "format must be one of json, ndjson, csv."),
        ({"limit": "0"}, "SELECT 1", "limit must be from 1 to 10000."),
        ({"colour": "red"}, "SELECT 1", "There is no 'colour' here"),
        ({}, "DROP TABLE access_log", "Only a single SELECT is allowed."),
        ({}, "SELECT * FROM duckdb_databases()", "duckdb_databases() is out of reach here."),
        ({}, "SELECT x FROM access_log", "Binder Error"),
        ({}, "SELECT '" + "x" * 100_000 + "'", "query may have 100000 bytes."),
    ],
)
async def test_sql_that_is_refused(asked: dict[str, str], body: str, said: str, tmp_path: Path) -> None:
    async with filled(tmp_path) as client:
        answer = await client.post("/logs/sql", params=asked, content=body)
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (400, "invalid_request")
    assert answer.json()["error"]["message"].startswith(said)
    assert str(tmp_path) not in answer.text


async def test_figures(tmp_path: Path) -> None:
    async with filled(tmp_path) as client:
        asked = {"by": "day,model", "since": "2026-11-01T12:01:00Z"}
        answer = (await client.get("/logs/analytics", params=asked)).json()
    assert tuple(answer["totals"]) == tuple(FIGURES)
    (part,) = answer["series"]
    assert (part["day"], part["model"], part["requests"]) == ("2026-11-01", "claude-opus-4-8", 2)
    assert (answer["by"], answer["filters"]) == (["day", "model"], {"since": asked["since"]})


async def test_the_state(tmp_path: Path) -> None:
    async with filled(tmp_path) as client:
        answer = (await client.get("/logs/status")).json()
    assert (answer["state"], answer["reason"], answer["written"], answer["dropped"]) == ("ok", None, 3, 0)
    assert str(tmp_path) not in json.dumps(answer)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"colour": "red"}, "There is no filter 'colour'"),
        ({"columns": "x"}, "There is no column 'x'"),
        ({"format": "xml"}, "format must be one of json, ndjson, csv, parquet."),
        ({"status": "9xx"}, "status must be a number"),
        ({"limit": "-1"}, "limit must be a whole number"),
        ({"limit": "99999"}, "limit must be from 1 to 10000"),
        ({"since": "yesterday"}, "since must be a time"),
        ({"cursor": "x"}, "cursor must be"),
    ],
)
async def test_what_cannot_be_asked(asked: dict[str, Any], said: str, tmp_path: Path) -> None:
    async with filled(tmp_path) as client:
        answer = await client.get("/logs/query", params=asked)
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (400, "invalid_request")
    assert answer.json()["error"]["message"].startswith(said)


@pytest.mark.parametrize("path", ["/logs/query", "/logs/analytics", "/logs/status", "/logs/sql"])
async def test_off(path: str) -> None:
    async with served(None) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (404, "log_off")
    assert "observability.logs = true" in answer.json()["error"]["message"]


async def test_a_log_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "access.duckdb").write_text("my notes of the day")
    log = AccessLog(tmp_path / "access.duckdb")
    log.start()
    until(lambda: log.status()["state"] != "starting")
    async with served(log) as client:
        answer = await client.get("/logs/query")
        state = (await client.get("/logs/status")).json()["state"]
    log.close()
    assert (answer.status_code, state) == (503, "damaged")
    assert "Move it away" in answer.json()["error"]["message"]
