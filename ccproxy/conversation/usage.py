"""Token usage, normalised once for every format."""

from dataclasses import dataclass

COST_FIELD = "total_cost_usd"
"""What Claude Code calls the cost of an answer (2.1.330). No format has a name for it: all get this one."""


@dataclass(slots=True)
class Usage:
    """Tokens of one answer, and its cost in US dollars, where the upstream says it.

    `input` is the whole prompt, cache included, in every format; `output` includes reasoning; `cache_write`
    is the sum of what is kept for five minutes and for an hour. `tier` is how it was served, where that has
    a price of its own (`priority`, `flex`, `fast`). A figure that the upstream did not give is None, never 0.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    cost: float | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    tier: str | None = None


def dollars(value: object) -> float | None:
    """What an upstream says under COST_FIELD; None for what is no cost."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None


def count(value: object) -> int | None:
    """A number of tokens; None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def special(tier: object) -> str | None:
    """The tier of service that an upstream names, unless it is the usual one."""
    return tier if isinstance(tier, str) and tier not in ("standard", "default") else None
