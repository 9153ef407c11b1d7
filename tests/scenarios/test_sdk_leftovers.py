"""However the proxy or its Claude Code ends: no process, no temporary file and no port is left."""

import json
import os
import random
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.conftest import upstream_settings
from tests.support.processes import Proxy, Simulator, running_proxy
from tests.support.sdk import (
    ask,
    bash,
    left_behind,
    permissions,
    processes_of,
    sdk_settings,
    text_of,
    until,
)
from tests.support.sockets import port_of

pytestmark = pytest.mark.slow

POOL = 2
LONG = "sleep 300"
ROUNDS = 3


class Scene:
    """A proxy, and what can be left of it. Its temporary files are in `temporary`."""

    def __init__(self, proxy: Proxy, temporary: Path, clients: ThreadPoolExecutor) -> None:
        self.proxy, self.temporary, self.clients = proxy, temporary, clients
        self.process = psutil.Process(proxy.process.child.pid)
        self.marker = f"ccproxy-{self.process.pid}-"
        self.answers: list[Future[httpx.Response]] = []
        self._seen: set[psutil.Process] = set()
        self._ports: set[int] = set()

    def asks(self, prompt: str, session: str) -> None:
        """A client that waits for an answer, whatever becomes of it."""
        path = f"/sdk/{session}/v1/messages"
        self.answers.append(self.clients.submit(ask, self.proxy, prompt, path=path))

    def at_work(self) -> None:
        """Sessions that answer, a command that runs, a permission that is waited for, and a full pool."""
        self.asks("sim:slow 600 0.1", "answers")
        self.asks(bash(LONG), "runs")
        self.asks(bash("touch x"), "waits")
        until(lambda: permissions(self.proxy, status="pending"))
        until(self.commands)
        until(self._is_full)
        self.look()

    def _is_full(self) -> bool:
        status = httpx.get(f"{self.proxy.url}/sdk/status", trust_env=False).json()
        return bool((status["pool"]["ready"], status["sessions"]["busy"]) == (POOL, 3))

    def commands(self) -> list[psutil.Process]:
        """What Claude Code's shells have started."""
        return [process for process in left_behind(self.marker) if process.name() == "sleep"]

    def look(self) -> None:
        """Remember what is there: processes below the proxy, and ports that it listens on."""
        self._seen |= {*self.process.children(recursive=True), *left_behind(self.marker)}
        connections = self.process.net_connections()
        self._ports |= {one.laddr.port for one in connections if one.status == psutil.CONN_LISTEN}

    def left(self) -> list[str]:
        """What is left of all that, in words."""
        found = {process for process in self._seen if runs(process)} | {*left_behind(self.marker)}
        return [
            *(f"process {process.pid}: {name_of(process)}" for process in found),
            *(f"file {path}" for path in self.temporary.iterdir()),
            *(f"port {port}" for port in self._ports if is_taken(port)),
        ]

    def is_gone(self, seconds: float = 15) -> None:
        """Within this time nothing is left."""
        deadline = time.monotonic() + seconds
        while left := self.left():
            assert time.monotonic() < deadline, left
            time.sleep(0.05)
        for url in (self.proxy.url, self.proxy.proxy_url):
            # the next proxy can begin; the local app's port is another one each time
            socket.create_server(("127.0.0.1", port_of(url))).close()

    def zombies(self) -> list[psutil.Process]:
        """Children of the proxy that have ended, and that it has not waited for."""
        found = []
        for process in self.process.children():
            with suppress(psutil.Error):
                if process.status() == psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def guard(self) -> psutil.Process:
        """The small process that outlives the proxy, to clean up behind it."""
        [found] = [child for child in self.process.children() if "guard.py" in " ".join(child.cmdline())]
        return found


