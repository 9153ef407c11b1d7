import pytest

from ccproxy.conversation.usage import Usage, count, dollars, special


def test_what_nobody_said_is_none() -> None:
    usage = Usage()
    assert [usage.input, usage.output, usage.cache_read, usage.cache_write, usage.reasoning] == [None] * 5
    assert usage.cost is None


@pytest.mark.parametrize("value", [0.5, 0, 3])
def test_a_cost(value: float) -> None:
    assert dollars(value) == value


@pytest.mark.parametrize("value", [None, "0.5", True, -1, float("nan"), {}])
def test_what_is_no_cost(value: object) -> None:
    assert dollars(value) is None


def test_counts() -> None:
    assert [count(value) for value in (0, 7, -1, True, 1.5, "7", None)] == [0, 7, *[None] * 5]


def test_only_a_tier_with_prices_of_its_own() -> None:
    assert [special(value) for value in ("flex", "standard", "default", None, 1)] == ["flex", *[None] * 4]
