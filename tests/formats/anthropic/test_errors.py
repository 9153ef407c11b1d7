import json

from ccproxy import failures
from ccproxy.formats.anthropic.errors import body, event

FAILURE = failures.upstream_timeout("api.example.com", 300)


def test_a_body() -> None:
    assert json.loads(body(FAILURE, "ccp_1")) == {
        "type": "error",
        "error": {"type": "timeout_error", "message": FAILURE.message},
        "request_id": "ccp_1",
    }


def test_an_event_is_named() -> None:
    assert event(FAILURE, "ccp_1") == b"event: error\ndata: " + body(FAILURE, "ccp_1") + b"\n\n"
