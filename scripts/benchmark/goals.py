"""What `--check` demands of `ccproxy serve`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from .contenders import SERVE, STOCK
from .measure import Round
from .session import Result
from .stats import paired_ratio, percentile


@dataclass(frozen=True)
class Goal:
    """One demand, its limit and what was measured; None, not measured, is not met."""

    text: str
    value: float | None
    limit: float
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        if self.value is None:
            return False
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def judge(results: Mapping[str, Result], soaked: bool) -> list[Goal]:
    """Every goal with its figure; those about memory over time only after a soak."""
    serve = results.get(SERVE)
    requests = _ratio_to_stock(results, lambda r: r.requests_per_s)
    first_byte = _ratio_to_stock(results, lambda r: percentile(r.first_byte_ms, 50))
    goals = [
        Goal("requests/s, to stock mitmdump", requests, 1.3, "x", at_least=True),
        Goal("first byte of a stream p50, to stock mitmdump", first_byte, 1.05, "x"),
        Goal("start to first answer", _median(serve, lambda r: r.start_ms), 2000, "ms"),
        Goal("memory after load", _median(serve, lambda r: r.end_mb), 120, "MB"),
    ]
    if soaked:
        points = serve.soak_mb if serve else []
        growth = (points[-1] / points[1] - 1) * 100 if points else None
        goals += [
            Goal("memory after the soak", points[-1] if points else None, 120, "MB"),
            Goal("memory growth, second to last point of the soak", growth, 5, "%"),
        ]
    return goals


def _ratio_to_stock(results: Mapping[str, Result], draw: Callable[[Round], float]) -> float | None:
    if SERVE not in results or STOCK not in results:
        return None
    serve, stock = ([draw(one) if one else None for one in results[name].rounds] for name in (SERVE, STOCK))
    return paired_ratio(serve, stock)


def _median(result: Result | None, draw: Callable[[Round], float | None]) -> float | None:
    rounds = result.rounds if result else []
    known = [value for one in rounds if one and (value := draw(one)) is not None]
    return median(known) if known else None
