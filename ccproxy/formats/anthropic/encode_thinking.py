"""How hard Claude shall think: budgets for older models, effort levels for newer ones.

Extended thinking, adaptive thinking and effort guides, read 2026-11-22.
"""

from dataclasses import dataclass, replace

from ccproxy.conversation.effort import budget_of, clamp, effort_of
from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.losses import Loss
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.request import Effort, Request, Thinking
from ccproxy.formats.anthropic.paths import path

MIN_BUDGET = 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """`mode`, `budget` and `display` make the `thinking` field, `effort` goes into `output_config`."""

    mode: str | None = None
    budget: int | None = None
    effort: Effort | None = None
    display: str | None = None

    @property
    def is_on(self) -> bool:
        return self.mode in ("enabled", "adaptive")

    @property
    def field(self) -> JsonObject | None:
        if self.mode is None:
            return None
        said = {"budget_tokens": self.budget, "display": self.display if self.is_on else None}
        return {"type": self.mode} | {key: value for key, value in said.items() if value is not None}


def where(request: Request) -> str:
    """The path of what the client said of thinking: a kind of it, or an effort alone."""
    return path(request.wire, "effort" if request.params.thinking.mode is None else "thinking")


def plan(request: Request, facts: ModelFacts, forced: bool, losses: list[Loss]) -> Plan:
    """What to ask of this model. With a `forced` tool call no model may think."""
    wanted = request.params.thinking
    if wanted.mode is None and wanted.effort is None:
        return Plan()
    if wanted.mode == "disabled" or (wanted.mode is None and wanted.effort == "none"):
        return _off(wanted, facts)
    at = where(request)
    if forced:
        losses.append(Loss(at, "Claude cannot think when it is forced to call a tool."))
        return Plan()
    made = _on(wanted, facts)
    if made.mode is None and made.effort is None:
        losses.append(Loss(at, "The model does not think this way."))
    asked = wanted.effort or (None if wanted.budget is None else effort_of(wanted.budget))
    if made.effort not in (None, asked) and asked != "minimal":
        at = path(request.wire, "effort") if wanted.effort else at
        losses.append(Loss(at, f"The model takes {made.effort} here.", "clamped"))
    return replace(made, display="summarized" if wanted.summary else None)


def fit(
    made: Plan, max_tokens: int, request: Request, facts: ModelFacts, losses: list[Loss]
) -> tuple[Plan, int]:
    """The plan and `max_tokens` such that the budget leaves room for an answer.

    First `max_tokens` grows, up to what the model may write; then the budget shrinks; at last it goes.
    """
    if made.budget is None:
        return made, max_tokens
    budget = max(made.budget, MIN_BUDGET)
    wanted = max_tokens
    if max_tokens <= budget:
        max_tokens = max(max_tokens, min(facts.max_tokens, budget + max_tokens))
    if max_tokens <= budget:
        budget = max(MIN_BUDGET, max_tokens - min(wanted, max_tokens // 2))
    if max_tokens <= budget:
        losses.append(Loss(where(request), "The answer is too short to think."))
        return replace(made, mode=None, budget=None), wanted
    if max_tokens > wanted and request.params.max_tokens is not None:
        losses.append(Loss(path(request.wire, "max_tokens"), "Thinking counts as well.", "raised"))
    if budget != made.budget:
        at = where(request) if request.params.thinking.budget is None else path(request.wire, "budget")
        losses.append(Loss(at, f"The budget is {budget} tokens.", "clamped"))
    return replace(made, budget=budget), max_tokens


def _off(wanted: Thinking, facts: ModelFacts) -> Plan:
    effort = wanted.effort if wanted.effort != "none" else None
    if facts.disabled:
        return Plan("disabled", effort=clamp(effort, facts.efforts) if effort and facts.efforts else None)
    # a model that cannot stop thinking thinks as little as it can
    return Plan(effort=clamp("none", facts.efforts) if facts.efforts else None)


def _on(wanted: Thinking, facts: ModelFacts) -> Plan:
    effort: Effort | None = wanted.effort if wanted.effort != "none" else None
    if wanted.mode == "enabled" and facts.budget:
        return Plan(
            "enabled", wanted.budget, clamp(effort, facts.efforts) if effort and facts.efforts else None
        )
    if wanted.mode == "enabled" and effort is None and wanted.budget is not None:
        effort = effort_of(wanted.budget)
    level = clamp(effort, facts.efforts) if effort and facts.efforts else None
    if facts.adaptive:
        return Plan("adaptive", effort=level)
    if facts.budget and effort:
        budget = budget_of(effort)
        return Plan("enabled" if budget else None, budget, level)
    return Plan(effort=level)
