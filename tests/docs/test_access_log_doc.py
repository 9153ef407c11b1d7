"""docs/access-log.md has every column, filter, figure and state."""

import re
from dataclasses import fields

from ccproxy.cli.access_logs_export import WRITERS
from ccproxy.local.log_stream import KEEPALIVE
from ccproxy.local.logs import CURSOR_HEADER, FORMATS, LONGEST_SQL, SQL_FORMATS, TRUNCATED_HEADER
from ccproxy.records.feed import MOST_ROWS as LISTENED
from ccproxy.records.filters import Filters
from ccproxy.records.query import BY, MOST_ROWS, SECONDS
from ccproxy.records.row import LONGEST_TEXT
from ccproxy.records.schema import COLUMNS
from ccproxy.records.sql_guard import TABLE_FUNCTIONS
from ccproxy.records.store import GATHER, PATIENCE, WAITING
from ccproxy.records.store_states import REASONS
from tests.docs.pages import page, section

PAGE = page("access-log")


def test_the_columns_are_those_of_the_schema() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| ([A-Z\[\]]+) \| (.+) \|$", section(PAGE, "## What is in a row"), re.MULTILINE
    )
    assert rows == [(column.name, column.type, column.what) for column in COLUMNS]


def test_every_parameter_is_there() -> None:
    table = section(PAGE, "## Ask the server")
    parameters = table.partition("### ")[0]
    named = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (.*?) \|", parameters, re.MULTILINE))))
    others = {"columns", "order", "limit", "cursor", "format"}
    assert named == {field.name for field in fields(Filters)} | others
    for word in (*BY, *FORMATS, CURSOR_HEADER):
        assert f"`{word}`" in table


def test_the_stream_and_sql() -> None:
    stream, sql = section(PAGE, "### Rows as they come"), section(PAGE, "### SQL")
    assert re.findall(r"^\| `(\w+)` \|", stream, re.MULTILINE) == ["row", "lost", "ping"]
    assert f"{LISTENED:,} wait for each reader".replace(",", " ") in stream
    assert f"every {KEEPALIVE:g} seconds" in stream
    for word in (*TABLE_FUNCTIONS, *SQL_FORMATS, TRUNCATED_HEADER):
        assert f"`{word}`" in sql
    assert f"{LONGEST_SQL:,} bytes".replace(",", " ") in sql
    assert f"{SECONDS:g} seconds" in sql


def test_the_endings_of_an_export() -> None:
    commands = section(PAGE, "## Ask for it on the command line")
    assert all(f"`{ending}`" in commands for ending in WRITERS)


def test_every_state_is_there() -> None:
    table = section(PAGE, "## When something is wrong with the file")
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(REASONS)


def test_the_limits_are_those_of_the_code() -> None:
    assert f"at most {GATHER:g} seconds" in PAGE
    assert f"At most {WAITING:,} rows wait".replace(",", " ") in PAGE
    assert f"at most {MOST_ROWS:,}".replace(",", " ") in PAGE
    assert f"cut at {LONGEST_TEXT} characters" in PAGE
    assert PATIENCE == 3
    assert "every three seconds" in PAGE
