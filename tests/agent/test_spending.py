"""Tokens and dollars of a turn."""

from typing import Any

from ccproxy.agent.spending import Spending, cost


def test_figures_of_a_message_replace_one_another_and_messages_add_up() -> None:
    spending = Spending()
    spending.take("a", {"input_tokens": 5, "output_tokens": 1, "cache_read_input_tokens": 100})
    spending.take(
        "a", {"output_tokens": 9, "input_tokens": None, "output_tokens_details": {"thinking_tokens": 4}}
    )
    spending.take("b", {"input_tokens": 2, "output_tokens": 3, "cache_creation_input_tokens": 7})
    assert spending.of("b")["output_tokens"] == 3
    assert spending.total() == {
        "input_tokens": 7,
        "cache_creation_input_tokens": 7,
        "cache_read_input_tokens": 100,
        "output_tokens": 12,
        "output_tokens_details": {"thinking_tokens": 4},
    }


def test_what_is_no_usage_is_passed_over() -> None:
    spending = Spending()
    odd: Any
    for odd in (None, [], "x", {"input_tokens": "many", "output_tokens": True}):
        spending.take("a", odd)
    assert set(spending.total().values()) == {0}
    assert set(spending.of("never heard of").values()) == {0}


def test_the_cost_is_what_came_since_the_last_result() -> None:
    models = {"opus": {"costUSD": 0.1}, "haiku": {"costUSD": 0.2}, "odd": 1, "free": {}}
    assert cost({"model_usage_since_last_result": models, "total_cost_usd": 9.0}) == 0.3
    assert cost({"model_usage_since_last_result": {}, "total_cost_usd": 9.0}) == 0


def test_older_versions_know_the_total_alone() -> None:
    assert cost({"total_cost_usd": 9}) == 9
    assert cost({}) is None
    assert cost({"total_cost_usd": "9"}) is None
