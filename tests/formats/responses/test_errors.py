import json

from ccproxy import failures
from ccproxy.formats.responses.errors import body, event

FAILURE = failures.upstream_timeout("api.example.com", 300)


def test_a_body_is_that_of_chat() -> None:
    assert json.loads(body(FAILURE, "ccp_1"))["error"]["code"] == "upstream_timeout"


def test_an_event_is_flat_and_nested() -> None:
    name, _, data = event(FAILURE, "ccp_1").partition(b"\ndata: ")
    value = json.loads(data)
    assert name == b"event: error"
    assert value["type"] == "error"
    assert value["code"] == value["error"]["code"] == "upstream_timeout"
    assert value["sequence_number"] > 0
