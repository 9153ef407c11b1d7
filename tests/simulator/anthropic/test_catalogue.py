from importlib.resources import files
from typing import get_args

import pytest
from anthropic.types import AnthropicBetaParam, ModelParam

from ccproxy.simulator.anthropic.catalogue import betas, find_model, models
from ccproxy.simulator.anthropic.model_list import EFFORTS, THINKING


def literals(hint: object) -> set[str]:
    return {name for part in get_args(hint) for name in get_args(part)}


def test_every_model_of_the_sdk_is_known() -> None:
    assert literals(ModelParam)
    assert [name for name in literals(ModelParam) if find_model(name) is None] == []


@pytest.mark.parametrize(
    "name",
    [
        "claude-sonnet-4-20250514",
        "claude-sonnet-4-5-20250929",
        "claude-sonnet-4-6",
        "claude-opus-5-5",
        "claude-sonnet-5-5",
        "claude-3-5-haiku-20241022",
        "claude-haiku-4-5-20251001",
    ],
)
def test_every_model_that_claude_code_asks_for_is_known(name: str) -> None:
    model = find_model(name)
    assert model is not None
    assert model.id == name


def test_an_alias_stands_for_the_dated_model() -> None:
    model = find_model("claude-opus-4-5")
    assert model is not None
    assert model.id == "claude-opus-4-5-20251101"


def test_the_models_are_sound() -> None:
    for model in models():
        assert model.id.startswith("claude-")
        assert model.line in model.id
        assert set(model.thinking) <= set(THINKING)
        assert set(model.effort) <= set(EFFORTS)
        assert model.output <= model.context
    dates = [model.created for model in models()]
    assert dates == sorted(dates, reverse=True)
    assert len({model.id for model in models()}) == len(models())


def test_every_beta_flag_of_the_sdk_is_known() -> None:
    assert literals(AnthropicBetaParam)
    assert literals(AnthropicBetaParam) - betas().known == set()


def test_every_gate_is_opened_by_known_flags() -> None:
    gates = betas()
    for table in (gates.fields, gates.nested, gates.blocks, gates.tools):
        assert all(flags and flags <= gates.known for flags in table.values())


def test_the_flags_are_in_order() -> None:
    text = (files("ccproxy.simulator.anthropic") / "betas.toml").read_text()
    flags = [line.strip(' ",') for line in text.partition("]")[0].splitlines() if line.startswith('    "')]
    assert flags == sorted(set(flags))
