"""`scripts/bench web`: does memory stay flat when `ccproxy serve --web` is left open all day?

An agent at work, compressed in time: streams and whole answers, passed on and translated, prompts of 100 to
300 kB as agents send them, and one WebSocket that is never closed. The age at which flows leave the list is
compressed along, so that both limits of `[inspector]` are at work during most of the run.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import ClientConnection, connect

from .contenders import script
from .process import Child, Command, free_port, new_home, running
from .report import machine
from .sdk import simulator, until_up

GROWTH = 1.05
"""Most that memory may grow from the second quarter of the run to the last, both as medians."""

PARTS = 6
"""The age limit is this part of the run: after it flows leave as fast as they come."""

WORKERS = 4
SHOWN = 12
CLAUDE, GPT = "claude-opus-4-8", "gpt-5.5"
SAID = "sim:text " + "I have read the file and changed the function as you said. " * 20
HEADERS = {"anthropic-version": "2023-06-01"}


@dataclass(frozen=True)
class Sample:
    """What was seen at a moment of the run: resident bytes, and what the inspector says that it keeps."""

    seconds: float
    requests: int
    resident: int
    kept: int
    flows: int
    dropped: int


class Agent:
    """Sends request after request, each as long as agents' are, in turn by every way."""

    def __init__(self, http: httpx.AsyncClient, socket: ClientConnection) -> None:
        self.http = http
        self.socket = socket
        self.speaking = asyncio.Lock()
        self.sent = 0

    async def next(self) -> None:
        number, self.sent = self.sent, self.sent + 1
        ways: list[Callable[[str], Coroutine[None, None, None]]] = [
            lambda text: self.messages(text, stream=True),
            lambda text: self.chat(text, stream=True),
            lambda text: self.messages(text, stream=True),
            lambda text: self.responses(text, stream=True),
            lambda text: self.messages(text, stream=False),
            self.turn,
            lambda text: self.messages(text, stream=True),
            lambda text: self.chat(text, stream=False),
        ]
        # no two alike, as no two prompts of an agent are
        text = f"{number} " * ((100_000 + number * 7919 % 200_000) // len(f"{number} "))
        await ways[number % len(ways)](text)

    async def messages(self, text: str, *, stream: bool) -> None:
        body = {"model": CLAUDE, "max_tokens": 1000, "stream": stream, "system": text}
        await self.post(
            "/api/v1/messages", body | {"messages": [{"role": "user", "content": SAID}]}, "message_stop"
        )

    async def chat(self, text: str, *, stream: bool) -> None:
        turns = [{"role": "system", "content": text}, {"role": "user", "content": SAID}]
        await self.post(
            "/api/v1/chat/completions", {"model": CLAUDE, "stream": stream, "messages": turns}, "[DONE]"
        )

    async def responses(self, text: str, *, stream: bool) -> None:
        body = {"model": GPT, "stream": stream, "instructions": text, "input": SAID}
        await self.post("/openai/v1/responses", body, "response.completed")

    async def post(self, path: str, body: dict[str, object], last: str) -> None:
        """`last` is what a whole stream ends with."""
        answer = await self.http.post(path, json=body, headers=HEADERS)
        if answer.status_code != 200 or (last if body["stream"] else "as you said") not in answer.text:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[-300:]}")

    async def turn(self, text: str) -> None:
        """One turn on the WebSocket, which has one at a time."""
        request = {
            "type": "response.create",
            "model": GPT,
            "store": False,
            "instructions": text,
            "input": SAID,
        }
        async with self.speaking:
            await self.socket.send(json.dumps(request))
            while (event := json.loads(await self.socket.recv()))["type"] != "response.completed":
                if event["type"] in ("error", "response.failed"):
                    raise RuntimeError(f"socket: {event}")


