"""docs/access-log.md has every column, filter, figure and state."""

import re
from dataclasses import fields

from ccproxy.local.logs import CURSOR_HEADER, FORMATS
from ccproxy.records.filters import Filters
from ccproxy.records.query import BY, MOST_ROWS
from ccproxy.records.row import LONGEST_TEXT
from ccproxy.records.schema import COLUMNS
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
    table = section(PAGE, "## Ask for it")
    named = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (.*?) \|", table, re.MULTILINE))))
    others = {"columns", "order", "limit", "cursor", "format"}
    assert named == {field.name for field in fields(Filters)} | others
    for word in (*BY, *FORMATS, CURSOR_HEADER):
        assert f"`{word}`" in table


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
