"""A whole run: the upstream, the rounds in alternating order, the soak."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .contenders import ROOT, Contender
from .legs import Leg
from .measure import ContenderError, Plan, Round, measure, soak
from .process import Command, new_home, running

Say = Callable[[str], None]


@dataclass
class Result:
    """What came of one contender: one entry per round (None: not measured), memory points of the soak.

    `failure` is that of the whole contender.
    """

    contender: Contender
    rounds: list[Round | None] = field(default_factory=list)
    soak_mb: list[float] = field(default_factory=list)
    failure: str | None = None

    @property
    def leg_failures(self) -> dict[Leg, str]:
        return {leg: text for one in self.rounds if one for leg, text in one.failures.items()}

    def legs_to_do(self, legs: Sequence[Leg]) -> list[Leg]:
        """Those that the contender can do and has not failed in."""
        if self.failure is not None:
            return []
        return [leg for leg in legs if leg in self.contender.routes and leg not in self.leg_failures]


async def run(
    contenders: list[Contender],
    plan: Plan,
    rounds: int,
    legs: Sequence[Leg],
    soak_requests: int,
    directory: Path,
    say: Say,
) -> list[Result]:
    """All rounds, forwards and backwards in turn so that noise hits all alike; then the soak.

    A contender, or one of its legs, that fails once is left out from there on.
    """
    results = [Result(contender) for contender in contenders]
    async with _upstream(new_home(directory / "upstream")) as port:
        for number in range(rounds):
            for result in results if number % 2 == 0 else results[::-1]:
                todo = result.legs_to_do(legs)
                result.rounds.append(None)
                if not todo:
                    continue
                say(f"round {number + 1} of {rounds}: {result.contender.name}")
                with _failure_noted(result):
                    home = new_home(directory / result.contender.name)
                    result.rounds[-1] = await measure(result.contender, home, port, plan, todo)
        for result in results:
            if soak_requests and result.contender.command and result.failure is None:
                say(f"soak, {soak_requests} requests: {result.contender.name}")
                with _failure_noted(result):
                    home = new_home(directory / result.contender.name)
                    result.soak_mb = await soak(result.contender, home, port, plan, soak_requests)
    return results


@contextmanager
def _failure_noted(result: Result) -> Iterator[None]:
    try:
        yield
    except ContenderError as error:
        result.failure = str(error)


@asynccontextmanager
async def _upstream(home: Path) -> AsyncIterator[int]:
    """The canned upstream in a process of its own; yields its port."""
    argv = [sys.executable, "-m", "scripts.benchmark.upstream"]
    async with running(Command(argv, {"PYTHONPATH": str(ROOT)}), home) as child:
        while not (printed := child.log_tail().strip()).isdigit():
            if child.exit_code is not None:
                raise RuntimeError(f"the canned upstream did not start:\n{printed}")
            await asyncio.sleep(0.01)
        yield int(printed)
