"""What the user gets: tables for reading, JSON with every raw number."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .contenders import DIRECT
from .figures import Figure, groups, ratio, summary
from .goals import Goal
from .legs import Leg
from .measure import Plan
from .session import Result
from .stats import Summary


def machine() -> dict[str, object]:
    """Facts that a figure means nothing without."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": len(os.sched_getaffinity(0)),
        "cpu": _cpu_model(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "mitmproxy": version("mitmproxy"),
        "ccproxy": version("ccproxy"),
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def print_machine(facts: dict[str, object], console: Console) -> None:
    """Where and on what the figures came about, and how to read them."""
    shown = ("date", "cores", "cpu", "python", "mitmproxy", "ccproxy", "load_average")
    console.print(", ".join(f"{key}: {facts[key]}" for key in shown), style="dim", highlight=False)
    console.print(
        "Each cell: median over the rounds (lowest..highest), ratio to the contender named in the title. "
        "Of added latencies the row `direct` shows the time itself.",
        style="dim",
    )


def print_tables(results: list[Result], legs: Sequence[Leg], console: Console) -> None:
    """One table per group of figures: median over the rounds, spread, ratio to the base of the group."""
    by_name = {result.contender.name: result for result in results}
    for group in groups(legs):
        title = f"{group.title} [dim](ratio to {group.base})[/dim]"
        table = Table("", title=title, title_justify="left", title_style="bold")
        for figure in group.figures:
            table.add_column(
                f"{figure.title} ({figure.unit})" if figure.unit else figure.title, justify="right"
            )
        for result in results:
            if any(result.rounds):
                cells = [_cell(figure, result, by_name, group.base) for figure in group.figures]
                table.add_row(result.contender.name, *cells)
        console.print(table)
    soaked = [result for result in results if result.soak_mb]
    if soaked:
        table = Table("", title="Memory over the soak", title_justify="left", title_style="bold")
        for fifth in range(1, 6):
            table.add_column(f"{fifth}/5 (MB)", justify="right")
        for result in soaked:
            table.add_row(result.contender.name, *(f"{point:.1f}" for point in result.soak_mb))
        console.print(table)
    for result in results:
        for what, failure in _failures(result).items():
            console.print(f"{what} failed: {failure}", markup=False, style="red")


def _failures(result: Result) -> dict[str, str]:
    name = result.contender.name
    failures = {f"{name}, {leg}": text for leg, text in result.leg_failures.items()}
    return failures | ({name: result.failure} if result.failure is not None else {})


def _cell(figure: Figure, result: Result, by_name: dict[str, Result], base_name: str) -> str:
    direct, base = by_name[DIRECT], by_name.get(base_name)
    found = summary(figure, result, direct)
    if found is None:
        return "-"
    text = _with_spread(found, figure.digits)
    if base is None or result.contender.name in (DIRECT, base_name):
        return text
    to_base = ratio(figure, result, base, direct)
    return f"{text}  [bold]{to_base:.2f}x[/bold]" if to_base is not None else text


def _with_spread(found: Summary, digits: int) -> str:
    return f"{found.median:.{digits}f} [dim]({found.low:.{digits}f}..{found.high:.{digits}f})[/dim]"


def print_goals(goals: list[Goal], console: Console) -> None:
    table = Table("goal", "limit", "measured", "", title="Goals of ccproxy serve", title_justify="left")
    for goal in goals:
        limit = f"{'≥' if goal.at_least else '≤'} {goal.limit:g} {goal.unit}"
        measured = f"{goal.value:.2f} {goal.unit}" if goal.value is not None else "not measured"
        table.add_row(goal.text, limit, measured, "[green]met[/green]" if goal.met else "[red]missed[/red]")
    console.print(table)


def as_json(
    results: list[Result], plan: Plan, legs: Sequence[Leg], facts: dict[str, object], goals: list[Goal]
) -> dict[str, object]:
    """Everything: machine, plan, raw numbers of every round, summaries."""
    direct = next(result for result in results if result.contender.name == DIRECT)
    return {
        "machine": facts,
        "plan": asdict(plan),
        "contenders": {result.contender.name: _result_json(result, direct, legs) for result in results},
        "goals": [{**asdict(goal), "met": goal.met} for goal in goals],
    }


def _result_json(result: Result, direct: Result, legs: Sequence[Leg]) -> dict[str, object]:
    summaries = {
        figure.key: asdict(found)
        for group in groups(legs)
        for figure in group.figures
        if (found := summary(figure, result, direct))
    }
    return {
        "version": result.contender.version,
        "summary": summaries,
        "rounds": [asdict(one) if one else None for one in result.rounds],
        "soak_mb": result.soak_mb,
        "failure": result.failure,
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
