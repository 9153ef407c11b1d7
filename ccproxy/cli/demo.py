"""`ccproxy demo`: the proxy in front of the simulator, and one request through every route."""

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import typer
from mitmproxy.master import Master

from ccproxy.addons.listeners import free_or_any, listener_modes
from ccproxy.cli.logs import logs
from ccproxy.cli.serve import serve
from ccproxy.cli.tour import Step, tour
from ccproxy.settings import Settings, load
from ccproxy.settings.kinds import host_for_url
from ccproxy.simulator.server import running

START_SECONDS = 20

NOTHING_ELSE = {
    "CLAUDE_CONFIG_DIR": "",
    "CLAUDE_CODE_OAUTH_TOKEN": "",
    "ANTHROPIC_AUTH_TOKEN": "",
    "CLAUDE_CODE_USE_BEDROCK": "",
    "CLAUDE_CODE_USE_VERTEX": "",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_AUTOUPDATER": "1",
}
"""Variables with which Claude Code asks the simulator, and nobody else, and as nobody."""


@dataclass(frozen=True)
class Addresses:
    """Where the two listeners are, as URLs, and the CA that the regular one signs with."""

    reverse: str
    proxy: str
    ca: Path


def run(once: bool, port: int, proxy_port: int) -> None:
    """Start everything, take the tour; then serve on, or end with 1 if a step of the tour failed."""
    port, proxy_port = free_or_any(port), free_or_any(proxy_port)
    with logs("warning"), contextlib.suppress(KeyboardInterrupt):
        raise typer.Exit(asyncio.run(demo(once, port, proxy_port)))


async def demo(once: bool, port: int, proxy_port: int) -> int:
    """The exit code of the demo."""
    with tempfile.TemporaryDirectory() as folder:
        async with running() as upstream:
            login = await chatgpt_login(upstream, Path(folder))
            settings = demo_settings(upstream, port, proxy_port, login, Path(folder))
            async with proxy_for(settings) as (task, where):
                return await show_tour(upstream, once, task, where)


async def show_tour(upstream: str, once: bool, task: asyncio.Task[None], where: Addresses) -> int:
    """The exit code of the tour."""
    typer.echo(f"A simulator plays the providers at {upstream}; the proxy is at {where.reverse}\n")
    failed = 0
    async for step in tour(where.reverse, where.proxy, where.ca):
        show(step)
        failed += not step.passed
    typer.echo(f"\n{failed} steps failed" if failed else "\nEvery route answered.")
    sys.stdout.flush()
    if not once:
        show_what_to_try(where)
        await task
    return 1 if failed else 0


async def chatgpt_login(upstream: str, folder: Path) -> Path:
    """A login that the simulator hands out, in the layout of the Codex CLI."""
    async with httpx.AsyncClient(base_url=upstream, trust_env=False) as client:
        answer = await client.post("/_simulator/oauth", json={"issue": "codex"})
    issued = answer.raise_for_status().json()["issued"]
    path = folder / "auth.json"
    path.write_text(json.dumps({"OPENAI_API_KEY": None, "tokens": issued}))
    return path


def demo_settings(upstream: str, port: int, proxy_port: int, login: Path, folder: Path) -> Settings:
    """Settings that know the simulator and nothing of the user's own; Claude Code lives in the folder."""
    work = folder / "work"
    work.mkdir(exist_ok=True)
    given = {
        "server.port": port,
        "server.proxy_port": proxy_port,
        "server.drain_seconds": 1,
        "claude.base_url": upstream,
        "claude.api_key": "sk-ant-api03-demo",
        "claude.options.cwd": str(work),
        "claude.options.env": {"HOME": str(folder), **NOTHING_ELSE},
        "openai.base_url": f"{upstream}/openai/v1",
        "openai.api_key": "sk-demo",
        "codex.base_url": f"{upstream}/backend-api/codex",
        "codex.auth_path": str(login),
        "codex.instructions": "none",
        "intercept.hosts": {"api.anthropic.com": "credentials"},
    }
    with tempfile.TemporaryDirectory() as empty:
        return load(given, environ={}, cwd=Path(empty)).settings


@contextlib.asynccontextmanager
async def proxy_for(settings: Settings) -> AsyncIterator[tuple[asyncio.Task[None], Addresses]]:
    """The proxy as a task, once it listens; it is ended with the block."""
    ready: asyncio.Future[Master] = asyncio.get_running_loop().create_future()
    modes, _ = listener_modes(settings, proxy_port_given=True)
    task = asyncio.create_task(serve(settings, modes, ready.set_result))
    master = await asyncio.wait_for(ready, START_SECONDS)
    try:
        yield task, addresses(master)
    finally:
        master.shutdown()
        await task


def addresses(master: Master) -> Addresses:
    """What the running master says of itself."""
    reverse, proxy = (
        f"http://{host_for_url(address[0])}:{address[1]}"
        for address in master.addons.get("proxyserver").listen_addrs()
    )
    return Addresses(reverse, proxy, Path(master.options.confdir).expanduser() / "mitmproxy-ca-cert.pem")


def show(step: Step) -> None:
    """One exchange in two lines."""
    typer.echo(f"{'ok  ' if step.passed else 'FAIL'} {step.title}")
    typer.echo(f"     {step.result}")


def show_what_to_try(where: Addresses) -> None:
    typer.echo(
        "\nStill serving; Ctrl-C stops. In another terminal:\n"
        f"  ANTHROPIC_BASE_URL={where.reverse}/api ANTHROPIC_API_KEY=anything claude -p hello\n"
        f"  curl {where.reverse}/health"
    )
    sys.stdout.flush()
