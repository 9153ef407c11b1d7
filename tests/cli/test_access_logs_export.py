import csv
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ccproxy.cli.access_logs_export import WRITERS, export
from ccproxy.cli.access_logs_source import Asked, Row
from ccproxy.cli.running import NoAnswerError

ASKED = Asked({}, ["request_id", "status", "losses"], "started_at", None)


def ask(given: dict[str, str]) -> tuple[list[Row], str | None]:
    """Two pages of two rows."""
    first = 0 if "cursor" not in given else 2
    found: list[Row] = [
        {"request_id": f"{number}", "status": 200 + number, "losses": ["a", "b"]}
        for number in (first, first + 1)
    ]
    return found, None if first else "next"


def read(file: Path) -> list[Any]:
    match file.suffix:
        case ".ndjson":
            return [tuple(json.loads(line).values()) for line in file.read_text().splitlines()]
        case ".csv":
            names, *rows = csv.reader(file.read_text().splitlines())
            assert names == ASKED.columns
            return [(one, int(status), losses.split()) for one, status, losses in rows]
    with duckdb.connect() as database:
        return database.read_parquet(str(file)).fetchall()


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_row_once_and_only_for_its_owner(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"rows{suffix}"
    assert export(ASKED, ask, file) == 4
    assert read(file) == [(f"{number}", 200 + number, ["a", "b"]) for number in range(4)]
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("suffix", WRITERS)
def test_no_rows_are_a_file_too(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"rows{suffix}"
    assert export(ASKED, lambda _: ([], None), file) == 0
    assert read(file) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("mine")
    with pytest.raises(FileExistsError):
        export(ASKED, ask, file)
    assert file.read_text() == "mine"


@pytest.mark.parametrize("suffix", WRITERS)
def test_half_a_file_is_none(suffix: str, tmp_path: Path) -> None:
    def break_off(given: dict[str, str]) -> tuple[list[Row], str | None]:
        if "cursor" in given:
            raise NoAnswerError("gone")
        return ask(given)

    with pytest.raises(NoAnswerError):
        export(ASKED, break_off, tmp_path / f"rows{suffix}")
    assert not list(tmp_path.iterdir())
