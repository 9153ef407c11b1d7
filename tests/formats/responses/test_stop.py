import pytest

from ccproxy.conversation.events import StopReason
from ccproxy.formats.responses import stop


@pytest.mark.parametrize(
    ("reason", "wanted"),
    [
        ("max_output_tokens", "length"),
        ("max_messages", "length"),
        ("content_filter", "refusal"),
        ("steered", "end"),
        ("solar_flare", "length"),
        (None, "length"),
        ({}, "length"),
    ],
)
def test_an_incomplete_answer(reason: object, wanted: StopReason) -> None:
    assert stop.of_incomplete(reason) == wanted


def test_a_completed_answer() -> None:
    assert stop.of_completed(called=True, refused=True) == "tool_calls"
    assert stop.of_completed(called=False, refused=True) == "refusal"
    assert stop.of_completed(called=False, refused=False) == "end"


def test_case_43_nothing_that_was_cut_short_looks_complete() -> None:
    assert stop.incomplete_reason("length") == "max_output_tokens"
    assert stop.incomplete_reason("context") == "max_output_tokens"
    assert stop.incomplete_reason("refusal") == "content_filter"
    complete: tuple[StopReason, ...] = ("end", "stop_sequence", "tool_calls", "pause", "compaction")
    assert [stop.incomplete_reason(reason) for reason in complete] == [None] * 5