def runs(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def name_of(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())[:80]
    return "gone"


def is_taken(port: int) -> bool:
    """Whether somebody listens there, the proxy or a process that has inherited its socket."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def end(processes: list[psutil.Process], how: signal.Signals) -> None:
    """Until the proxy has been told of their ends."""
    for process in processes:
        with suppress(psutil.Error):
            process.send_signal(how)
    until(lambda: not any(process.is_running() for process in processes))


@contextmanager
def scene(simulator: Simulator, folder: Path, **more: str) -> Iterator[Scene]:
    temporary = folder / "temporary"
    temporary.mkdir(parents=True)
    own = sdk_settings(
        TMPDIR=str(temporary),
        CLAUDE__OPTIONS__CWD=str(folder),
        CLAUDE__POOL__ENABLED="true",
        CLAUDE__POOL__SIZE=str(POOL),
        PERMISSIONS__ALLOW=json.dumps(["Bash(sleep:*)"]),
        SERVER__DRAIN_SECONDS="0.3",
    )
    with ThreadPoolExecutor(16) as clients:
        with running_proxy(folder, upstream_settings(simulator) | own | more) as proxy:
            yield Scene(proxy, temporary, clients)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_proxy_ends_at_work(simulator: Simulator, tmp_path: Path, how: signal.Signals) -> None:
    with scene(simulator, tmp_path) as it:
        it.at_work()
        # the control: all that is looked for is there, and can be seen
        before = " ".join(it.left())
        for what in ("claude", LONG, "guard.py", "file", "port"):
            assert what in before
        assert before.count("port") == 3
        assert len(processes_of(it.proxy)) == POOL + 3

        it.process.send_signal(how)
        it.proxy.process.child.wait(20)
        it.is_gone()
        if how == signal.SIGTERM:
            # half an answer does not look whole
            assert [answer.result().status_code for answer in it.answers] == [503] * len(it.answers)


def test_what_nobody_cleans_up_is_found(simulator: Simulator, tmp_path: Path) -> None:
    """The other control: without the proxy and its guard there is something left."""
    with scene(simulator, tmp_path) as it:
        it.at_work()
        try:
            it.guard().kill()
            it.process.kill()
            it.proxy.process.child.wait(20)
            with pytest.raises(AssertionError):
                it.is_gone(1)
            left = " ".join(it.left())
            for what in ("claude", LONG, "file"):
                assert what in left
        finally:
            for process in left_behind(it.marker):
                with suppress(psutil.Error):
                    process.kill()


def test_a_claude_is_killed_while_its_command_runs(simulator: Simulator, tmp_path: Path) -> None:
    with scene(simulator, tmp_path) as it:
        it.asks(bash(LONG), "runs")
        [command] = until(it.commands)
        it.look()
        shell = command.parent()
        claude = shell.parent() if shell else None
        assert claude
        folders = {path for found in it.temporary.iterdir() for path in found.iterdir()}
        claude.kill()

        assert it.answers[0].result().status_code == 503
        until(lambda: not (runs(command) or it.commands() or it.zombies()))
        own = {path for path in folders if not path.exists()}
        assert len(own) == 1
        assert text_of(ask(it.proxy, "sim:text again", path="/sdk/runs/v1/messages")) == "again"
        assert it.proxy.process.stop() == 0
        it.is_gone()


def test_killed_at_random(simulator: Simulator, tmp_path: Path) -> None:
    seed = int(os.environ.get("LEFTOVERS_SEED", random.randrange(2**32)))
    print(f"LEFTOVERS_SEED={seed}")
    dice = random.Random(seed)
    for number in range(ROUNDS):
        with scene(simulator, tmp_path / str(number)) as it:
            prompts = ["sim:slow 50 0.1", bash(LONG), bash("touch x"), "sim:text hello"]
            for client in range(3):
                it.asks(dice.choice(prompts), f"client-{client}")
            target, how = dice.choice(["proxy", "claude"]), dice.choice([signal.SIGTERM, signal.SIGKILL])
            wait = dice.uniform(0, 2)
            print(f"round {number}: {how.name} to the {target} after {wait:.2f} s")
            time.sleep(wait)
            it.look()
            if target == "claude":
                end(dice.sample(found := processes_of(it.proxy), (len(found) + 1) // 2), how)
                # the proxy goes on
                assert text_of(ask(it.proxy, "sim:text alive", path=f"/sdk/{number}/v1/messages")) == "alive"
                until(lambda: not it.zombies())
                it.look()
                it.process.send_signal(signal.SIGTERM)
            else:
                it.process.send_signal(how)
            it.proxy.process.child.wait(20)
            it.is_gone()
