import csv
import io
import json
from pathlib import Path
from typing import Any

import duckdb

from ccproxy.records.output import as_csv, as_ndjson, as_parquet

COLUMNS = ["request_id", "started_at", "stream", "status", "losses", "cost_usd"]
ROWS: list[list[Any]] = [
    ['a "b", ü', "2026-11-01T12:00:00.000001Z", False, 200, ["x", "y(clamped)"], 0.25],
    ["c", None, None, None, None, None],
]


def test_lines() -> None:
    lines = as_ndjson(COLUMNS, ROWS).splitlines()
    assert [json.loads(line) for line in lines] == [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]
    assert as_ndjson(COLUMNS, []) == b""


def test_a_table() -> None:
    expected = [
        ['a "b", ü', "2026-11-01T12:00:00.000001Z", "false", "200", "x y(clamped)", "0.25"],
        ["c", "", "", "", "", ""],
    ]
    assert list(csv.reader(io.StringIO(as_csv(COLUMNS, ROWS).decode()))) == [COLUMNS, *expected]
    assert list(csv.reader(io.StringIO(as_csv(COLUMNS, ROWS, names=False).decode()))) == expected


def test_parquet_has_the_types_of_the_log(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(as_parquet(COLUMNS, ROWS))
    with duckdb.connect() as database:
        table = database.read_parquet(str(tmp_path / "x.parquet"))
        types, found = [str(one) for one in table.types], table.fetchall()
    assert types == ["VARCHAR", "TIMESTAMP", "BOOLEAN", "SMALLINT", "VARCHAR[]", "DOUBLE"]
    assert [[str(one[1])[:26], *one[2:]] for one in found] == [
        ["2026-11-01 12:00:00.000001", False, 200, ["x", "y(clamped)"], 0.25],
        ["None", None, None, None, None],
    ]
    assert [one[0] for one in found] == ['a "b", ü', "c"]
