from datetime import UTC, datetime

import pytest

from ccproxy.retries import FIRST_WAIT, NONE, Patience, Setback, pause, until

PATIENCE = Patience(attempts=2, max_wait=8)


def wait(setback: Setback, made: int = 0, luck: float = 0.0) -> float | None:
    return pause(setback, made, PATIENCE, luck)


@pytest.mark.parametrize("status", [429, 503, 529, None])
def test_what_is_tried_again(status: int | None) -> None:
    setback = Setback(status)
    assert [wait(setback, made) for made in range(3)] == [FIRST_WAIT, 2 * FIRST_WAIT, None]
    assert pause(setback, 0, NONE, 0) is None


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 408, 409, 413, 422, 500, 502, 504])
def test_what_is_not(status: int) -> None:
    assert wait(Setback(status)) is None


@pytest.mark.parametrize("status", [500, 502, 504, 529])
def test_what_the_upstream_says_counts(status: int) -> None:
    assert wait(Setback(status, should_retry=True)) == FIRST_WAIT
    assert wait(Setback(status, should_retry=False)) is None


@pytest.mark.parametrize("status", [400, 408, 409])
def test_but_a_clients_mistake_stays_one(status: int) -> None:
    assert wait(Setback(status, should_retry=True)) is None


@pytest.mark.parametrize(("asked", "expected"), [(0.0, 0.0), (0.2, 0.2), (8.0, 8.0), (8.1, None)])
def test_a_wait_that_was_asked_for(asked: float, expected: float | None) -> None:
    """As long as that, neither shorter nor spread, or not at all."""
    assert wait(Setback(429, wait=asked), luck=1.0) == expected


def test_an_unknown_wait_is_spread_and_bounded() -> None:
    assert wait(Setback(529), luck=1.0) == FIRST_WAIT * 0.75
    assert pause(Setback(529), 9, Patience(10, 3), 0) == 3


def test_a_limit_that_waiting_does_not_end() -> None:
    assert wait(Setback(429, wait=1, used_up=True, should_retry=True)) is None


def test_a_connection_that_was_kept_open() -> None:
    """At once, but only once: who closes the next one too is not merely tidying up."""
    assert [wait(Setback(stale=True), made) for made in range(3)] == [0, 2 * FIRST_WAIT, None]
    assert pause(Setback(stale=True), 0, NONE, 0) is None


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Sun, 22 Nov 2026 12:00:10 GMT", 10),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
        ("Sun, 22 Nov 2026 12:00:10 -0000", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_date(date: str, expected: float | None) -> None:
    assert until(date, datetime(2026, 11, 22, 12, tzinfo=UTC)) == expected
