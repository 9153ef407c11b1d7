import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccproxy.cli.permission_handler import still_waiting
from ccproxy.cli.permission_queue import Connected, Queue
from tests.conftest import Proxies
from tests.support.asking import request
from tests.support.permission_server import permission_server
from tests.support.processes import clean_environment, free_port
from tests.support.sockets import port_of
from tests.support.talking import HANDLER


def handle(home: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*HANDLER, *arguments],
        cwd=home,
        env=clean_environment(home, environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_no_server(home: Path, more: tuple[str, ...]) -> None:
    port = free_port()
    done = handle(home, "--port", str(port), *more)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"No ccproxy answers at http://127.0.0.1:{port}: start it with `ccproxy`, "
        "or name another with --host and --port.\n"
    )


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_the_token_of_the_settings(proxies: Proxies, home: Path, more: tuple[str, ...]) -> None:
    proxy = proxies.get(settings={"SECURITY__AUTH_TOKEN": "t0ken"})
    port = str(port_of(proxy.url))
    for environment, words in (
        ({}, "asks for its token: set security.auth_token (SECURITY__AUTH_TOKEN) to the one that"),
        ({"SECURITY__AUTH_TOKEN": "other"}, "does not take the token that you have: set security.auth_token"),
    ):
        done = handle(home, "--port", port, *more, **environment)
        assert (done.returncode, done.stdout) == (1, "")
        assert words in done.stderr
        assert done.stderr.count("\n") == 1


def test_the_address_comes_from_the_settings(home: Path) -> None:
    with permission_server() as server:
        done = handle(home, SERVER__PORT=str(server.port))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"Connected to {server.url}.\n")
        named = handle(home, "--host", "localhost", "--port", str(server.port), SERVER__PORT="1")
        assert named.stdout.startswith(f"Connected to http://localhost:{server.port}.\n")


def test_mistakes_on_the_command_line(home: Path) -> None:
    wrong = handle(home, "--port", "70000")
    assert (wrong.returncode, "--port: server.port: 70000" in wrong.stderr) == (1, True)


def test_a_reader_that_has_gone_is_no_error(home: Path) -> None:
    with permission_server() as server:
        of, to = os.pipe()
        os.close(of)
        done = subprocess.run(
            [*HANDLER, "--json", "--port", str(server.port)],
            cwd=home,
            env=clean_environment(home),
            stdin=subprocess.DEVNULL,
            stdout=to,
            stderr=subprocess.PIPE,
            timeout=30,
            check=False,
        )
        os.close(to)
    assert (done.returncode, done.stderr) == (0, b"")


def test_who_quits_is_told_what_waits() -> None:
    queue = Queue()
    assert still_waiting(queue) == ""
    now = datetime.now(UTC)
    soon, late = (now + timedelta(seconds=seconds) for seconds in (50, 100))
    queue.take(Connected((request("one", expires_at=soon.isoformat()),)), now)
    assert still_waiting(queue) == (
        f"1 request waits on and will be denied, from {soon.astimezone():%H:%M:%S} on. "
        "Answer with: ccproxy permission-handler"
    )
    both = (request("one", expires_at=late.isoformat()), request("two", expires_at=None))
    queue.take(Connected(both), now)
    assert still_waiting(queue).startswith(
        f"2 requests wait on and will be denied, from {late.astimezone():%H:%M:%S} on."
    )
