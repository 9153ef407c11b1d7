"""Which recorded answer a request gets, and what is said when it gets none."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ccproxy.records.cassette import Recorded
from ccproxy.records.matching import Tape, differences, told


def ask(*turns: str, model: str = "claude-opus-4-8", **more: Any) -> dict[str, Any]:
    roles = ("user", "assistant")
    messages = [{"role": roles[n % 2], "content": turn} for n, turn in enumerate(turns)]
    return {"model": model, "messages": messages, **more}


def recorded(request: dict[str, Any], answer: str) -> Recorded:
    return Recorded("messages", "/v1/messages", 200, [(0.0, answer)], request)


def answer_of(tape: Tape, request: dict[str, Any], path: str = "/v1/messages") -> str | None:
    number = tape.find("messages", path, request)
    return tape.recorded[number - 1].body if number else None


def test_a_request_finds_its_answer_wherever_it_is_sent() -> None:
    tape = Tape([recorded(ask("one"), "1"), recorded(ask("two"), "2")])
    assert answer_of(tape, ask("two"), "/api/v1/messages") == "2"
    assert answer_of(tape, ask("one", metadata={"user_id": "x"})) == "1"
    assert answer_of(tape, ask("three")) is None
    assert tape.find("count_tokens", "/v1/messages", ask("one")) is None


def test_answers_come_in_their_order_and_the_last_repeats() -> None:
    tape = Tape([recorded(ask("a"), "1"), recorded(ask("b"), "other"), recorded(ask("a"), "2")])
    assert [answer_of(tape, ask("a")) for _ in range(4)] == ["1", "2", "2", "2"]
    assert answer_of(tape, ask("b")) == "other"


def test_without_a_body_the_path_counts() -> None:
    tape = Tape([Recorded("models", "/api/v1/models", 200, [(0.0, "{}")])])
    assert tape.find("models", "/api/v1/models", None) == 1
    assert tape.find("models", "/openai/v1/models", None) is None


def test_the_nearest_request_and_the_difference() -> None:
    tape = Tape(
        [
            recorded(ask("hello", model="claude-haiku-4-5"), "1"),
            recorded(ask("hello world, how are you today?"), "2"),
            recorded(ask("hello world, how are you today?", "fine", "good"), "3"),
        ]
    )
    nearest = tape.nearest("messages", "/v1/messages", ask("hello world, how were you today?"))
    assert nearest
    assert nearest.number == 2
    assert told(nearest).splitlines() == [
        "The nearest is number 2 (claude-opus-4-8); recorded -> asked:",
        '  messages[0].content: "hello world, how are you today?" -> "hello world, how were you today?"',
    ]


def test_where_it_was_sent_is_said_when_it_differs() -> None:
    """Clients ask in another way there, and the differences alone do not say why."""
    tape = Tape([Recorded("messages", "https://api.anthropic.com/v1/messages", 200, [], ask("a"))])
    nearest = tape.nearest("messages", "/api/v1/messages", ask("b"))
    sent = "sent to: https://api.anthropic.com/v1/messages (HTTPS_PROXY) -> /api/v1/messages (base URL)"
    assert told(nearest).splitlines()[-1].strip() == sent


def test_only_the_difference_of_a_long_text_is_shown() -> None:
    tape = Tape([recorded(ask("x" * 500 + "old" + "y" * 500), "1")])
    said = told(tape.nearest("messages", "/v1/messages", ask("x" * 500 + "new" + "y" * 500)))
    assert '"xxxxxxxxxxxxxxxxxxxxxxxxoldyyy' in said
    assert '"xxxxxxxxxxxxxxxxxxxxxxxxnewyyy' in said
    assert len(said) < 300


def test_what_one_side_has_not() -> None:
    tape = Tape([recorded(ask("a", tools=[{"name": "add"}]), "1")])
    said = told(tape.nearest("messages", "/v1/messages", ask("a", "b", temperature=0.5)))
    assert "messages[1]: nothing -> " in said
    assert 'tools: [{"name": "add"}] -> nothing' in said
    assert "temperature: nothing -> 0.5" in said


def test_a_client_is_told_a_few_differences_and_the_log_all() -> None:
    tape = Tape([recorded(ask(*"abcdef"), "1")])
    nearest = tape.nearest("messages", "/v1/messages", ask(*"ghijkl"))
    assert told(nearest).endswith("and 3 more")
    assert len(told(nearest, None).splitlines()) == 7


def test_an_empty_cassette_has_nothing_near() -> None:
    assert Tape([]).nearest("messages", "/v1/messages", ask("a")) is None
    assert "Nothing of this kind" in told(None)


@given(st.dictionaries(st.text(), st.integers() | st.lists(st.text(), max_size=3), max_size=4))
def test_there_is_a_difference_only_where_there_is_one(value: dict[str, Any]) -> None:
    assert list(differences(value, value)) == []
    assert [one.path for one in differences(value, {**value, "new": 1.5})] == ["new"]
