from typing import get_args

import pytest

from ccproxy.conversation.events import StopReason
from ccproxy.formats.chat.stop import finish_reason, stop_reason


@pytest.mark.parametrize(
    ("finish", "called", "refused", "stop"),
    [
        ("stop", False, False, "end"),
        ("stop", True, False, "tool_calls"),
        ("stop", False, True, "refusal"),
        ("tool_calls", True, False, "tool_calls"),
        ("tool_calls", False, False, "end"),
        ("function_call", True, False, "tool_calls"),
        ("length", True, False, "length"),
        ("length", False, False, "length"),
        ("model_length", False, False, "context"),
        ("content_filter", True, False, "refusal"),
        ("steered", False, False, "end"),
        ("insufficient_system_resource", False, False, None),
    ],
)
def test_case_43_every_reason_has_its_own(
    finish: str, called: bool, refused: bool, stop: StopReason | None
) -> None:
    assert stop_reason(finish, called, refused) == stop


@pytest.mark.parametrize("stop", get_args(StopReason))
def test_every_stop_has_a_finish_reason(stop: StopReason) -> None:
    assert finish_reason(stop, False) in ("stop", "length", "content_filter")


def test_calls_decide_between_stop_and_tool_calls() -> None:
    assert finish_reason("end", True) == finish_reason("tool_calls", True) == "tool_calls"
    assert finish_reason("tool_calls", False) == "stop"
    assert finish_reason("length", True) == "length"
