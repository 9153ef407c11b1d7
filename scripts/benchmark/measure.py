"""One contender, one round: start it, load it, read its clocks."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from . import load
from .canned import StreamShape
from .client import AnswerError
from .contenders import Contender, Place
from .legs import Leg
from .load import Target
from .process import Child, free_port, running

_SECONDS_TO_START = 90
_SECONDS_PER_ATTEMPT = 10
_SECONDS_PER_PHASE = 120
_SLOWEST_REQUESTS_PER_S = 10
_MEGABYTE = 1024 * 1024
_WRONG = (AnswerError, TimeoutError, OSError)


class ContenderError(Exception):
    """A contender did not start or gave a wrong answer; the message holds the tail of its log."""


@dataclass(frozen=True)
class Plan:
    """How much load one round puts on each leg of each contender."""

    warm_up: int
    replies: int
    large_replies: int
    streams: int
    throughput_seconds: float
    stream: StreamShape
    long_stream: StreamShape
    large_bytes: int = 50_000
    connections: int = 8


_SHORT = StreamShape(deltas=40, burst=2, pause_ms=2)
FULL = Plan(50, 400, 150, 30, 3.0, _SHORT, StreamShape(deltas=20_000, burst=20, pause_ms=1))
QUICK = Plan(10, 60, 20, 5, 0.5, _SHORT, StreamShape(deltas=3_000, burst=20, pause_ms=1))


@dataclass(frozen=True)
class LegRound:
    """Raw numbers of one leg: times in ms, CPU in µs, which is None for `direct`."""

    reply_ms: list[float]
    large_reply_ms: list[float]
    first_byte_ms: list[float]
    first_text_ms: list[float]
    whole_stream_ms: list[float]
    requests_per_s: float
    cpu_us_per_request: float | None
    cpu_us_per_event: float | None


@dataclass(frozen=True)
class Round:
    """One contender in one round: its legs, why some of them failed, and its process.

    Memory is in MB; what is about the process is None for `direct`, which has none.
    """

    legs: dict[Leg, LegRound]
    start_ms: float | None
    start_mb: float | None
    end_mb: float | None
    failures: dict[Leg, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Started:
    """A contender that has answered its first request, and how long that took from its start."""

    contender: Contender
    place: Place
    child: Child | None
    start_ms: float | None

    def target(self, leg: Leg) -> Target:
        return self.contender.target(leg, self.place)

    def cpu_us(self) -> float | None:
        return self.child.cpu_seconds() * 1e6 if self.child else None

    def memory_mb(self) -> float | None:
        return self.child.resident_bytes() / _MEGABYTE if self.child else None


@asynccontextmanager
async def started(contender: Contender, home: Path, upstream_port: int) -> AsyncIterator[Started]:
    """The contender, up and answering; whatever goes wrong inside becomes a ContenderError."""
    upstream = f"http://127.0.0.1:{upstream_port}"
    if contender.command is None:
        yield Started(contender, Place(home, upstream_port, upstream), None, None)
        return
    place = Place(home, free_port(), upstream)
    command = contender.command(place)
    begun = perf_counter()
    async with running(command, home) as child:
        try:
            await _first_reply(contender.target("passthrough", place), child)
            yield Started(contender, place, child, (perf_counter() - begun) * 1000)
        except _WRONG as error:
            raise ContenderError(_told(error, child)) from error


async def _first_reply(target: Target, child: Child) -> None:
    """Asks until the first right answer comes."""
    deadline = perf_counter() + _SECONDS_TO_START
    while True:
        try:
            async with asyncio.timeout(_SECONDS_PER_ATTEMPT):
                await load.replies(target, body_size=1000, count=1)
                return
        except (OSError, AnswerError, TimeoutError) as error:
            if child.exit_code is not None:
                raise AnswerError(f"ended with exit code {child.exit_code}") from error
            if perf_counter() > deadline:
                raise AnswerError(f"no answer within {_SECONDS_TO_START} s, last: {error}") from error
        await asyncio.sleep(0.01)


async def measure(
    contender: Contender, home: Path, upstream_port: int, plan: Plan, legs: Sequence[Leg]
) -> Round:
    """Starts the contender, puts the plan's load on these legs and ends it.

    A leg that fails is noted, and the others go on.
    """
    async with started(contender, home, upstream_port) as subject:
        start_mb = subject.memory_mb()
        measured: dict[Leg, LegRound] = {}
        failures: dict[Leg, str] = {}
        for leg in legs:
            try:
                measured[leg] = await _measure_leg(subject, subject.target(leg), plan)
            except _WRONG as error:
                failures[leg] = _told(error, subject.child)
        return Round(measured, subject.start_ms, start_mb, subject.memory_mb(), failures)


async def _measure_leg(subject: Started, target: Target, plan: Plan) -> LegRound:
    async with asyncio.timeout(_SECONDS_PER_PHASE):
        await load.replies(target, 1000, plan.warm_up)
        await load.streams(target, plan.stream, 1)
    async with asyncio.timeout(_SECONDS_PER_PHASE):
        replies = await load.replies(target, 1000, plan.replies)
        large_replies = await load.replies(target, plan.large_bytes, plan.large_replies)
    async with asyncio.timeout(_SECONDS_PER_PHASE):
        streams = await load.streams(target, plan.stream, plan.streams)
    async with asyncio.timeout(_SECONDS_PER_PHASE):
        cpu_before = subject.cpu_us()
        count, seconds = await load.throughput(target, plan.connections, plan.throughput_seconds)
        cpu_per_request = _spent(cpu_before, subject.cpu_us(), count)
    async with asyncio.timeout(_SECONDS_PER_PHASE):
        cpu_before = subject.cpu_us()
        await load.streams(target, plan.long_stream, 1)
        cpu_per_event = _spent(cpu_before, subject.cpu_us(), plan.long_stream.events)
    return LegRound(
        reply_ms=[answer.whole * 1000 for answer in replies],
        large_reply_ms=[answer.whole * 1000 for answer in large_replies],
        first_byte_ms=[answer.first_byte * 1000 for answer in streams],
        first_text_ms=[answer.first_text * 1000 for answer in streams],
        whole_stream_ms=[answer.whole * 1000 for answer in streams],
        requests_per_s=count / seconds,
        cpu_us_per_request=cpu_per_request,
        cpu_us_per_event=cpu_per_event,
    )


def _told(error: BaseException, child: Child | None) -> str:
    """What went wrong, with the end of the log."""
    return f"{type(error).__name__}: {error}\n{child.log_tail() if child else ''}".strip()


def _spent(before: float | None, after: float | None, count: int) -> float | None:
    return None if before is None or after is None else (after - before) / count


async def soak(contender: Contender, home: Path, upstream_port: int, plan: Plan, count: int) -> list[float]:
    """Resident memory in MB after each fifth of `count` requests."""
    memory = []
    async with started(contender, home, upstream_port) as subject:
        for done in range(5):
            portion = count * (done + 1) // 5 - count * done // 5
            async with asyncio.timeout(_SECONDS_PER_PHASE + portion / _SLOWEST_REQUESTS_PER_S):
                await load.soak(subject.target("passthrough"), plan.connections, portion)
            memory.append(subject.memory_mb() or 0.0)
    return memory
