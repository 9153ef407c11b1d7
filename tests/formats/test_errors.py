"""What holds for the errors of every format."""

import json

import pytest

from ccproxy import failures
from ccproxy.formats import ERRORS, FormatName
from ccproxy.formats.sse import Reader

FAILURE = failures.upstream_timeout("api.example.com", 300)


@pytest.mark.parametrize("name", list(ERRORS))
def test_an_event_is_one_whole_event(name: FormatName) -> None:
    (event,) = Reader().feed(ERRORS[name].event(FAILURE, "ccp_1"))
    assert json.loads(event.data)["error"]


@pytest.mark.parametrize("name", list(ERRORS))
def test_a_body_says_what_happened(name: FormatName) -> None:
    assert json.loads(ERRORS[name].body(FAILURE, "ccp_1"))["error"]["message"] == FAILURE.message
