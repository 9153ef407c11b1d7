import json

from ccproxy import failures
from ccproxy.formats.chat.errors import body, event

FAILURE = failures.upstream_timeout("api.example.com", 300)


def test_a_body() -> None:
    assert json.loads(body(FAILURE, "ccp_1")) == {
        "error": {
            "message": FAILURE.message,
            "type": "server_error",
            "param": None,
            "code": "upstream_timeout",
        }
    }


def test_an_event_has_no_name() -> None:
    assert event(FAILURE, "ccp_1") == b"data: " + body(FAILURE, "ccp_1") + b"\n\n"
