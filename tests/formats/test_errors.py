"""Errors of ours, as the official SDKs read them."""

import json

import pytest

from ccproxy import failures
from ccproxy.formats import ERRORS, FormatName

FAILURE = failures.upstream_timeout("api.example.com", 300)


def test_anthropic_body() -> None:
    body = json.loads(ERRORS["anthropic"].body(FAILURE, "ccp_1"))
    assert body == {
        "type": "error",
        "error": {"type": "timeout_error", "message": FAILURE.message},
        "request_id": "ccp_1",
    }


@pytest.mark.parametrize("name", ["chat", "responses"])
def test_openai_body(name: FormatName) -> None:
    body = json.loads(ERRORS[name].body(FAILURE, "ccp_1"))
    assert body == {
        "error": {
            "message": FAILURE.message,
            "type": "server_error",
            "param": None,
            "code": "upstream_timeout",
        }
    }


def test_utility_body() -> None:
    body = json.loads(ERRORS["utility"].body(FAILURE, "ccp_1"))
    assert body == {"error": {"type": "upstream_timeout", "message": FAILURE.message}}


@pytest.mark.parametrize("name", list(ERRORS))
def test_an_event_is_one_whole_event(name: FormatName) -> None:
    event = ERRORS[name].event(FAILURE, "ccp_1")
    assert event.endswith(b"\n\n")
    assert event.count(b"\n\n") == 1
    data = json.loads(event.partition(b"data: ")[2])
    assert data.get("error")


def test_responses_event_is_flat_and_nested() -> None:
    data = json.loads(ERRORS["responses"].event(FAILURE, "ccp_1").partition(b"data: ")[2])
    assert data["type"] == "error"
    assert data["code"] == data["error"]["code"] == "upstream_timeout"
    assert data["sequence_number"] > 0
