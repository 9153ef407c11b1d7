"""What `--check` demands of `ccproxy serve`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from .contenders import SERVE, STOCK
from .legs import TRANSLATED, Leg
from .measure import LegRound, Round
from .peers import PEERS
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


def judge(results: Mapping[str, Result], legs: Sequence[Leg], soaked: bool) -> list[Goal]:
    """Every goal about these legs with its figure; those about memory over time only after a soak."""
    serve = results.get(SERVE)
    goals = _passed_through(results) if "passthrough" in legs else []
    for leg in legs:
        if leg in TRANSLATED:
            goals += _translated(results, leg)
    goals += [
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


def _passed_through(results: Mapping[str, Result]) -> list[Goal]:
    requests = _ratio(results, STOCK, "passthrough", lambda r: r.requests_per_s)
    first_byte = _ratio(results, STOCK, "passthrough", lambda r: percentile(r.first_byte_ms, 50))
    return [
        Goal("requests/s, to stock mitmdump", requests, 1.3, "x", at_least=True),
        Goal("first byte of a stream p50, to stock mitmdump", first_byte, 1.05, "x"),
    ]


def _translated(results: Mapping[str, Result], leg: Leg) -> list[Goal]:
    """What translating costs, and that no peer in this run that has the leg is faster."""

    def to_best_peer(draw: Callable[[LegRound], float | None]) -> float | None:
        ratios = [_ratio(results, peer, leg, draw) for peer in PEERS if peer in results]
        return max((ratio for ratio in ratios if ratio is not None), default=None)

    cpu = _median(results.get(SERVE), lambda r: r.legs[leg].cpu_us_per_event if leg in r.legs else None)
    goals = [Goal(f"{leg}: CPU per SSE event", cpu, 60, "µs")]
    if any(peer in results for peer in PEERS):
        first_text = to_best_peer(lambda r: percentile(r.first_text_ms, 50))
        whole = to_best_peer(lambda r: percentile(r.whole_stream_ms, 50))
        per_event = to_best_peer(lambda r: r.cpu_us_per_event)
        goals += [
            Goal(f"{leg}: first text of a stream p50, to the best peer", first_text, 1, "x"),
            Goal(f"{leg}: whole stream p50, to the best peer", whole, 1, "x"),
            Goal(f"{leg}: CPU per SSE event, to the best peer", per_event, 1, "x"),
        ]
    return goals


def _ratio(
    results: Mapping[str, Result], base: str, leg: Leg, draw: Callable[[LegRound], float | None]
) -> float | None:
    """What was measured of `serve`, in terms of the same of another contender."""
    if SERVE not in results or base not in results:
        return None
    mine, other = (
        [draw(one.legs[leg]) if one and leg in one.legs else None for one in results[name].rounds]
        for name in (SERVE, base)
    )
    return paired_ratio(mine, other)


def _median(result: Result | None, draw: Callable[[Round], float | None]) -> float | None:
    rounds = result.rounds if result else []
    known = [value for one in rounds if one and (value := draw(one)) is not None]
    return median(known) if known else None
