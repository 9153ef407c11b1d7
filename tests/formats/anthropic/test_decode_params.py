from typing import Any

import pytest

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.request import OutputFormat, Params, Thinking
from ccproxy.formats.anthropic.decode_params import params


def of(**body: Any) -> Params:
    return params(body, None)[0]


def others(**body: Any) -> JsonObject:
    return params(body, None)[1]


def test_nothing_said() -> None:
    assert params({}, None) == (Params(), {})


def test_plain_values() -> None:
    said = of(max_tokens=0, temperature=0.5, top_p=1, top_k=4, stop_sequences=["a", "b"], stream=True)
    assert said == Params(max_tokens=0, temperature=0.5, top_p=1, top_k=4, stop=("a", "b"), stream=True)
    assert params({}, False)[0].parallel_tool_calls is False


@pytest.mark.parametrize(
    ("thinking", "effort", "expected"),
    [
        ({"type": "enabled", "budget_tokens": 2048}, None, Thinking("enabled", 2048)),
        (
            {"type": "enabled", "budget_tokens": 1, "display": "summarized"},
            None,
            Thinking("enabled", 1, None, "auto"),
        ),
        ({"type": "adaptive", "display": "omitted"}, "max", Thinking("adaptive", None, "max")),
        ({"type": "adaptive", "display": "updates"}, None, Thinking("adaptive", None, None, "auto")),
        ({"type": "disabled"}, None, Thinking("disabled")),
        (None, "xhigh", Thinking(effort="xhigh")),
    ],
)
def test_thinking(thinking: JsonObject | None, effort: str | None, expected: Thinking) -> None:
    assert of(thinking=thinking, output_config={"effort": effort}).thinking == expected
    assert others(thinking=thinking, output_config={"effort": effort}) == {}


def test_notes_between_tools_are_anthropics_own() -> None:
    assert of(thinking={"type": "between_tools"}).thinking == Thinking("disabled")
    assert others(thinking={"type": "between_tools"}) == {"thinking.type": "between_tools"}


def test_structured_output_in_both_places() -> None:
    wanted = {"type": "json_schema", "schema": {"type": "object"}}
    assert of(output_config={"format": wanted}).output == OutputFormat({"type": "object"})
    assert of(output_format=wanted).output == OutputFormat({"type": "object"})


@pytest.mark.parametrize(
    ("body", "tier"),
    [
        ({}, None),
        ({"service_tier": "auto"}, "auto"),
        ({"service_tier": "standard_only"}, "default"),
        ({"speed": "fast"}, "priority"),
        ({"speed": "standard", "service_tier": "auto"}, "auto"),
    ],
)
def test_service_tiers_in_openais_words(body: JsonObject, tier: str | None) -> None:
    assert of(**body).service_tier == tier


def test_what_only_anthropic_knows_is_kept_by_its_path() -> None:
    assert of(metadata={"user_id": "u"}).user == "u"
    body: JsonObject = {"metadata": {"user_id": "u", "x": 1}, "output_config": {"task_budget": {"total": 5}}}
    assert others(**body) == {"output_config.task_budget": {"total": 5}, "metadata.x": 1}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_k": True}, "top_k"),
        ({"stop_sequences": "x"}, "stop_sequences"),
        ({"stop_sequences": ["x", None]}, "stop_sequences.1"),
        ({"stream": 1}, "stream"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {"user_id": 3}}, "metadata.user_id"),
        ({"service_tier": 3}, "service_tier"),
        ({"output_config": "high"}, "output_config"),
        ({"output_config": {"effort": "huge"}}, "output_config.effort"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
        ({"thinking": "on"}, "thinking"),
        ({"thinking": {"type": "hard"}}, "thinking.type"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "enabled", "budget_tokens": 0}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "adaptive", "display": 1}}, "thinking.display"),
    ],
)
def test_errors_name_the_field(body: JsonObject, path: str) -> None:
    with pytest.raises(RequestError) as caught:
        of(**body)
    assert caught.value.path == path
