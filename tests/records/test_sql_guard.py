"""No answer to SQL shows where the file lies, whatever DuckDB offers."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ccproxy.records.filters import QueryError
from ccproxy.records.query import sql
from ccproxy.records.sql_guard import check
from ccproxy.records.store import AccessLog
from tests.records.rows import row, until


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("where-the-file-lies")


@pytest.fixture(scope="module")
def reader(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    log = AccessLog(folder / "access.duckdb")
    log.start()
    log.put(row())
    until(lambda: log.status()["written"] == 1)
    with log.reader() as reader:
        yield reader
    log.close()


@pytest.mark.parametrize(
    "text",
    [
        "SELECT count(*) FROM access_log",
        "SELECT count(*) FROM main.access_log",
        "SELECT * FROM ACCESS_LOG a JOIN access_log b USING (request_id)",
        "WITH days AS (SELECT started_at::DATE AS d FROM access_log) SELECT d, count(*) FROM days GROUP BY d",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) FROM n",
        "SELECT unnest(losses) FROM access_log",
        "FROM generate_series(1, 3)",
        "FROM range(3) CROSS JOIN unnest([1, 2])",
        "DESCRIBE access_log",
        "SUMMARIZE access_log",
        "FROM (PIVOT access_log ON status IN (200) USING count(*))",
        "SELECT current_database(), now() AT TIME ZONE 'UTC'",
        "SELECT 1 -- a comment",
        "SELECT 1; ",
    ],
)
def test_what_is_allowed(text: str, reader: duckdb.DuckDBPyConnection) -> None:
    assert sql(reader, text).columns


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM duckdb_databases()",
        "SELECT path FROM duckdb_databases",
        "SELECT * FROM DUCKDB_DATABASES",
        'SELECT * FROM "duckdb_databases"',
        "SELECT * FROM main.duckdb_databases",
        "SELECT * FROM system.main.duckdb_databases",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM pragma_database_list",
        "SELECT * FROM pragma_database_list()",
        "SELECT * FROM pg_settings",
        "SELECT * FROM pg_catalog.pg_settings",
        "SELECT * FROM information_schema.tables",
        "SELECT (SELECT path FROM duckdb_databases() LIMIT 1)",
        "SELECT 1 WHERE EXISTS (FROM duckdb_databases)",
        "SELECT 1 ORDER BY (SELECT path FROM duckdb_databases LIMIT 1)",
        "WITH x AS (FROM duckdb_databases) FROM x",
        "FROM (WITH duckdb_databases AS (SELECT 1) SELECT 1), duckdb_databases",
        "SELECT 1 UNION ALL SELECT path FROM duckdb_databases",
        "DESCRIBE duckdb_databases",
        "SUMMARIZE duckdb_databases",
        "SHOW DATABASES",
        "SHOW TABLES",
        "FROM (PIVOT duckdb_databases ON path IN ('x') USING count(*))",
        "SELECT current_setting('secret_directory')",
        "SELECT CURRENT_SETTING('secret_directory')",
        "SELECT main.current_setting('secret_directory')",
        "SELECT 'secret_directory'.current_setting()",
        "SELECT list_transform(['secret_directory'], lambda x: current_setting(x))",
        "SELECT json_serialize_plan('SELECT current_setting(''secret_directory'')', optimize := true)",
        "FROM json_execute_serialized_sql(json_serialize_sql('FROM duckdb_databases()'))",
        "FROM query('FROM duckdb_databases()')",
        "FROM query_table('duckdb_databases')",
        "FROM seq_scan('x')",
    ],
)
def test_what_is_refused(text: str, reader: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(QueryError, match=r"out of reach|Only"):
        check(reader, text)


def test_nothing_that_this_duckdb_has_shows_a_path(folder: Path, reader: duckdb.DuckDBPyConnection) -> None:
    functions = reader.execute(
        "SELECT DISTINCT function_name, function_type, parameter_types = ['VARCHAR'] FROM duckdb_functions()"
    ).fetchall()
    views = reader.execute("SELECT DISTINCT schema_name, view_name FROM duckdb_views()").fetchall()
    settings = reader.execute("SELECT name FROM duckdb_settings()").fetchall()
    asked = [f"FROM {schema}.{view}" for schema, view in views]
    asked += [f"FROM {view}" for _, view in views]
    asked += [f"SELECT current_setting('{name}')" for (name,) in settings]
    for name, kind, takes_text in functions:
        if "table" in kind or kind == "pragma":
            asked += [f"FROM {name}()", f"FROM {name}('access')"]
        elif takes_text and name.isidentifier():
            asked += [f"SELECT {name}('secret_directory')"]
    hidden = (str(folder), folder.name, str(Path.home()))
    for text in asked:
        try:
            told = str(sql(reader, text, seconds=2, limit=1_000))
        except QueryError as problem:
            told = str(problem)
        assert not any(part in told for part in hidden), text


def test_a_time_with_a_zone_is_asked_for_without(reader: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(QueryError, match="AT TIME ZONE 'UTC'"):
        sql(reader, "SELECT now()")


def test_a_deep_question_is_refused_and_harms_nobody(reader: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(QueryError):
        sql(reader, "SELECT " + "(" * 5_000 + "1" + ")" * 5_000)
    with pytest.raises(QueryError):
        sql(reader, "SELECT " + "-(" * 900 + "1" + ")" * 900 + " FROM duckdb_databases()")
    assert sql(reader, "SELECT 1").rows == [[1]]
