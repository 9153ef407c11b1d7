"""Figures in words."""

from ccproxy.conversation.usage import Usage
from ccproxy.inspector.figures import cost, read, seconds, tokens


def test_tokens() -> None:
    usage = Usage(input=812, output=45, cache_read=600, cache_write=100, reasoning=20)
    assert tokens(usage) == "812 in (600 from the cache, 100 written to it), 45 out (20 reasoning)"
    assert tokens(Usage(input=1)) == "1 in"
    assert tokens(Usage()) == ""


def test_a_cost_that_nobody_told_is_none() -> None:
    assert cost(Usage()) == ""
    assert cost(Usage(cost=0.01234)) == "$0.0123"


def test_seconds() -> None:
    assert [seconds(value) for value in (0.0004, 0.042, 0.5, 61.234)] == [
        "0 ms",
        "42 ms",
        "0.50 s",
        "61.23 s",
    ]


def test_what_an_answer_says() -> None:
    reader = read(
        "chat", {"model": "m", "usage": {"prompt_tokens": 3}, "choices": [{"finish_reason": "stop"}]}
    )
    assert (reader.model, reader.usage.input, reader.stop_reason) == ("m", 3, "stop")
    assert read("anthropic", {"model": "m", "usage": "none"}).usage == Usage()
