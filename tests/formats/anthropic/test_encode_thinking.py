from dataclasses import replace

import pytest

from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.losses import Loss
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.conversation.request import Effort, Params, Thinking
from ccproxy.formats.anthropic.encode_thinking import Plan, fit, plan
from tests.formats.anthropic.judges import HAIKU_4_5, OPUS_4_8, OPUS_5, asked

OLD = ModelFacts("claude-3", sampling=True)
LEVELS_ONLY = replace(OPUS_5, adaptive=False)
CANNOT_STOP = replace(OPUS_5, disabled=False)
BOTH_4_5 = replace(HAIKU_4_5, efforts=("low", "medium", "high"))


def planned(
    thinking: Thinking, facts: ModelFacts, wire: Wire = "chat"
) -> tuple[JsonObject | None, Effort | None, list[str]]:
    losses: list[Loss] = []
    made = plan(asked(wire=wire, params=Params(thinking=thinking)), facts, False, losses)
    return made.field, made.effort, [loss.label for loss in losses]


def budget(tokens: int) -> JsonObject:
    return {"type": "enabled", "budget_tokens": tokens}


ADAPTIVE = {"type": "adaptive"}
DISABLED = {"type": "disabled"}


@pytest.mark.parametrize("facts", [OPUS_5, OPUS_4_8, HAIKU_4_5, OLD])
def test_nothing_is_said_when_the_client_says_nothing(facts: ModelFacts) -> None:
    assert planned(Thinking(), facts) == (None, None, [])


@pytest.mark.parametrize(
    ("effort", "facts", "field", "level", "lost"),
    [
        ("minimal", OPUS_5, ADAPTIVE, "low", []),
        ("high", OPUS_5, ADAPTIVE, "high", []),
        ("max", OPUS_5, ADAPTIVE, "max", []),
        ("xhigh", replace(OPUS_5, efforts=("low", "high")), ADAPTIVE, "high", ["reasoning_effort(clamped)"]),
        ("high", OPUS_4_8, ADAPTIVE, "high", []),
        ("high", LEVELS_ONLY, None, "high", []),
        ("minimal", HAIKU_4_5, budget(1024), None, []),
        ("medium", HAIKU_4_5, budget(8192), None, []),
        ("max", HAIKU_4_5, budget(64000), None, []),
        ("high", BOTH_4_5, budget(24576), "high", []),
        ("high", OLD, None, None, ["reasoning_effort"]),
        ("none", OPUS_5, DISABLED, None, []),
        ("none", CANNOT_STOP, None, "low", []),
        ("none", OLD, None, None, []),
    ],
)
def test_efforts_of_openai(
    effort: Effort, facts: ModelFacts, field: JsonObject | None, level: Effort | None, lost: list[str]
) -> None:
    assert planned(Thinking(effort=effort), facts) == (field, level, lost)


@pytest.mark.parametrize(
    ("thinking", "facts", "field", "level", "lost"),
    [
        (Thinking("enabled", 2000), HAIKU_4_5, budget(2000), None, []),
        (Thinking("enabled", 2000, "high"), OPUS_4_8, budget(2000), "high", []),
        (Thinking("enabled", 2000), OPUS_5, ADAPTIVE, "medium", []),
        (Thinking("enabled", 2000), OLD, None, None, ["thinking"]),
        (Thinking("adaptive"), OPUS_5, ADAPTIVE, None, []),
        (Thinking("adaptive", None, "low"), HAIKU_4_5, budget(1024), None, []),
        (Thinking("adaptive"), HAIKU_4_5, None, None, ["thinking"]),
        (Thinking("disabled", None, "high"), OPUS_5, DISABLED, "high", []),
        (Thinking("disabled"), CANNOT_STOP, None, "low", []),
    ],
)
def test_thinking_of_messages(
    thinking: Thinking, facts: ModelFacts, field: JsonObject | None, level: Effort | None, lost: list[str]
) -> None:
    assert planned(thinking, facts, "anthropic") == (field, level, lost)


def test_a_summary_is_asked_for_only_when_the_model_thinks() -> None:
    field, _, _ = planned(Thinking(effort="high", summary="auto"), OPUS_5, "responses")
    assert field == {"type": "adaptive", "display": "summarized"}
    assert planned(Thinking(effort="none", summary="auto"), OPUS_5, "responses")[0] == DISABLED


@pytest.mark.parametrize(
    ("wanted", "asked_for", "most", "tokens", "max_tokens", "lost"),
    [
        (2000, 3000, 64000, 2000, 3000, []),
        (2000, 2000, 64000, 2000, 4000, ["max_completion_tokens(raised)"]),
        (2000, None, 64000, 2000, 64000, []),
        (500, 3000, 64000, 1024, 3000, ["reasoning_effort(clamped)"]),
        (64000, 1000, 64000, 63000, 64000, ["max_completion_tokens(raised)", "reasoning_effort(clamped)"]),
        (64000, None, 64000, 32000, 64000, ["reasoning_effort(clamped)"]),
        (8192, 900, 1000, None, 900, ["reasoning_effort"]),
    ],
)
def test_case_11_the_budget_leaves_room_for_an_answer(
    wanted: int, asked_for: int | None, most: int, tokens: int | None, max_tokens: int, lost: list[str]
) -> None:
    losses: list[Loss] = []
    facts = replace(HAIKU_4_5, max_tokens=most)
    request = asked(params=Params(max_tokens=asked_for))
    made, limit = fit(Plan("enabled", wanted), asked_for or most, request, facts, losses)
    assert (made.budget, limit) == (tokens, max_tokens)
    assert made.mode == ("enabled" if tokens else None)
    assert [loss.label for loss in losses] == lost


def test_without_a_budget_everything_stays() -> None:
    assert fit(Plan("adaptive", effort="high"), 10, asked(), OPUS_5, []) == (
        Plan("adaptive", effort="high"),
        10,
    )
