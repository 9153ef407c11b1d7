from typing import get_args

import pytest

from ccproxy.conversation.events import StopReason
from ccproxy.formats.anthropic import stop


@pytest.mark.parametrize("reason", get_args(StopReason))
def test_every_reason_comes_back(reason: StopReason) -> None:
    assert stop.decode(stop.encode(reason), calls=reason == "tool_calls") == reason


@pytest.mark.parametrize(
    ("theirs", "calls", "ours"),
    [
        ("end_turn", True, "tool_calls"),
        ("tool_use", False, "end"),
        ("max_tokens", True, "length"),
        (None, False, "end"),
        (None, True, "tool_calls"),
        ("tired", False, None),
    ],
)
def test_case_43_reasons_and_calls_agree(theirs: str | None, calls: bool, ours: StopReason | None) -> None:
    assert stop.decode(theirs, calls) == ours
