import json

from ccproxy import failures
from ccproxy.local.refusals import refused


def test_an_error_that_nobody_keeps() -> None:
    answer = refused(failures.shutting_down())
    assert (answer.status_code, answer.media_type) == (503, "application/json")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-ccproxy-error"] == "shutting_down"
    assert json.loads(bytes(answer.body))["error"]["type"] == "shutting_down"
