"""Every golden case is what it was when somebody last read it."""

from collections import Counter

import pytest

from tests.golden.cases import HERE, Case, request_cases, stream_cases, translated_request, translated_stream


@pytest.mark.parametrize("case", request_cases(), ids=lambda case: case.name)
def test_a_request(case: Case) -> None:
    assert translated_request(case) == case.expected.read_text()


@pytest.mark.parametrize("case", stream_cases(), ids=lambda case: case.name)
def test_a_stream(case: Case) -> None:
    assert translated_stream(case) == case.expected.read_bytes()


def test_there_are_enough_of_each() -> None:
    requests = Counter(case.source for case in request_cases())
    streams = Counter(case.source for case in stream_cases())
    assert min(requests.values()) >= 2 * 40
    assert min(streams.values()) >= 2 * 25


def test_nothing_is_left_over() -> None:
    expected = {case.expected for case in (*request_cases(), *stream_cases())}
    found = {path for kind in ("requests", "streams") for path in (HERE / kind).rglob("*.to-*")}
    assert found == expected
