from dataclasses import replace
from typing import Any

import pytest

from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.conversation.request import OutputFormat, Params, Request
from ccproxy.formats.anthropic import encode_params
from tests.formats.anthropic.judges import HAIKU_4_5, OPUS_5, asked


def said(wire: Wire = "chat", **params: Any) -> Request:
    return asked(wire=wire, params=Params(**params))


def labels(losses: list[Loss]) -> list[str]:
    return [loss.label for loss in losses]


@pytest.mark.parametrize(
    ("wire", "max_tokens", "expected", "lost"),
    [
        ("chat", None, 64000, []),
        ("chat", 5, 5, []),
        ("chat", 10**30, 64000, ["max_completion_tokens(clamped)"]),
        ("responses", 64001, 64000, ["max_output_tokens(clamped)"]),
        ("anthropic", 0, 0, []),
    ],
)
def test_case_10_max_tokens(wire: Wire, max_tokens: int | None, expected: int, lost: list[str]) -> None:
    losses: list[Loss] = []
    assert encode_params.max_tokens(said(wire, max_tokens=max_tokens), HAIKU_4_5, losses) == expected
    assert labels(losses) == lost


def test_an_answer_without_tokens_is_an_error() -> None:
    with pytest.raises(RequestError) as caught:
        encode_params.max_tokens(said(max_tokens=0), HAIKU_4_5, [])
    assert caught.value.path == "max_completion_tokens"


@pytest.mark.parametrize(
    ("facts", "thinks", "params", "expected", "lost"),
    [
        (HAIKU_4_5, False, {"temperature": 0}, {"temperature": 0}, []),
        (HAIKU_4_5, False, {"temperature": 1.7}, {"temperature": 1.0}, ["temperature(clamped)"]),
        (HAIKU_4_5, False, {"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5}, ["top_p"]),
        (HAIKU_4_5, False, {"temperature": 0.5, "top_p": 1}, {"temperature": 0.5}, []),
        (HAIKU_4_5, False, {"top_p": 0.9, "top_k": 4}, {"top_p": 0.9, "top_k": 4}, []),
        (HAIKU_4_5, True, {"temperature": 0.5, "top_p": 0.9}, {}, ["temperature", "top_p"]),
        (HAIKU_4_5, True, {"temperature": 1}, {}, []),
        (OPUS_5, False, {"temperature": 1.7, "top_p": 0, "top_k": 1}, {}, ["temperature", "top_p", "top_k"]),
        (OPUS_5, False, {"temperature": 1.0, "top_p": 1.0}, {}, []),
    ],
)
def test_case_12_sampling(
    facts: ModelFacts, thinks: bool, params: JsonObject, expected: JsonObject, lost: list[str]
) -> None:
    losses: list[Loss] = []
    assert encode_params.sampling(said(**params), facts, thinks, losses) == expected
    assert labels(losses) == lost


def test_case_13_stop_at_white_space() -> None:
    losses: list[Loss] = []
    assert encode_params.stop_sequences(said(stop=("\n", "END", "")), losses) == ["END"]
    assert labels(losses) == ["stop(shortened)"]


@pytest.mark.parametrize(
    ("wire", "tier", "expected", "lost"),
    [
        ("chat", None, {}, []),
        ("chat", "auto", {"service_tier": "auto"}, []),
        ("chat", "default", {"service_tier": "standard_only"}, []),
        ("chat", "flex", {}, ["service_tier"]),
        ("chat", "priority", {}, ["service_tier"]),
        ("anthropic", "priority", {"speed": "fast"}, []),
    ],
)
def test_service(wire: Wire, tier: str | None, expected: JsonObject, lost: list[str]) -> None:
    losses: list[Loss] = []
    assert encode_params.service(said(wire, service_tier=tier), losses) == expected
    assert labels(losses) == lost


def test_case_40_structured_output() -> None:
    wanted = OutputFormat({"type": "object", "properties": {}}, "name", strict=True)
    losses: list[Loss] = []
    found, told = encode_params.output_format(said(output=wanted), OPUS_5, losses)
    assert found == {
        "type": "json_schema",
        "schema": {"type": "object", "properties": {}, "additionalProperties": False},
    }
    assert (told, losses) == (None, [])


def test_an_open_schema_is_closed_and_said_to_be() -> None:
    wanted = OutputFormat({"type": "object", "additionalProperties": True})
    losses: list[Loss] = []
    encode_params.output_format(said(output=wanted), OPUS_5, losses)
    assert labels(losses) == ["response_format(closed)"]


@pytest.mark.parametrize("schema", [None, {"type": "object", "title": "Größe"}])
def test_where_there_is_no_structured_output_the_model_is_told(schema: JsonObject | None) -> None:
    losses: list[Loss] = []
    facts = replace(OPUS_5, structured=False)
    found, told = encode_params.output_format(said("responses", output=OutputFormat(schema)), facts, losses)
    assert found is None
    assert told
    assert schema is None or "Größe" in told
    assert labels(losses) == ["text.format(described)"]


@pytest.mark.parametrize(
    ("wire", "params", "lost"),
    [
        ("chat", {}, []),
        ("chat", {"verbosity": "medium", "store": False, "user": "u"}, []),
        ("chat", {"verbosity": "low", "store": True}, ["verbosity", "store"]),
        ("chat", {"cache_key": "k", "metadata": {"a": "b"}}, ["prompt_cache_key", "metadata"]),
        ("responses", {"verbosity": "high", "store": True}, ["text.verbosity"]),
    ],
)
def test_what_claude_has_no_word_for(wire: Wire, params: JsonObject, lost: list[str]) -> None:
    losses: list[Loss] = []
    encode_params.note_losses(said(wire, **params), losses)
    assert labels(losses) == lost


def test_what_only_another_format_knows_is_a_loss() -> None:
    losses: list[Loss] = []
    request = asked(others={"seed": 1, "logit_bias": {}})
    encode_params.note_losses(request, losses)
    assert labels(losses) == ["seed", "logit_bias"]
    body: JsonObject = {}
    encode_params.put_back(request, body)
    assert body == {}


def test_what_a_messages_client_said_goes_back_to_its_place() -> None:
    others = {"output_config.task_budget": {"total": 5}, "thinking.type": "between_tools", "a.b": 1}
    request = asked(wire="anthropic", others=others, params=Params(user="u"))
    losses: list[Loss] = []
    encode_params.note_losses(request, losses)
    assert losses == []
    body: JsonObject = {"thinking": {"type": "disabled"}}
    encode_params.put_back(request, body)
    assert body == {
        "thinking": {"type": "between_tools"},
        "output_config": {"task_budget": {"total": 5}},
        "a.b": 1,
        "metadata": {"user_id": "u"},
    }
