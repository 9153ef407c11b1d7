from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ccproxy.records.row import Row
from ccproxy.records.schema import COLUMNS, TABLE, VERSIONS, Column, NewerFileError, prepare, version

LATER = (*COLUMNS, Column("mood", "VARCHAR", "of the model", since=2), Column("luck", "INTEGER", "", since=3))


@pytest.fixture
def file(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(tmp_path / "log.duckdb") as connection:
        yield connection


def columns_of(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return [(name, kind) for name, kind, *_ in connection.execute(f"DESCRIBE {TABLE}").fetchall()]


def version_of(connection: duckdb.DuckDBPyConnection) -> int:
    ((found,),) = connection.execute(f"SELECT max(version) FROM {VERSIONS}").fetchall()
    return int(found)


def test_the_columns_are_the_fields_of_a_row() -> None:
    assert tuple(column.name for column in COLUMNS) == Row.__struct_fields__


def test_an_empty_file_becomes_a_log(file: duckdb.DuckDBPyConnection) -> None:
    prepare(file)
    assert columns_of(file) == [(column.name, column.type) for column in COLUMNS]
    assert version_of(file) == version(COLUMNS) == 1


def test_a_second_look_changes_nothing(file: duckdb.DuckDBPyConnection) -> None:
    prepare(file)
    file.execute(f"INSERT INTO {TABLE} (request_id) VALUES ('kept')")
    prepare(file)
    assert file.execute(f"SELECT request_id FROM {TABLE}").fetchall() == [("kept",)]


@pytest.mark.parametrize("between", [False, True])
def test_an_older_log_gets_the_new_columns_and_keeps_its_rows(
    file: duckdb.DuckDBPyConnection, *, between: bool
) -> None:
    prepare(file)
    file.execute(f"INSERT INTO {TABLE} (request_id) VALUES ('kept')")
    if between:
        prepare(file, LATER[:-1])
        assert version_of(file) == 2
    prepare(file, LATER)
    assert columns_of(file) == [(column.name, column.type) for column in LATER]
    assert file.execute(f"SELECT request_id, mood, luck FROM {TABLE}").fetchall() == [("kept", None, None)]
    assert version_of(file) == 3


def test_a_new_log_of_a_later_version_has_the_same_columns(file: duckdb.DuckDBPyConnection) -> None:
    prepare(file, LATER)
    assert columns_of(file) == [(column.name, column.type) for column in LATER]


def test_a_newer_log_is_refused_and_left_as_it_is(file: duckdb.DuckDBPyConnection) -> None:
    prepare(file, LATER)
    with pytest.raises(NewerFileError, match="version 3, this ccproxy knows versions up to 1"):
        prepare(file)
    assert version_of(file) == 3
    assert len(columns_of(file)) == len(LATER)


def test_what_fails_halfway_has_not_happened(file: duckdb.DuckDBPyConnection) -> None:
    prepare(file)
    with pytest.raises(duckdb.Error):
        prepare(file, (*LATER[:-1], Column("luck", "NO SUCH TYPE", "", since=3)))
    assert version_of(file) == 1
    assert columns_of(file) == [(column.name, column.type) for column in COLUMNS]
