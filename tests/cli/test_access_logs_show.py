import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
import pytest
from rich.console import Console
from rich.table import Table

from ccproxy.cli.access_logs_show import WIDTH, count, seconds, show, table
from ccproxy.cli.access_logs_source import Asked, Row
from ccproxy.records.query import plain
from tests.records.rows import row

START = datetime(2026, 11, 1, 12)


def made(**given: Any) -> Row:
    return {name: plain(value) for name, value in msgspec.structs.asdict(row(**given)).items()}


ROWS = [
    made(started_at=START, model_served="claude-opus-4-8", cost_usd=0.0075, losses=["a", "b"]),
    made(
        started_at=START + timedelta(days=40),
        model_served=None,
        model_requested="a-name-of-a-model-that-has-no-end-at-all",
        status=429,
        error="rate_limit_error",
        tokens_input=None,
        tokens_output=None,
        first_byte_ms=None,
        duration_ms=123_456.0,
    ),
    made(status=None, model_served=None, tokens_input=12_345_678, tokens_output=99_999, cost_usd=1234.5),
]


def lines_of(made: Table, width: int = WIDTH) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None, highlight=False)
    console.print(made)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_a_line_for_each_in_eighty_columns() -> None:
    heads, first, second, third = lines_of(table(ROWS))
    assert heads.split() == ["Time", "Model", "Status", "In", "Out", "Cost", "First", "Took"]
    assert first.startswith(f"{START.replace(tzinfo=UTC).astimezone():%m-%d %H:%M:%S}")
    assert first.split()[2:] == ["claude-opus-4-8", "200", "1000", "100", "$0.0075", "0.10s", "1.00s"]
    assert second.split()[2:] == ["a-name-of-a-model-tha…", "429", "123s"]
    assert third.split()[2:] == ["/api/v1/messages", "-", "12346k", "99999", "$1234.5…", "0.10s", "1.00s"]
    assert all(len(line) <= WIDTH for line in (heads, first, second, third))


def test_one_at_a_time_looks_the_same() -> None:
    alone = [line for one in ROWS for line in lines_of(table([one], heads=False))]
    assert lines_of(table([])) + alone == lines_of(table(ROWS))


@pytest.mark.parametrize(
    ("tokens", "text"), [(None, ""), (0, "0"), (99_999, "99999"), (100_000, "100k"), (12_345_678, "12346k")]
)
def test_counts(tokens: int | None, text: str) -> None:
    assert count(tokens) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(None, ""), (4.2, "0.00s"), (420.0, "0.42s"), (12_340.0, "12.3s"), (600_000.0, "600s")],
)
def test_seconds(milliseconds: float | None, text: str) -> None:
    assert seconds(milliseconds) == text


def printed(
    capsys: pytest.CaptureFixture[str], form: Literal["table", "json", "csv"], columns: list[str]
) -> str:
    names = columns or list(ROWS[0])

    def ask(given: dict[str, str]) -> tuple[list[Row], str | None]:
        # two pages
        found = ROWS[2:] if given.get("cursor") else ROWS[:2]
        return [{name: one[name] for name in names} for one in found], None if given.get("cursor") else "next"

    show(Asked({}, columns, "-started_at", None), ask, form)
    return capsys.readouterr().out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(printed(capsys, "json", [])) == {"results": ROWS, "count": 3}


def test_csv(capsys: pytest.CaptureFixture[str]) -> None:
    found = list(csv.reader(io.StringIO(printed(capsys, "csv", ["status", "losses"]))))
    assert found == [["status", "losses"], ["200", "a b"], ["429", ""], ["", ""]]


def test_columns_under_their_own_names(capsys: pytest.CaptureFixture[str]) -> None:
    heads, first, second, third = printed(capsys, "table", ["error", "stream", "tokens_input"]).splitlines()
    assert heads.split() == ["error", "stream", "tokens_input"]
    assert (first.split(), second.split()) == (["false", "1000"], ["rate_limit_error", "false"])
    assert third.split() == ["false", "12345678"]


def test_the_usual_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(printed(capsys, "table", []).splitlines()) == 4
    show(Asked({}, [], "-started_at", 5), lambda _: ([], None), "table")
    assert capsys.readouterr().out == "No row is like that.\n"
