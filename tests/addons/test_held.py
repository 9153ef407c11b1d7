"""Small judgements; what becomes of held streams is in tests/scenarios/test_error_first.py, over sockets."""

import pytest
from mitmproxy import http
from mitmproxy.proxy.layers.http._events import ResponseData, ResponseEndOfMessage, ResponseHeaders

from ccproxy.addons.held import Held, wire_to_look_at
from ccproxy.exchange import Exchange
from ccproxy.formats.opening import Refusal

ERROR = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"x"}}\n\n'


def head(status: int = 200, headers: dict[str, str] | None = None) -> ResponseHeaders:
    usual = {"content-type": "text/event-stream; charset=utf-8", "transfer-encoding": "chunked"}
    return ResponseHeaders(1, http.Response.make(status, b"", usual | (headers or {})), end_stream=False)


def exchange(*, peek: bool = True) -> Exchange:
    made = Exchange("reverse", "POST", "/")
    made.peek = "anthropic" if peek else None
    return made


def test_which_answers_are_held() -> None:
    assert wire_to_look_at(exchange(), head()) == "anthropic"
    assert wire_to_look_at(exchange(), head(headers={"content-encoding": "identity"})) == "anthropic"


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [
        (False, head()),
        (True, head(201)),
        (True, head(429)),
        (True, head(headers={"content-type": "application/json"})),
        (True, head(headers={"content-encoding": "gzip"})),
        (True, ResponseHeaders(1, head().response, end_stream=True)),
    ],
)
def test_which_are_not(wanted: bool, answer: ResponseHeaders) -> None:
    assert wire_to_look_at(exchange(peek=wanted), answer) is None


def test_what_is_kept() -> None:
    held = Held(head(), "anthropic")
    events = [ResponseData(1, ERROR[:20]), ResponseData(1, ERROR[20:])]
    assert held.take(events[0]) == "wait"
    assert isinstance(held.take(events[1]), Refusal)
    assert held.rest == events


def test_the_end_is_not_waited_for() -> None:
    held = Held(head(), "anthropic")
    assert held.take(ResponseEndOfMessage(1)) == "go on"


@pytest.mark.parametrize(
    ("given", "wait", "expected"),
    [({}, 2.1, "3"), ({}, 2.0, "2"), ({}, None, None), ({"retry-after": "7"}, 2.0, "7")],
)
def test_an_error_answer(given: dict[str, str], wait: float | None, expected: str | None) -> None:
    held = Held(head(headers={"request-id": "req_1"} | given), "anthropic")
    held.become(Refusal(529, b'{"error":{}}', wait))
    response = held.head.response
    assert (response.status_code, response.reason) == (529, "")
    assert response.headers.get("retry-after") == expected
    assert response.headers["content-type"] == "application/json"
    assert response.headers["content-length"] == "12"
    assert response.headers["request-id"] == "req_1"
    assert "transfer-encoding" not in response.headers
    assert held.rest == [ResponseData(1, b'{"error":{}}'), ResponseEndOfMessage(1)]