def main(arguments: Sequence[str]) -> int:
    """Exit codes: 0 done, 1 memory has grown and `--check` was given."""
    parser = argparse.ArgumentParser(prog="scripts/bench web", description=__doc__)
    parser.add_argument(
        "--requests", type=int, default=3600, metavar="N", help="one per 2 s of two hours (3600)"
    )
    parser.add_argument(
        "--seconds", type=float, default=150, metavar="N", help="how long to take over them (150)"
    )
    parser.add_argument("--max-bytes", default="64m", metavar="SIZE", help="inspector.max_bytes (64m)")
    parser.add_argument("--check", action="store_true", help="exit 1 unless memory is flat")
    options = parser.parse_args(arguments)
    samples = asyncio.run(measure(options.requests, options.seconds, options.max_bytes))
    flat = report(samples, Console())
    return int(options.check and not flat)


async def measure(requests: int, seconds: float, max_bytes: str) -> list[Sample]:
    """One run, with a sample every hundredth of it."""
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ccproxy-bench-")))
        upstream, port = await stack.enter_async_context(simulator(home / "simulator")), free_port()
        environment = {
            "SERVER__PORT": str(port),
            "SERVER__PROXY_PORT": "0",
            "CLAUDE__BASE_URL": upstream,
            "CLAUDE__API_KEY": "sk-ant-api03-dummy",
            "OPENAI__BASE_URL": f"{upstream}/openai/v1",
            "OPENAI__API_KEY": "sk-dummy",
            "INSPECTOR__MAX_BYTES": max_bytes,
            "INSPECTOR__MAX_AGE_SECONDS": str(seconds / PARTS),
        }
        command = Command([*script("ccproxy"), "serve", "--web"], environment)
        child = await stack.enter_async_context(running(command, new_home(home / "web")))
        url = f"http://127.0.0.1:{port}"
        await until_up(url)
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=url, trust_env=False, timeout=60))
        address = f"ws://127.0.0.1:{port}/openai/v1/responses"
        socket = await stack.enter_async_context(connect(address, proxy=None, max_size=None))
        return await drive(Agent(http, socket), child, requests, seconds)


async def drive(agent: Agent, child: Child, requests: int, seconds: float) -> list[Sample]:
    """The requests, evenly over the time, or as fast as they go through when that is too slow."""
    begun = perf_counter()
    samples: list[Sample] = []

    async def work() -> None:
        while agent.sent < requests:
            due = begun + agent.sent * seconds / requests
            await asyncio.sleep(max(0.0, due - perf_counter()))
            if agent.sent < requests:
                await agent.next()

    async def watch() -> None:
        while True:
            report = (await agent.http.get("/health")).json()
            (kept,) = report["checks"]["inspector:kept"]
            samples.append(
                Sample(
                    perf_counter() - begun,
                    agent.sent,
                    child.resident_bytes(),
                    kept["observedValue"],
                    kept["flows"],
                    kept["dropped"],
                )
            )
            await asyncio.sleep(seconds / 100)

    watching = asyncio.create_task(watch())
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(work())
    except BaseExceptionGroup as failures:
        print(child.log_tail(), file=sys.stderr)
        raise failures.exceptions[0] from None
    finally:
        watching.cancel()
    if watching.done():
        watching.result()
    return samples


def growth(samples: Sequence[Sample]) -> float:
    """Resident memory in the last quarter of the samples, to that in the second."""
    quarter = len(samples) // 4
    late, early = samples[-quarter:], samples[quarter : 2 * quarter]
    return median(one.resident for one in late) / median(one.resident for one in early)


def report(samples: list[Sample], console: Console) -> bool:
    """Prints the figures; whether memory was flat."""
    facts = machine()
    shown = ("date", "cores", "cpu", "python", "ccproxy", "load_average")
    console.print(", ".join(f"{key}: {facts[key]}" for key in shown), style="dim", highlight=False)
    table = Table("s", "requests", "memory, MB", "kept, MB", "flows", "dropped")
    for one in samples[:: max(1, len(samples) // SHOWN)]:
        sizes = [f"{size / 2**20:.1f}" for size in (one.resident, one.kept)]
        table.add_row(f"{one.seconds:.0f}", str(one.requests), *sizes, str(one.flows), str(one.dropped))
    console.print(table)
    grown = growth(samples)
    console.print(
        f"goal: memory in the last quarter at most {GROWTH:g} times that in the second: "
        f"{grown:.3f}, {'met' if grown <= GROWTH else 'missed'}"
    )
    return grown <= GROWTH
