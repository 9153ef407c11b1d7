"""The figures of the report: how each is drawn from the raw numbers, and how it compares."""

from collections.abc import Callable
from dataclasses import dataclass

from .measure import Round
from .session import Result
from .stats import Summary, paired_ratio, percentile

Draw = Callable[[Round, Round], float | None]
"""A contender's round and the same round of `direct`, to one number."""


@dataclass(frozen=True)
class Figure:
    """One column. For `added` figures the row of `direct` shows the time itself, all others what they add."""

    key: str
    title: str
    unit: str
    draw: Draw
    digits: int = 1


def _added(samples: Callable[[Round], list[float]], percent: float) -> Draw:
    def draw(mine: Round, direct: Round) -> float:
        base = 0.0 if mine is direct else percentile(samples(direct), percent)
        return percentile(samples(mine), percent) - base

    return draw


GROUPS: dict[str, list[Figure]] = {
    "Latency added to a plain request (direct: the time itself)": [
        Figure("reply_p50", "1 kB, p50", "ms", _added(lambda r: r.reply_ms, 50), 2),
        Figure("reply_p95", "1 kB, p95", "ms", _added(lambda r: r.reply_ms, 95), 2),
        Figure("large_reply_p50", "50 kB, p50", "ms", _added(lambda r: r.large_reply_ms, 50), 2),
        Figure("large_reply_p95", "50 kB, p95", "ms", _added(lambda r: r.large_reply_ms, 95), 2),
    ],
    "Latency added to a stream (direct: the time itself)": [
        Figure("first_byte_p50", "first byte, p50", "ms", _added(lambda r: r.first_byte_ms, 50), 2),
        Figure("first_byte_p95", "first byte, p95", "ms", _added(lambda r: r.first_byte_ms, 95), 2),
        Figure("stream_p50", "whole, p50", "ms", _added(lambda r: r.whole_stream_ms, 50), 2),
        Figure("stream_p95", "whole, p95", "ms", _added(lambda r: r.whole_stream_ms, 95), 2),
    ],
    "Throughput and cost": [
        Figure("requests_per_s", "requests/s, 8 connections", "", lambda r, _: r.requests_per_s, 0),
        Figure("cpu_us_per_request", "CPU per request", "µs", lambda r, _: r.cpu_us_per_request, 0),
        Figure("cpu_us_per_event", "CPU per SSE event", "µs", lambda r, _: r.cpu_us_per_event),
    ],
    "Footprint": [
        Figure("start_ms", "start to first answer", "ms", lambda r, _: r.start_ms, 0),
        Figure("start_mb", "memory at start", "MB", lambda r, _: r.start_mb),
        Figure("end_mb", "memory after load", "MB", lambda r, _: r.end_mb),
    ],
}


def values(figure: Figure, result: Result, direct: Result) -> list[float | None]:
    """The figure round by round; None where the contender or `direct` was not measured."""
    return [
        None if mine is None or base is None else figure.draw(mine, base)
        for mine, base in zip(result.rounds, direct.rounds, strict=True)
    ]


def summary(figure: Figure, result: Result, direct: Result) -> Summary | None:
    """Median and spread over the rounds."""
    known = [value for value in values(figure, result, direct) if value is not None]
    return Summary.of(known) if known else None


def ratio(figure: Figure, result: Result, base: Result, direct: Result) -> float | None:
    """The figure of `result` in terms of that of `base`."""
    return paired_ratio(values(figure, result, direct), values(figure, base, direct))
