import json

import pytest

from ccproxy.simulator.codex.errors import Blocked, Detail, UsageLimit, asked_for
from ccproxy.simulator.script import HttpError

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (HttpError(400), Detail),
        (HttpError(401), Detail),
        (HttpError(403), Detail),
        (HttpError(403, "blocked"), Blocked),
        (HttpError(429, "usage_limit"), UsageLimit),
    ],
)
def test_forms(fault: HttpError, kind: type) -> None:
    error = asked_for(fault, NOW)

    assert type(error) is kind
    assert error.status == fault.status


def test_a_usage_limit_has_a_time() -> None:
    error = json.loads(asked_for(HttpError(429, "usage_limit", 90.0), NOW).body)["error"]

    assert error == {
        "type": "usage_limit_reached",
        "message": "The usage limit has been reached",
        "plan_type": "pro",
        "resets_at": int(NOW) + 90,
        "resets_in_seconds": 90,
    }


def test_everything_else_is_the_public_api_s() -> None:
    error = asked_for(HttpError(400, "context_length_exceeded"), NOW)

    assert json.loads(error.body)["error"]["code"] == "context_length_exceeded"
