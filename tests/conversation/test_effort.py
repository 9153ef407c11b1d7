import pytest

from ccproxy.conversation.effort import budget_of, clamp, effort_of
from ccproxy.conversation.request import EFFORTS, Effort


@pytest.mark.parametrize(
    ("effort", "budget"),
    [
        ("none", None),
        ("minimal", 1024),
        ("low", 1024),
        ("medium", 8192),
        ("high", 24576),
        ("xhigh", 32768),
        ("max", 64000),
    ],
)
def test_budget_of(effort: Effort, budget: int | None) -> None:
    assert budget_of(effort) == budget


@pytest.mark.parametrize(
    ("budget", "effort"),
    [
        (1, "low"),
        (1024, "low"),
        (1025, "medium"),
        (8192, "medium"),
        (8193, "high"),
        (24576, "high"),
        (24577, "xhigh"),
        (10**9, "xhigh"),
    ],
)
def test_effort_of(budget: int, effort: Effort) -> None:
    assert effort_of(budget) == effort


@pytest.mark.parametrize(
    ("effort", "supported", "clamped"),
    [
        ("xhigh", ("low", "medium", "high", "max"), "high"),
        ("max", ("low", "medium", "high"), "high"),
        ("minimal", ("low", "medium", "high"), "low"),
        ("minimal", ("none", "low"), "low"),
        ("low", ("none",), "none"),
        ("none", ("low", "high"), "low"),
        ("none", ("none", "low"), "none"),
        ("medium", ("high", "max"), "high"),
        ("high", (), "high"),
    ],
)
def test_clamp(effort: Effort, supported: tuple[Effort, ...], clamped: Effort) -> None:
    assert clamp(effort, supported) == clamped


@pytest.mark.parametrize("effort", EFFORTS)
def test_what_is_supported_stays(effort: Effort) -> None:
    assert clamp(effort, EFFORTS) == effort
