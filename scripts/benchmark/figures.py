"""The figures of the report: how each is drawn from the raw numbers, and how it compares."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .contenders import SERVE, STOCK
from .legs import TITLES, TRANSLATED, Leg
from .measure import LegRound, Round
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


@dataclass(frozen=True)
class Group:
    """One table; the others are set in relation to the contender `base`."""

    title: str
    base: str
    figures: list[Figure]


def groups(legs: Sequence[Leg]) -> list[Group]:
    """The tables of a report about these legs."""
    return [*(group for leg in legs for group in _groups_of(leg)), FOOTPRINT]


FOOTPRINT = Group(
    "Footprint",
    STOCK,
    [
        Figure("start_ms", "start to first answer", "ms", lambda r, _: r.start_ms, 0),
        Figure("start_mb", "memory at start", "MB", lambda r, _: r.start_mb),
        Figure("end_mb", "memory after load", "MB", lambda r, _: r.end_mb),
    ],
)


def _groups_of(leg: Leg) -> list[Group]:
    def added(key: str, title: str, percent: int, samples: Callable[[LegRound], list[float]]) -> Figure:
        draw = _added(leg, samples, percent)
        return Figure(f"{leg}.{key}_p{percent}", f"{title}, p{percent}", "ms", draw, 2)

    def plain(
        key: str, title: str, unit: str, digits: int, number: Callable[[LegRound], float | None]
    ) -> Figure:
        return Figure(f"{leg}.{key}", title, unit, _of(leg, number), digits)

    def first(percent: int) -> Figure:
        if leg in TRANSLATED:
            return added("first_text", "first text", percent, lambda r: r.first_text_ms)
        return added("first_byte", "first byte", percent, lambda r: r.first_byte_ms)

    plain_requests = [
        *(added("reply", "1 kB", percent, lambda r: r.reply_ms) for percent in (50, 95)),
        *(added("large_reply", "50 kB", percent, lambda r: r.large_reply_ms) for percent in (50, 95)),
    ]
    streams = [
        *(first(percent) for percent in (50, 95)),
        *(added("stream", "whole", percent, lambda r: r.whole_stream_ms) for percent in (50, 95)),
    ]
    cost = [
        plain("requests_per_s", "requests/s, 8 connections", "", 0, lambda r: r.requests_per_s),
        plain("cpu_us_per_request", "CPU per request", "µs", 0, lambda r: r.cpu_us_per_request),
        plain("cpu_us_per_event", "CPU per SSE event", "µs", 1, lambda r: r.cpu_us_per_event),
    ]
    base = SERVE if leg in TRANSLATED else STOCK
    return [
        Group(f"{TITLES[leg]}: latency added to a plain request", base, plain_requests),
        Group(f"{TITLES[leg]}: latency added to a stream", base, streams),
        Group(f"{TITLES[leg]}: throughput and cost", base, cost),
    ]


def _of(leg: Leg, number: Callable[[LegRound], float | None]) -> Draw:
    return lambda mine, _: number(mine.legs[leg]) if leg in mine.legs else None


def _added(leg: Leg, samples: Callable[[LegRound], list[float]], percent: float) -> Draw:
    def draw(mine: Round, direct: Round) -> float | None:
        if leg not in mine.legs or leg not in direct.legs:
            return None
        base = 0.0 if mine is direct else percentile(samples(direct.legs[leg]), percent)
        return percentile(samples(mine.legs[leg]), percent) - base

    return draw


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
