"""The command line of `scripts/bench`."""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import Coroutine, Sequence
from pathlib import Path

from rich.console import Console

from . import logs, process, sdk, web
from .contenders import DIRECT, OWN, Contender
from .goals import Goal, judge
from .legs import LEGS, Leg
from .measure import FULL, QUICK
from .peers import PEERS, InstallError, cache_directory
from .report import as_json, machine, print_goals, print_machine, print_tables
from .session import Result, Say, run

BROKEN_OFF = 130
WIDTH_IN_A_FILE = 140


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark. Exit codes: 0 done, 1 a goal of `--check` was missed, 130 broken off."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["sdk"]:
        return sdk.main(given[1:])
    if given[:1] == ["web"]:
        return web.main(given[1:])
    if given[:1] == ["logs"]:
        return logs.main(given[1:])
    options = _options(given)
    plan = QUICK if options.quick else FULL
    rounds = options.rounds or (2 if options.quick else 5)
    progress = Console(stderr=True, style="dim", highlight=False)
    facts = machine()
    try:
        contenders = _choose(options.only, options.peers, options.legs, progress.print)
        with tempfile.TemporaryDirectory(prefix="ccproxy-bench-", ignore_cleanup_errors=True) as directory:
            session = run(
                contenders, plan, rounds, options.legs, options.soak, Path(directory), progress.print
            )
            results = asyncio.run(_until_signal(session))
    except (KeyboardInterrupt, asyncio.CancelledError):
        progress.print("broken off")
        return BROKEN_OFF
    finally:
        process.end_all()
    goals = judge({result.contender.name: result for result in results}, options.legs, options.soak > 0)
    _report(results, options.legs, goals if options.check else [], facts)
    if options.json:
        options.json.write_text(
            json.dumps(as_json(results, plan, options.legs, facts, goals), indent=1) + "\n"
        )
    return int(options.check and not all(goal.met for goal in goals))


def _report(results: list[Result], legs: Sequence[Leg], goals: list[Goal], facts: dict[str, object]) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_IN_A_FILE)
    print_machine(facts, console)
    print_tables(results, legs, console)
    if goals:
        print_goals(goals, console)


def _choose(only: list[str], peers: bool, legs: Sequence[Leg], say: Say) -> list[Contender]:
    """The contenders asked for that can do one of the legs, `direct` always among them.

    Peers are installed on the way.
    """
    names = [DIRECT, *only] if only else [*OWN, *(PEERS if peers else [])]
    chosen = []
    for name in dict.fromkeys(names):
        if name in OWN:
            chosen.append(OWN[name])
            continue
        try:
            chosen.append(PEERS[name](cache_directory()))
        except InstallError as error:
            say(f"{name} cannot be installed and is left out: {error}")
    return [contender for contender in chosen if any(leg in contender.routes for leg in legs)]


async def _until_signal(session: Coroutine[None, None, list[Result]]) -> list[Result]:
    """The session, ended in order when the terminal goes away or a supervisor says so, as by Ctrl-C."""
    task = asyncio.ensure_future(session)
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _names(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in OWN and name not in PEERS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}")
    return names


def _legs(text: str) -> list[Leg]:
    names = text.split(",")
    unknown = [name for name in names if name not in LEGS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}")
    return [leg for leg in LEGS if leg in names]


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measures side by side what each proxy adds to a request. See docs/benchmark.md. "
        "`scripts/bench sdk` measures the start of a conversation with Claude Code, "
        "`scripts/bench web` whether memory stays flat in mitmweb, `scripts/bench logs` the access log.",
    )
    parser.add_argument("--rounds", type=_positive, metavar="N", help="rounds to run (5; with --quick 2)")
    parser.add_argument("--quick", action="store_true", help="small counts: a smoke test, no measurement")
    parser.add_argument(
        "--only", type=_names, metavar="NAME,NAME", help=f"run these and direct: {', '.join([*OWN, *PEERS])}"
    )
    parser.add_argument(
        "--peers", action="store_true", help=f"also run {', '.join(PEERS)}; installs them once"
    )
    parser.add_argument(
        "--legs", type=_legs, default=list(LEGS), metavar="LEG,LEG", help=f"of {', '.join(LEGS)}; default all"
    )
    parser.add_argument("--soak", type=_positive, default=0, metavar="N", help="then send N requests to each")
    parser.add_argument("--check", action="store_true", help="exit 1 unless ccproxy serve meets its goals")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all raw numbers there")
    return parser.parse_args(arguments)
