from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ccproxy.quota.codex import CodexReader, span
from ccproxy.quota.windows import Credits, Window
from ccproxy.simulator.codex import limits

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RESET = NOW + timedelta(hours=3)
SECONDS = int(RESET.timestamp())


@pytest.fixture
def reader() -> CodexReader:
    return CodexReader()


def test_the_plans_windows_and_those_of_another_limit(reader: CodexReader) -> None:
    seen = reader.headers(limits.headers(NOW.timestamp()), NOW)
    assert seen
    assert [(w.name, w.model, w.used) for w in seen.windows] == [
        ("5h", None, 0.125),
        ("7d", None, 0.4),
        ("5h", "Bengalfox", 0.125),
        ("7d", "Bengalfox", 0.4),
    ]
    assert seen.windows[0].resets_at == datetime.fromtimestamp(limits.PRIMARY.resets_at(NOW.timestamp()), UTC)
    assert (seen.binding, seen.seen_at) == ("7d", NOW)
    assert seen.credits == Credits(False, False, "0")


def test_a_plan_that_is_used_up(reader: CodexReader) -> None:
    seen = reader.headers(limits.headers(NOW.timestamp(), exhausted_until=SECONDS), NOW)
    assert seen
    assert seen.windows[0] == Window("5h", 1.0, RESET)
    assert seen.binding == "5h"


def test_headers_without_limits(reader: CodexReader) -> None:
    assert reader.headers({"x-request-id": "1", "x-codex-turn-state": "s"}, NOW) is None
    assert reader.headers({}, NOW) is None


def test_seconds_until_the_reset(reader: CodexReader) -> None:
    headers = {"X-Codex-Primary-Used-Percent": "5", "X-Codex-Primary-Reset-After-Seconds": "10800"}
    seen = reader.headers(headers, NOW)
    assert seen
    assert seen.windows == (Window("primary", 0.05, RESET),)
    seen = reader.headers({**headers, "x-codex-primary-reset-at": str(SECONDS + 60)}, NOW)
    assert seen
    assert seen.windows == (Window("primary", 0.05, RESET + timedelta(minutes=1)),)


def test_the_limit_that_the_request_counted_on_binds(reader: CodexReader) -> None:
    headers = {
        "x-codex-primary-used-percent": "90",
        "x-codex-primary-window-minutes": "300",
        "x-codex-other-primary-used-percent": "20",
        "x-codex-other-primary-window-minutes": "10080",
        "x-codex-plan-type": "pro",
    }
    for active, binding in (("codex_other", "7d_codex_other"), ("codex", "5h"), ("premium", "5h")):
        seen = reader.headers({**headers, "x-codex-active-limit": active}, NOW)
        assert seen
        assert (seen.binding, seen.plan) == (binding, "pro")


@pytest.mark.parametrize(
    ("minutes", "name"),
    [(300, "5h"), (10080, "7d"), (60, "1h"), (90, "90m"), (1440, "1d"), (43200, "30d"), (299, "299m")],
)
def test_names_of_windows(minutes: int, name: str) -> None:
    assert span(minutes) == name


def test_broken_values_are_left_out_one_by_one(reader: CodexReader) -> None:
    seen = reader.headers(
        {
            "x-codex-primary-used-percent": "nan",
            "x-codex-primary-window-minutes": "0.5",
            "x-codex-primary-reset-at": "soon",
            "x-codex-primary-reset-after-seconds": "10800",
            "x-codex-secondary-used-percent": "130",
            "x-codex-secondary-window-minutes": "10080",
            "x-codex-secondary-reset-at": "1e300",
            "x-codex-secondary-reset-after-seconds": "1e300",
            "x-codex-fast-primary-used-percent": "x",
            "x-codex-credits-has-credits": "maybe",
            "x-codex-credits-unlimited": "1",
        },
        NOW,
    )
    assert seen
    assert seen.windows == (Window("primary", None, RESET), Window("7d", 1.0))
    assert seen.credits == Credits(None, True, None)


def test_a_window_of_zeros_is_none(reader: CodexReader) -> None:
    nothing = {f"x-codex-secondary-{field}": "0" for field in ("used-percent", "window-minutes", "reset-at")}
    assert reader.headers(nothing, NOW) is None


def test_an_event(reader: CodexReader) -> None:
    seen = reader.event(limits.event(NOW.timestamp(), "plus"), NOW)
    assert seen
    assert [(w.name, w.used, w.model) for w in seen.windows] == [("5h", 0.125, None), ("7d", 0.4, None)]
    assert (seen.binding, seen.plan, seen.credits) == ("7d", "plus", Credits(False, False, "0"))


def test_an_event_about_another_limit(reader: CodexReader) -> None:
    event = {
        **limits.event(NOW.timestamp(), "plus"),
        "metered_limit_name": "codex_bengalfox",
        "rate_limits": {"primary": {"used_percent": 2, "window_minutes": 300, "reset_at": SECONDS}},
    }
    for called in ("codex_bengalfox", "Bengalfox"):
        seen = reader.event(event, NOW)
        assert seen
        assert seen.windows == (Window("5h", 0.02, RESET, model=called),)
        # the headers of an answer say what people call it
        reader.headers(limits.headers(NOW.timestamp()), NOW)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"rate_limits": None, "credits": None},
        {"rate_limits": [], "credits": 1, "plan_type": 3},
        {"rate_limits": {"primary": None, "secondary": {"used_percent": "x", "reset_at": True}}},
        {"metered_limit_name": {}, "rate_limits": {"primary": "much"}},
    ],
)
def test_an_event_that_says_nothing(reader: CodexReader, data: dict[str, Any]) -> None:
    assert reader.event(data, NOW) is None
