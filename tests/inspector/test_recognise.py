"""Which format a body is in, wherever the flow came from."""

from pathlib import Path

import pytest

from ccproxy.conversation.parts import Wire
from ccproxy.inspector.recognise import wire_of_answer, wire_of_path, wire_of_request
from tests.golden.cases import request_cases
from tests.inspector.golden_cases import cases

PATHS: dict[Wire, str] = {
    "anthropic": "/v1/messages?beta=true",
    "chat": "/openai/v1/chat/completions",
    "responses": "/backend-api/codex/responses",
}
OTHER = {"anthropic": "chat", "chat": "responses", "responses": "anthropic"}
OURS = [case for case in cases() if case.parent.name in PATHS]


def test_paths() -> None:
    assert {wire_of_path(path): path for path in PATHS.values()} == PATHS
    assert wire_of_path("/v1/messages/count_tokens") == "anthropic"
    assert wire_of_path("/v1/messages/batches") is None
    assert wire_of_path("/") is None


@pytest.mark.parametrize("case", OURS, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_a_body_where_it_belongs(case: Path) -> None:
    known = wire_of_request if case.name.startswith("request") else wire_of_answer
    wire = next(wire for wire in PATHS if wire == case.parent.name)
    assert known(PATHS[wire], case.read_bytes()) == wire


@pytest.mark.parametrize(
    "case", [case for case in OURS if case.stem in ("answer", "stream", "cut", "failed")]
)
def test_an_answer_in_another_format_than_its_request(case: Path) -> None:
    """A flow whose request was translated may hold the client's answer."""
    path = next(PATHS[wire] for wire in PATHS if wire == OTHER[case.parent.name])
    assert wire_of_answer(path, case.read_bytes()) == case.parent.name


@pytest.mark.parametrize("case", [case for case in OURS if case.name == "request.json"])
def test_a_request_by_its_look_alone(case: Path) -> None:
    assert wire_of_request("/anywhere", case.read_bytes()) == case.parent.name


def test_requests_of_every_kind_by_their_path() -> None:
    for case in request_cases():
        assert wire_of_request(PATHS[case.source], case.given.read_bytes()) == case.source, case.given


@pytest.mark.parametrize(
    "body", [b"", b"x", b"[]", b"{}", b'{"data": []}', b"data: x\n\n", b": ping\n\n", b"\xff"]
)
def test_what_is_none(body: bytes) -> None:
    for path in PATHS.values():
        assert wire_of_request(path, body) is None
        assert wire_of_answer(path, body) is None


def test_a_stream_that_begins_with_something_else() -> None:
    stream = b': hello\n\ndata: {"type":"ping"}\n\nevent: message_start\ndata: {"type":"message_start"}\n\n'
    assert wire_of_answer("/", stream) == "anthropic"
