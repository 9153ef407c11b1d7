from typing import Any

import pytest

from ccproxy.simulator.anthropic.caching import PromptTokens, count, measure
from tests.simulator.anthropic.asking import Ask, assistant, text, user

MARK: dict[str, Any] = {"cache_control": {"type": "ephemeral"}}
HOUR: dict[str, Any] = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


def request(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"model": "claude-opus-5-5", "messages": list(messages), **fields}


def test_without_marks_everything_is_input() -> None:
    raw = request(user("hello"), system="be kind")
    assert measure(raw, set()) == PromptTokens(input=count(raw))


def test_a_string_counts_like_one_block() -> None:
    assert count(request(user("hello"))) == count(request(user(text("hello"))))


def test_a_mark_changes_no_count() -> None:
    assert count(request(user(text("hello")))) == count(request(user(text("hello", **MARK))))


def test_first_written_then_read() -> None:
    seen: set[bytes] = set()
    raw = request(user(text("hello " * 100, **MARK), text("and now?")))
    first, second = measure(raw, seen), measure(raw, seen)
    assert (first.read, second.written) == (0, 0)
    assert first.written == second.read > 100
    assert first.input == second.input == count(raw) - first.written


def test_a_longer_conversation_reads_what_the_shorter_one_wrote() -> None:
    seen: set[bytes] = set()
    first = measure(request(user(text("one", **MARK)), system=[text("base", **MARK)]), seen)
    longer = request(
        user(text("one")), assistant("two"), user(text("three", **MARK)), system=[text("base", **MARK)]
    )
    second = measure(longer, seen)
    assert second.read == first.written
    assert second.written == count(longer) - first.written
    assert second.input == 0


@pytest.mark.parametrize(
    "changed",
    [
        request(user(text("hello", **MARK)), system="now"),
        request(user(text("hallo", **MARK))),
        {**request(user(text("hello", **MARK))), "model": "claude-sonnet-5"},
        request(user(text("hello", **MARK)), tools=[{"name": "a", "input_schema": {"type": "object"}}]),
    ],
)
def test_a_changed_prefix_is_written_anew(changed: dict[str, Any]) -> None:
    seen: set[bytes] = set()
    measure(request(user(text("hello", **MARK))), seen)
    assert measure(changed, seen).read == 0


def test_a_part_of_a_prefix_is_read() -> None:
    seen: set[bytes] = set()
    measure(request(user(text("hello", **MARK)), system=[text("base " * 50, **MARK)]), seen)
    other = measure(request(user(text("hallo", **MARK)), system=[text("base " * 50, **MARK)]), seen)
    assert other.read > 50
    assert other.written > 0


def test_a_prefix_too_far_back_is_not_found() -> None:
    def history(length: int) -> dict[str, Any]:
        return request(user(*[text(f"block {n}") for n in range(length)], text("end", **MARK)))

    def written_at_the_start() -> set[bytes]:
        seen: set[bytes] = set()
        measure(request(user(text("block 0", **MARK))), seen)
        return seen

    assert measure(history(20), written_at_the_start()).read > 0
    assert measure(history(21), written_at_the_start()).read == 0


def test_lifetimes_are_told_apart() -> None:
    tokens = measure(request(user(text("b" * 80, **MARK)), system=[text("a" * 400, **HOUR)]), set())
    assert tokens.written > tokens.written_1h > 100
    assert tokens.input == 0


def test_the_mark_of_the_whole_request_is_on_its_last_block() -> None:
    seen: set[bytes] = set()
    raw = request(user("hello"), **MARK)
    assert measure(raw, seen) == PromptTokens(input=0, written=count(raw))
    assert measure(raw, seen) == PromptTokens(input=0, read=count(raw))


async def test_the_answer_reports_it(ask: Ask) -> None:
    content = [text("a" * 100, **HOUR), text("b" * 100, **MARK), text("c")]
    first, second = [(await ask(content)).json()["usage"] for _ in range(2)]
    assert first["cache_read_input_tokens"] == second["cache_creation_input_tokens"] == 0
    assert first["cache_creation_input_tokens"] == second["cache_read_input_tokens"] > 50
    parts = first["cache_creation"]
    assert sum(parts.values()) == first["cache_creation_input_tokens"]
    assert min(parts.values()) > 20
