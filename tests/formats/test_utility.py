import json

from ccproxy import failures
from ccproxy.formats.utility import body, event

FAILURE = failures.shutting_down()


def test_a_body_and_an_event() -> None:
    assert json.loads(body(FAILURE, "x")) == {"error": {"type": "shutting_down", "message": FAILURE.message}}
    assert event(FAILURE, "x").endswith(body(FAILURE, "x") + b"\n\n")
