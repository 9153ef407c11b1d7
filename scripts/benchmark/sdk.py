"""`scripts/bench sdk`: the start of a conversation with Claude Code, with processes that wait and without.

Two proxies run side by side in front of the simulator and are asked in turn: both meet the same noise.
"""

import argparse
import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import httpx
from rich.console import Console
from rich.table import Table

from .contenders import script
from .process import Command, free_port, new_home, running
from .report import machine
from .stats import Summary, paired_ratio

GOAL = 3.0
"""How many times sooner the first byte comes from a process that has waited."""

REST = 3.0
"""Seconds between two conversations: time for the pool to start the next process."""

START_SECONDS = 30
QUIET = (
    "DISABLE_TELEMETRY",
    "DISABLE_ERROR_REPORTING",
    "DISABLE_AUTOUPDATER",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
)
BODY = {
    "model": "claude-opus-4-8",
    "max_tokens": 1000,
    "stream": True,
    "messages": [{"role": "user", "content": "sim:text Hello from the benchmark"}],
}


@dataclass
class Side:
    """One of the two proxies, and what was measured on it, in ms."""

    name: str
    url: str
    first_byte: list[float] = field(default_factory=list)
    first_text: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)


def main(arguments: Sequence[str]) -> int:
    """Exit codes: 0 done, 1 the goal of `--check` was missed, 2 there is no claude."""
    parser = argparse.ArgumentParser(prog="scripts/bench sdk", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, metavar="N", help="conversations on each side (10)")
    parser.add_argument(
        "--check", action="store_true", help=f"exit 1 unless the pool is {GOAL:g} times faster"
    )
    options = parser.parse_args(arguments)
    console, claude = Console(), shutil.which("claude")
    if claude is None:
        console.print("claude is not on PATH: npm install -g @anthropic-ai/claude-code")
        return 2
    sides = asyncio.run(measure(claude, max(1, options.rounds)))
    met = report(sides, console)
    return int(options.check and not met)


async def measure(claude: str, rounds: int) -> list[Side]:
    """Both sides, after one conversation each that does not count."""
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ccproxy-bench-")))
        upstream = await stack.enter_async_context(simulator(home / "simulator"))
        sides = [
            await stack.enter_async_context(proxy(home / name, name, upstream, claude, pool=pool))
            for name, pool in (("without a pool", False), ("with a pool", True))
        ]
        client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=60))
        for number in range(rounds + 1):
            for side in sides if number % 2 else reversed(sides):
                await asyncio.sleep(REST)
                await converse(client, side, counts=number > 0)
        return sides


async def converse(client: httpx.AsyncClient, side: Side, *, counts: bool) -> None:
    """One conversation of one turn."""
    begun, seen, first_byte, first_text = perf_counter(), b"", 0.0, 0.0
    async with client.stream("POST", f"{side.url}/sdk/v1/messages", json=BODY) as answer:
        async for piece in answer.aiter_raw():
            now, seen = perf_counter() - begun, seen + piece
            first_byte = first_byte or now
            if not first_text and b"text_delta" in seen:
                first_text = now
    if b"message_stop" not in seen:
        raise RuntimeError(f"{side.name}: {answer.status_code} {seen[-500:].decode(errors='replace')}")
    if counts:
        for figures, seconds in (
            (side.first_byte, first_byte),
            (side.first_text, first_text),
            (side.whole, perf_counter() - begun),
        ):
            figures.append(seconds * 1000)


@asynccontextmanager
async def simulator(home: Path) -> AsyncIterator[str]:
    port = free_port()
    async with running(Command([*script("ccproxy"), "simulator", "--port", str(port)]), new_home(home)):
        url = f"http://127.0.0.1:{port}"
        await until_up(url)
        yield url


@asynccontextmanager
async def proxy(home: Path, name: str, upstream: str, claude: str, *, pool: bool) -> AsyncIterator[Side]:
    port = free_port()
    environment = {
        **dict.fromkeys(QUIET, "1"),
        "PATH": f"{Path(claude).parent}:{os.environ['PATH']}",
        "SERVER__PORT": str(port),
        "SERVER__PROXY_PORT": "0",
        "CLAUDE__BASE_URL": upstream,
        "CLAUDE__API_KEY": "sk-ant-api03-dummy",
        "CLAUDE__CLI_PATH": claude,
        "CLAUDE__POOL__ENABLED": str(pool).lower(),
    }
    async with running(Command([*script("ccproxy"), "serve"], environment), new_home(home)):
        url = f"http://127.0.0.1:{port}"
        await until_up(url)
        yield Side(name, url)


async def until_up(url: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(START_SECONDS):
        while True:
            try:
                await client.get(url)
                return
            except httpx.TransportError:
                await asyncio.sleep(0.05)


def report(sides: list[Side], console: Console) -> bool:
    """Prints the table; whether the goal is met."""
    facts = machine()
    shown = ("date", "cores", "cpu", "python", "ccproxy", "load_average")
    console.print(", ".join(f"{key}: {facts[key]}" for key in shown), style="dim", highlight=False)
    table = Table("fresh conversation, ms", *(side.name for side in sides), "times faster")
    ratio = 0.0
    for title, figures in (
        ("first byte", [side.first_byte for side in sides]),
        ("first text", [side.first_text for side in sides]),
        ("whole answer", [side.whole for side in sides]),
    ):
        times = paired_ratio(figures[0], figures[1]) or 0.0
        ratio = ratio or times
        table.add_row(title, *(cell(values) for values in figures), f"{times:.2f}")
    console.print(table)
    console.print(f"goal: first byte at least {GOAL:g} times sooner: {'met' if ratio >= GOAL else 'missed'}")
    return ratio >= GOAL


def cell(values: list[float]) -> str:
    summary = Summary.of(values)
    return f"{summary.median:.0f} ({summary.low:.0f}..{summary.high:.0f})"
