import pytest

from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.conversation.request import Effort, OutputFormat, Params, Request, Thinking
from ccproxy.formats.chat.encode_params import ParamsEncoder

PLAIN = ModelFacts("plain", max_tokens=100)
REASONING = ModelFacts(
    "reasoning", max_tokens=100, sampling=False, efforts=("low", "medium", "high"), reasoning=True
)


def encode(
    params: Params, facts: ModelFacts = PLAIN, wire: Wire = "anthropic", others: JsonObject | None = None
) -> tuple[JsonObject, list[str]]:
    encoder = ParamsEncoder(Request(wire, "m", (), params=params, others=others or {}), facts)
    return encoder.fields, [loss.label for loss in encoder.losses]


def test_nothing_said_is_nothing_sent() -> None:
    assert encode(Params()) == ({}, [])


def test_a_stream_always_brings_its_usage() -> None:
    fields, _ = encode(Params(stream=True))
    assert fields == {"stream": True, "stream_options": {"include_usage": True}}


def test_length() -> None:
    assert encode(Params(max_tokens=5)) == ({"max_completion_tokens": 5}, [])
    assert encode(Params(max_tokens=500)) == ({"max_completion_tokens": 100}, ["max_tokens(clamped)"])
    with pytest.raises(RequestError):
        encode(Params(max_tokens=0))


def test_sampling() -> None:
    params = Params(temperature=0.5, top_p=0.9, top_k=5, stop=("a", "b", "c", "d", "e"))
    assert encode(params) == (
        {"temperature": 0.5, "top_p": 0.9, "stop": ["a", "b", "c", "d"]},
        ["top_k", "stop_sequences(shortened)"],
    )
    assert encode(params, REASONING) == ({}, ["temperature", "top_p", "top_k", "stop_sequences"])


@pytest.mark.parametrize(
    ("thinking", "effort", "losses"),
    [
        (Thinking("enabled", 1024), "low", []),
        (Thinking("enabled", 8192), "medium", []),
        (Thinking("enabled", 30000), "high", ["thinking(clamped)"]),
        (Thinking("adaptive"), None, []),
        (Thinking("adaptive", effort="medium"), "medium", []),
        (Thinking("adaptive", effort="max"), "high", ["output_config.effort(clamped)"]),
        (Thinking("disabled"), "low", ["thinking(clamped)"]),
    ],
)
def test_effort(thinking: Thinking, effort: Effort | None, losses: list[str]) -> None:
    fields, labels = encode(Params(thinking=thinking), REASONING)
    assert fields.get("reasoning_effort") == effort
    assert labels == losses


def test_a_model_without_levels() -> None:
    assert encode(Params(thinking=Thinking("enabled", 1024))) == ({}, ["thinking"])
    assert encode(Params(thinking=Thinking("disabled"))) == ({}, [])


def test_case_40_structured_output() -> None:
    output = OutputFormat({"type": "object", "$schema": "x"})
    assert encode(Params(output=output))[0]["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "output", "schema": {"type": "object"}, "strict": False},
    }
    named = OutputFormat({}, "n", "d", True)
    assert encode(Params(output=named))[0]["response_format"]["json_schema"] == {
        "name": "n",
        "schema": {},
        "strict": True,
        "description": "d",
    }
    assert encode(Params(output=OutputFormat(None)))[0] == {"response_format": {"type": "json_object"}}


def test_a_model_that_takes_no_schema_is_asked_in_words() -> None:
    request = Request("responses", "m", (), params=Params(output=OutputFormat({"type": "object"})))
    encoder = ParamsEncoder(request, ModelFacts("m", structured=False))
    assert encoder.fields == {}
    assert encoder.instruction is not None
    assert encoder.instruction.endswith('\n{"type":"object"}')
    assert [loss.label for loss in encoder.losses] == ["text.format(instructed)"]


def test_the_rest() -> None:
    params = Params(
        verbosity="low",
        service_tier="flex",
        cache_key="k",
        user="u",
        safety_identifier="s",
        metadata={"a": "b"},
        store=False,
    )
    fields, _ = encode(params, wire="responses")
    assert fields == {
        "verbosity": "low",
        "service_tier": "flex",
        "prompt_cache_key": "k",
        "user": "u",
        "safety_identifier": "s",
        "metadata": {"a": "b"},
        "store": False,
    }
    assert "user" not in encode(params, wire="anthropic")[0]


def test_others_go_back_to_their_own_format_only() -> None:
    assert encode(Params(), wire="chat", others={"seed": 1}) == ({"seed": 1}, [])
    assert encode(Params(), wire="responses", others={"truncation": "auto"}) == ({}, ["truncation"])
