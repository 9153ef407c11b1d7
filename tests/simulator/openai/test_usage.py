import pytest

from ccproxy.simulator.openai.catalogue import find
from ccproxy.simulator.openai.errors import ApiError
from ccproxy.simulator.openai.usage import InputTokens, Segment, check_context, measure
from ccproxy.simulator.state import Simulator


def talk(*sizes: int) -> list[Segment]:
    return [Segment(f"message {number}".encode(), size) for number, size in enumerate(sizes)]


def test_a_longer_conversation_reads_what_the_shorter_one_wrote(sim: Simulator) -> None:
    assert measure(sim, "gpt-5", talk(1500)) == InputTokens(total=1500, cached=0, written=1408)
    assert measure(sim, "gpt-5", talk(1500, 500)) == InputTokens(total=2000, cached=1408, written=512)


def test_a_changed_beginning_reads_nothing(sim: Simulator) -> None:
    measure(sim, "gpt-5", talk(1500))
    changed = [Segment(b"other", 1500), *talk(0, 500)[1:]]

    assert measure(sim, "gpt-5", changed).cached == 0


def test_short_prompts_are_not_cached(sim: Simulator) -> None:
    measure(sim, "gpt-5", talk(1000))

    assert measure(sim, "gpt-5", talk(1000)) == InputTokens(1000, 0, 0)


def test_another_scope_has_another_cache(sim: Simulator) -> None:
    measure(sim, "gpt-5 key-1", talk(1500))

    assert measure(sim, "gpt-5 key-2", talk(1500)).cached == 0


def test_a_prompt_has_to_fit() -> None:
    with pytest.raises(ApiError) as raised:
        check_context(talk(128_001), find("gpt-4o"), "messages")

    assert (raised.value.code, raised.value.param) == ("context_length_exceeded", "messages")
