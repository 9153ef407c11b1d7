from datetime import datetime

import pytest

from ccproxy.records.filters import Filters, QueryError, moment, statuses
from tests.records.rows import row


def test_nothing_asked_for_is_everything() -> None:
    assert Filters().where() == ("true", [])
    assert Filters.read({"model": "", "text": ""}) == Filters()


def test_as_a_url_says_it() -> None:
    read = Filters.read({"since": "2026-11-23T08:00:00+01:00", "status": "4xx", "session": "s-1"})
    assert read == Filters(since=datetime(2026, 11, 23, 7), status="4xx", session="s-1")


def test_an_unknown_filter_is_named() -> None:
    with pytest.raises(QueryError, match=r"no filter 'modell'\. Filters: since, until, model, "):
        Filters.read({"modell": "x"})


def test_a_wrong_status_is_named_at_once() -> None:
    with pytest.raises(QueryError, match="such as 404"):
        Filters.read({"status": "9xx"})


@pytest.mark.parametrize(
    ("filters", "matches"),
    [
        (Filters(), True),
        (Filters(model="claude-*", status="2xx", backend="api"), True),
        (Filters(status="404"), False),
        (Filters(session="s-1"), False),
        (Filters(client="x"), False),
        (Filters(error="any"), False),
        (Filters(text="OPUS"), True),
        (Filters(text="sonnet"), False),
    ],
)
def test_a_row_is_meant_or_not(filters: Filters, matches: bool) -> None:
    assert filters.matches(row()) is matches


def test_a_row_without_an_answer_has_no_status_and_no_model() -> None:
    cut = row(status=None, model_served=None, model_requested=None)
    assert not Filters(status="2xx").matches(cut)
    assert not Filters(model="*").matches(cut)


def test_values_are_bound() -> None:
    evil = "'; DROP TABLE access_log; --"
    where, values = Filters(
        model=evil, backend=evil, session=evil, client=evil, error=evil, text=evil
    ).where()
    assert "DROP" not in where
    assert values == [evil] * 7
    assert where.count("?") == 7


@pytest.mark.parametrize(("value", "bounds"), [("404", (404, 404)), ("4xx", (400, 499)), ("5XX", (500, 599))])
def test_statuses(value: str, bounds: tuple[int, int]) -> None:
    assert statuses(value) == bounds


@pytest.mark.parametrize("value", ["40", "x", "9xx", "-12", "²00", "4000"])
def test_what_is_no_status(value: str) -> None:
    with pytest.raises(QueryError, match="such as 404, or a class such as 4xx"):
        statuses(value)


def test_times_without_a_zone_are_utc() -> None:
    assert moment("since", "2026-11-23T08:00:00Z") == moment("since", "2026-11-23T08:00:00")
    with pytest.raises(QueryError, match="since must be a time such as"):
        moment("since", "yesterday")
