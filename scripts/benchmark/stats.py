"""The arithmetic of the report."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of the values do not exceed, interpolated between neighbours."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    position = (len(ordered) - 1) * percent / 100
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


@dataclass(frozen=True)
class Summary:
    """A figure over all rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Summary":
        return cls(median(values), min(values), max(values))


def paired_ratio(values: Sequence[float | None], base: Sequence[float | None]) -> float | None:
    """The median of the ratios of two contenders round by round, over the rounds that have both.

    Two measurements of the same round met the same noise, so this varies less than the ratio of the
    two medians. None when no round has both, or the base is not above zero (an added latency may be
    lost in the noise).
    """
    ratios = [
        value / other
        for value, other in zip(values, base, strict=True)
        if value is not None and other is not None and other > 0
    ]
    return median(ratios) if ratios else None
