"""How hard a model shall think: effort levels on one side, budgets in tokens on the other.

The budgets are those that public translators between the providers use (read 2026-11-22).
"""

from collections.abc import Sequence

from ccproxy.conversation.request import EFFORTS, Effort

_BUDGETS: dict[Effort, int] = {
    "minimal": 1024,
    "low": 1024,
    "medium": 8192,
    "high": 24576,
    "xhigh": 32768,
    "max": 64000,
}


def budget_of(effort: Effort) -> int | None:
    """Tokens for this effort; None for `none`."""
    return _BUDGETS.get(effort)


def effort_of(budget: int) -> Effort:
    """The effort that this many tokens stand for."""
    for effort in ("low", "medium", "high"):
        if budget <= _BUDGETS[effort]:
            return effort
    return "xhigh"


def clamp(effort: Effort, supported: Sequence[Effort]) -> Effort:
    """The nearest lower level that is supported, else the nearest higher one.

    `none` is no lower level but the absence of thinking: a level becomes `none` only if there is nothing
    else. With nothing supported the effort stays as it is.
    """
    if effort in supported or not supported:
        return effort
    levels: list[Effort] = [level for level in EFFORTS if level in supported and level != "none"] or ["none"]
    lower = [level for level in levels if EFFORTS.index(level) < EFFORTS.index(effort)]
    return lower[-1] if lower else levels[0]
