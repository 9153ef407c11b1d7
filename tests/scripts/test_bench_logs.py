"""The benchmark of the access log, in small."""

from pathlib import Path

import duckdb
import pytest

from ccproxy.records.query import NAMES
from scripts.benchmark.logs import MADE, QUESTIONS, fill, main


def test_what_is_made_up_are_columns() -> None:
    assert set(MADE) <= set(NAMES)


def test_as_many_rows_as_asked_for(tmp_path: Path) -> None:
    fill(tmp_path / "access.duckdb", 50)
    with duckdb.connect(tmp_path / "access.duckdb") as connection:
        query = "SELECT count(DISTINCT request_id), count(DISTINCT started_at) FROM access_log"
        assert connection.execute(query).fetchall() == [(50, 50)]


def test_a_short_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rows", "1000", "--check"]) == 0
    printed = capsys.readouterr().out
    assert all(question in printed for question in QUESTIONS)
    assert "met" in printed
