import pytest

from ccproxy.simulator.openai.errors import scripted
from ccproxy.simulator.script import HttpError


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (HttpError(429), "requests", "rate_limit_exceeded"),
        (HttpError(429, "insufficient_quota"), "insufficient_quota", "insufficient_quota"),
        (HttpError(500), "server_error", None),
        (HttpError(529), "server_error", None),
        (HttpError(503, "slow_down"), "server_error", "slow_down"),
        (HttpError(400, "context_length_exceeded"), "invalid_request_error", "context_length_exceeded"),
        (HttpError(400, "own_type"), "own_type", None),
    ],
)
def test_errors_that_a_scenario_asks_for(fault: HttpError, kind: str, code: str | None) -> None:
    error = scripted(fault)

    assert (error.status, error.kind, error.code) == (fault.status, kind, code)
    assert error.error["type"] == kind


def test_how_long_to_wait() -> None:
    assert scripted(HttpError(429, None, 2.5)).headers == {"retry-after": "2.5"}
    assert scripted(HttpError(429)).headers == {}
