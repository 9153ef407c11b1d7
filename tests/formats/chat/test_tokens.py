import pytest

from ccproxy.conversation.usage import Usage
from ccproxy.formats.chat.tokens import read_usage, write_usage

USAGE = Usage(input=1000, output=50, cache_read=900, cache_write=90, reasoning=7)
WRITTEN = {
    "prompt_tokens": 1000,
    "completion_tokens": 50,
    "total_tokens": 1050,
    "prompt_tokens_details": {"cached_tokens": 900, "cache_write_tokens": 90},
    "completion_tokens_details": {"reasoning_tokens": 7},
}


def test_case_42_the_cache_is_counted_once() -> None:
    assert write_usage(USAGE) == WRITTEN
    assert read_usage(WRITTEN) == USAGE


def test_figures_that_nobody_gave_are_left_out() -> None:
    written = write_usage(Usage(input=3, output=0))
    assert written == {"prompt_tokens": 3, "completion_tokens": 0, "total_tokens": 3}
    assert write_usage(Usage()) is None


def test_the_cost_where_the_upstream_says_it() -> None:
    written = write_usage(Usage(input=3, output=0, cost=0.25))
    assert written == {"prompt_tokens": 3, "completion_tokens": 0, "total_tokens": 3, "total_cost_usd": 0.25}
    assert read_usage(written) == Usage(input=3, output=0, cost=0.25)


@pytest.mark.parametrize("value", [None, 3, "x", [], True])
def test_what_is_no_usage(value: object) -> None:
    assert read_usage(value) is None


def test_figures_of_a_wrong_type_count_as_not_given() -> None:
    value = {"prompt_tokens": "9", "completion_tokens": True, "prompt_tokens_details": {"cached_tokens": -1}}
    assert read_usage(value) == Usage()
