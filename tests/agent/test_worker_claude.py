"""The real Claude Code as a worker, in front of the simulator."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ccproxy.agent.errors import WorkerDied
from ccproxy.agent.guard import Guard
from ccproxy.agent.worker import Setup, Worker
from ccproxy.conversation.parts import JsonObject
from ccproxy.local.server import LocalServer
from ccproxy.settings.sources import load
from tests.agent.test_worker import rest
from tests.support.clients import QUIET, program
from tests.support.fake_codex import is_running, until
from tests.support.processes import Simulator
from tests.support.sdk import left_behind

pytestmark = pytest.mark.slow


@pytest.fixture
async def mcp() -> AsyncIterator[str]:
    """The address of a permission server that allows everything."""
    server = LocalServer(2**20)
    server.start(Starlette(routes=[Route("/mcp", allowing, methods=["GET", "POST", "DELETE"])]))
    yield f"http://127.0.0.1:{server.target.port}/mcp"
    server.stop()
    assert server._task
    await server._task


async def allowing(request: Request) -> Response:
    if request.method != "POST":
        return Response(status_code=405)
    call = await request.json()
    match call:
        case {"method": "initialize", "params": {"protocolVersion": version}}:
            about = {"name": "test", "version": "1"}
            result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": about}
        case {"method": "tools/list"}:
            result = {"tools": [{"name": "check", "inputSchema": {"type": "object"}}]}
        case {"method": "tools/call", "params": {"arguments": {"input": given}}}:
            decision = json.dumps({"behavior": "allow", "updatedInput": given})
            result = {"content": [{"type": "text", "text": decision}]}
        case {"id": name}:
            error = {"code": -32601, "message": "no such method"}
            return JSONResponse({"jsonrpc": "2.0", "id": name, "error": error})
        case _:
            return Response(status_code=202)
    return JSONResponse({"jsonrpc": "2.0", "id": call["id"], "result": result})


@pytest.fixture
async def real(tmp_path: Path, guard: Guard, simulator: Simulator, mcp: str) -> AsyncIterator[Worker]:
    """A worker of the real claude in front of the simulator."""
    worker = Worker(load(real_settings(tmp_path, simulator), environ={}).settings, guard, servers_at(mcp))
    yield worker
    await worker.close()
    assert [*guard.start().iterdir()] == []
    assert left_behind(guard.marker) == []


def real_settings(home: Path, simulator: Simulator) -> dict[str, object]:
    (home / "work").mkdir(exist_ok=True)
    return {
        "claude.cli_path": program("claude"),
        "claude.base_url": simulator.url,
        "claude.api_key": "sk-ant-api03-x",
        "claude.options.cwd": str(home / "work"),
        "claude.options.env": {**QUIET, "HOME": str(home), "TMPDIR": str(home)},
    }


def servers_at(url: str) -> Callable[[str], dict[str, JsonObject]]:
    return lambda token: {
        "ccproxy": {"type": "http", "url": url, "headers": {"Authorization": f"Bearer {token}"}}
    }


def says(text: str) -> list[JsonObject]:
    return [{"type": "text", "text": text}]


SLEEPS = """sim:tool Bash {"command":"touch up; sleep 77","description":"d"}"""


async def test_real_turns(real: Worker) -> None:
    await real.start()
    await real.begin(Setup("claude-opus-4-8", "high", "Be nice.", real.servers))
    assert real.models
    assert real.version.count(".") == 2
    for text in ("one  two", "three"):
        await real.send(says(f"sim:text {text}"))
        lines = await rest(real)
        assert lines[0]["type"] == "system"
        assert lines[0]["model"] == "claude-opus-4-8"
        assert (lines[-1]["result"], lines[-1]["is_error"]) == (text, False)
        assert any(line["type"] == "stream_event" for line in lines)
    assert real.session_id == lines[-1]["session_id"]
    await real.change(Setup("claude-sonnet-5-5", None, None, real.servers))
    await real.send(says("sim:text four"))
    assert (await rest(real))[0]["model"] == "claude-sonnet-5-5"


@pytest.mark.parametrize("delay", [0, 1])
async def test_real_interrupt(real: Worker, delay: float) -> None:
    await real.start()
    await real.begin(Setup(None, None, None, real.servers))
    await real.send(says("sim:slow 20 0.5"))
    await asyncio.sleep(delay)
    started = time.monotonic()
    await real.interrupt()
    assert time.monotonic() - started < 5
    assert (await rest(real))[-1]["is_error"]
    await real.send(says("sim:text on"))
    assert (await rest(real))[-1]["result"] == "on"


@pytest.mark.parametrize("how", ["close", "kill"])
async def test_real_with_a_tool_that_runs(real: Worker, how: str, guard: Guard, tmp_path: Path) -> None:
    await real.start()
    await real.begin(Setup(None, None, None, real.servers))
    await real.send(says(SLEEPS))
    await until((tmp_path / "work" / "up").exists)
    before = await asyncio.to_thread(left_behind, guard.marker)
    assert len(before) > 1
    if how == "kill":
        assert real._process
        real._process.kill()
        with pytest.raises(WorkerDied, match="signal 9"):
            await rest(real)
    await real.close()
    assert not any(is_running(process.pid) for process in before)


PROXY = """
import asyncio, json, sys
from ccproxy.agent.guard import Guard
from ccproxy.agent.transport import CliTransport
from ccproxy.agent.worker import Setup, Worker
from ccproxy.settings.sources import load

async def main():
    settings, url, text = json.loads(sys.argv[1])
    guard = Guard()
    servers = lambda token: {"ccproxy": {"type": "http", "url": url}}
    worker = Worker(load(settings, environ={}).settings, guard, servers)
    await worker.start()
    await worker.begin(Setup(None, None, None, worker.servers))
    await worker.send([{"type": "text", "text": text}])
    print(guard.marker, guard.start(), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""
"""Stands for the proxy."""


@pytest.fixture
def proxy(tmp_path: Path, simulator: Simulator, mcp: str) -> Iterator[subprocess.Popen[str]]:
    given = json.dumps([real_settings(tmp_path, simulator), mcp, SLEEPS])
    with subprocess.Popen([sys.executable, "-c", PROXY, given], stdout=subprocess.PIPE, text=True) as proxy:
        yield proxy
        proxy.kill()


async def test_real_when_the_proxy_is_killed(proxy: subprocess.Popen[str], tmp_path: Path) -> None:
    assert proxy.stdout
    marker, folder = (await asyncio.to_thread(proxy.stdout.readline)).split()
    await until((tmp_path / "work" / "up").exists)
    assert len(await asyncio.to_thread(left_behind, marker)) > 1
    proxy.kill()
    await until(lambda: not Path(folder).exists())
    assert await asyncio.to_thread(left_behind, marker) == []
