import pytest

from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.conversation.request import OutputFormat, Params, Thinking
from ccproxy.formats.responses.encode_params import encode_params
from tests.formats.responses.judges import GPT, GPT_4O, asked

ALWAYS = {"stream": False, "store": False, "include": ["reasoning.encrypted_content"]}


def encode(params: Params, facts: ModelFacts = GPT, wire: Wire = "anthropic") -> tuple[JsonObject, list[str]]:
    body, losses = encode_params(asked(wire=wire, params=params), facts)
    return body, [loss.label for loss in losses]


def test_nothing_is_stored_and_reasoning_comes_back() -> None:
    assert encode(Params()) == (ALWAYS, [])
    assert "include" not in encode(Params(), GPT_4O)[0]


@pytest.mark.parametrize(
    ("tokens", "wanted", "losses"),
    [(1, 16, ["max_tokens(clamped)"]), (500, 500, []), (10**9, 128000, ["max_tokens(clamped)"])],
)
def test_the_most_tokens(tokens: int, wanted: int, losses: list[str]) -> None:
    body, lost = encode(Params(max_tokens=tokens))
    assert (body["max_output_tokens"], lost) == (wanted, losses)


def test_no_tokens_at_all_are_refused() -> None:
    with pytest.raises(RequestError):
        encode(Params(max_tokens=0))


def test_sampling_for_models_that_take_it() -> None:
    params = Params(temperature=0.5, top_p=0.9, top_k=5, stop=("x",))
    body, losses = encode(params, GPT_4O)
    assert (body["temperature"], body["top_p"]) == (0.5, 0.9)
    assert losses == ["top_k", "stop_sequences"]
    body, losses = encode(params, GPT, "chat")
    assert "temperature" not in body
    assert losses == ["temperature", "top_p", "top_k", "stop"]


@pytest.mark.parametrize(
    ("thinking", "wanted"),
    [
        (Thinking(), None),
        (Thinking(effort="high"), {"effort": "high"}),
        (Thinking("adaptive"), None),
        (Thinking("adaptive", effort="medium", summary="auto"), {"effort": "medium", "summary": "auto"}),
        (Thinking("enabled", 4000, summary="summarized"), {"effort": "medium", "summary": "auto"}),
        (Thinking("enabled", 100_000), {"effort": "xhigh"}),
        (Thinking("disabled", effort="high"), {"effort": "none"}),
    ],
)
def test_how_to_think(thinking: Thinking, wanted: JsonObject | None) -> None:
    assert encode(Params(thinking=thinking))[0].get("reasoning") == wanted


def test_an_effort_that_the_model_does_not_take_is_clamped() -> None:
    body, losses = encode(Params(thinking=Thinking(effort="max")))
    assert body["reasoning"] == {"effort": "xhigh"}
    assert losses == ["output_config.effort(clamped)"]


def test_a_model_that_does_not_reason_is_not_asked_to() -> None:
    body, losses = encode(Params(thinking=Thinking(effort="high", summary="auto")), GPT_4O)
    assert "reasoning" not in body
    assert losses == ["output_config.effort"]
    assert encode(Params(thinking=Thinking("disabled")), GPT_4O)[1] == []


def test_case_40_the_format_of_the_answer() -> None:
    schema = {"$schema": "x", "type": "object", "properties": {}}
    body, _ = encode(Params(output=OutputFormat(schema), verbosity="low"))
    assert body["text"] == {
        "format": {
            "type": "json_schema",
            "name": "output",
            "schema": {"type": "object", "properties": {}},
            "strict": False,
        },
        "verbosity": "low",
    }
    body, _ = encode(Params(output=OutputFormat(schema, "my name", "d", True)))
    assert body["text"]["format"] | {"schema": None} == {
        "type": "json_schema",
        "name": "my_name",
        "description": "d",
        "schema": None,
        "strict": True,
    }
    assert encode(Params(output=OutputFormat(None)))[0]["text"] == {"format": {"type": "json_object"}}


def test_service_tiers() -> None:
    assert encode(Params(service_tier="standard_only"))[0]["service_tier"] == "default"
    assert encode(Params(service_tier="priority"))[0]["service_tier"] == "priority"
    body, losses = encode(Params(service_tier="batch"))
    assert "service_tier" not in body
    assert losses == ["service_tier"]


def test_what_names_the_user_goes_from_openai_to_openai_only() -> None:
    params = Params(user="u", safety_identifier="s", metadata={"a": "b"}, cache_key="k", store=True)
    body, _ = encode(params, wire="chat")
    named = {"user": "u", "safety_identifier": "s", "metadata": {"a": "b"}}
    assert body == {**ALWAYS, **named, "prompt_cache_key": "k", "store": True}
    assert "user" not in encode(params)[0]
    assert "metadata" not in encode(params)[0]
