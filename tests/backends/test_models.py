import tomllib
from importlib import resources
from pathlib import Path

import pytest

from ccproxy.backends.models import Choice, ModelRules, facts, split_effort
from ccproxy.conversation.request import EFFORTS
from ccproxy.settings import load


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpt-5.5", ("gpt-5.5", None)),
        ("gpt-5.5(high)", ("gpt-5.5", "high")),
        ("gpt-5.5:low", ("gpt-5.5", "low")),
        ("llama:70b", ("llama:70b", None)),
        ("x(huge)", ("x(huge)", None)),
        ("(high)", ("(high)", None)),
        ("", ("", None)),
    ],
)
def test_an_effort_suffix(name: str, expected: tuple[str, str | None]) -> None:
    assert split_effort(name) == expected


def test_the_first_rule_that_matches(tmp_path: Path) -> None:
    rules = [
        {"match": "gpt-5*", "target": "claude-opus-5-5", "backend": "api", "effort": "high"},
        {"match": "gpt-*", "target": "claude-haiku-5-5(low)"},
    ]
    found = ModelRules(load({"models.rules": rules}, environ={}, cwd=tmp_path).settings)
    assert found.choose("gpt-5.5") == Choice("claude-opus-5-5", "api", "high")
    assert found.choose("gpt-5.5:low") == Choice("claude-opus-5-5", "api", "low")
    assert found.choose("gpt-4.1") == Choice("claude-haiku-5-5", None, "low")
    assert found.choose("claude-x") == Choice("claude-x")


@pytest.mark.parametrize(
    ("model", "sampling", "budget", "adaptive", "prefill", "system_turns"),
    [
        ("claude-3-5-haiku-20241022", True, False, False, True, False),
        ("claude-sonnet-4-20250514", True, True, False, True, False),
        ("claude-sonnet-4-5-20250929", True, True, False, True, False),
        ("claude-opus-4-6", True, True, True, False, False),
        ("claude-opus-4-8", False, True, True, False, True),
        ("claude-sonnet-5", False, False, True, False, False),
        ("claude-sonnet-5-5", False, False, True, False, True),
        ("claude-nobody-9", False, False, True, False, True),
    ],
)
def test_generations_of_claude(
    model: str, sampling: bool, budget: bool, adaptive: bool, prefill: bool, system_turns: bool
) -> None:
    found = facts(model)
    assert (found.sampling, found.budget, found.adaptive) == (sampling, budget, adaptive)
    assert (found.prefill, found.system_turns, found.id) == (prefill, system_turns, model)


@pytest.mark.parametrize(
    ("model", "reasoning", "sampling"),
    [
        ("gpt-4.1", False, True),
        ("gpt-5-codex", True, False),
        ("o3", True, False),
        ("gpt-6.2-sol", True, False),
    ],
)
def test_openais_reasoning_models(model: str, reasoning: bool, sampling: bool) -> None:
    assert (facts(model).reasoning, facts(model).sampling) == (reasoning, sampling)


def test_the_table() -> None:
    text = resources.files("ccproxy.backends").joinpath("models.toml").read_text()
    rows = tomllib.loads(text)["models"]
    assert rows[-1]["match"] == ["*"]
    for row in rows:
        assert row["max_tokens"] > 0
        assert set(row["efforts"]) <= set(EFFORTS)
        assert set(row.get("thinking", [])) <= {"enabled", "adaptive", "disabled"}
