from datetime import UTC, datetime, timedelta

import pytest

from ccproxy.cli.access_logs_times import moment
from ccproxy.records.filters import QueryError

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "back"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(days=14)),
    ],
)
def test_a_span_is_counted_back(value: str, back: timedelta) -> None:
    assert moment("--since", value, NOW) == f"{(NOW - back).replace(tzinfo=None).isoformat()}Z"


def test_a_time_has_a_zone_or_that_of_this_machine() -> None:
    assert moment("--since", "2026-11-23T08:00+02:00") == "2026-11-23T06:00:00Z"
    assert moment("--since", "2026-11-23T08:00:00Z") == "2026-11-23T08:00:00Z"
    here = datetime(2026, 11, 23).astimezone(UTC).replace(tzinfo=None)
    assert moment("--since", "2026-11-23") == f"{here.isoformat()}Z"


@pytest.mark.parametrize(
    "value", ["yesterday", "2", "2y", "-2h", "99999999999d", "0001-01-01T00:00+14:00", ""]
)
def test_what_is_no_time(value: str) -> None:
    with pytest.raises(QueryError, match=r"^--until must be a span such as 2h"):
        moment("--until", value, NOW)
