import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Proxies, upstream_settings
from tests.support.processes import BIN, Proxy, Simulator, clean_environment, free_port, started
from tests.support.sockets import port_of

RUN = [str(BIN / "ccproxy"), "run"]
SHOW = ["sh", "-c", 'echo "$HTTPS_PROXY $ANTHROPIC_BASE_URL"']
ASK = (
    'curl -sS "$ANTHROPIC_BASE_URL/v1/messages" -H "anthropic-version: 2023-06-01"'
    ' -H "x-api-key: $ANTHROPIC_API_KEY"'
    " -H 'content-type: application/json'"
    """ -d '{"model":"claude-opus-4-8","max_tokens":10,"messages":[{"role":"user","content":"%s"}]}'"""
)


def ports_of(proxy: Proxy) -> dict[str, str]:
    return {
        "SERVER__PORT": str(port_of(proxy.url)),
        "SERVER__PROXY_PORT": str(port_of(proxy.proxy_url)),
        "HOME": str(proxy.process.home),
    }


def run(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RUN, *arguments],
        cwd=home,
        env=clean_environment(home, {"TMPDIR": str(home), **environment}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_through_the_one_that_runs(served: Proxy, home: Path) -> None:
    done = run(home, "--", *SHOW, **ports_of(served))
    assert done.stdout == f"{served.proxy_url} \n"
    assert re.fullmatch(r"ccproxy: \d+ requests?, [\d,]+ tokens in.*, \d+ out\n", done.stderr)


def test_without_the_dashes_and_quiet(served: Proxy, home: Path) -> None:
    done = run(home, "--quiet", "--base-url", *SHOW, **ports_of(served))
    assert (done.returncode, done.stdout, done.stderr) == (0, f" {served.url}/api\n", "")


def test_the_clients_options_are_its_own(served: Proxy, home: Path) -> None:
    done = run(home, "--quiet", "echo", "--quiet", "--help", "--", "-x", **ports_of(served))
    assert done.stdout == "--quiet --help -- -x\n"


def test_one_is_started_and_ends_with_the_client(home: Path, simulator: Simulator) -> None:
    environment = upstream_settings(simulator) | {"SERVER__PORT": str(free_port())}
    done = run(
        home,
        "--base-url",
        "--",
        "sh",
        "-c",
        f"{ASK % 'hello'}; echo; echo $ANTHROPIC_BASE_URL; exit 9",
        **environment,
    )
    assert done.returncode == 9
    answer, url = done.stdout.splitlines()
    assert '"type":"message"' in answer.replace(" ", "")
    assert re.fullmatch(r"ccproxy: 1 request, \d+ tokens in, \d+ out\n", done.stderr)
    assert str(environment["SERVER__PORT"]) not in url
    assert subprocess.run(["curl", "-sS", url], capture_output=True, check=False).returncode == 7
    assert list(home.glob("ccproxy-run-*")) == []


def test_the_log_of_a_request_that_failed(home: Path, simulator: Simulator) -> None:
    environment = upstream_settings(simulator) | {"SERVER__PORT": str(free_port())}
    done = run(home, "--base-url", "--", "sh", "-c", ASK % "sim:error 429", **environment)
    (log,) = home.glob("ccproxy-run-*.log")
    assert done.stderr.startswith("ccproxy: 1 request (1 failed), ")
    assert done.stderr.endswith(f"; log: {log}\n")
    assert "POST /api/v1/messages -> 429" in log.read_text()


def test_a_port_and_a_policy_start_one(served: Proxy, home: Path) -> None:
    port = free_port()
    done = run(home, "--base-url", "--port", str(port), "--", *SHOW, **ports_of(served))
    assert done.stdout == f" http://127.0.0.1:{port}/api\n"
    done = run(home, "--policy", "credentials", "--", *SHOW, **ports_of(served))
    assert done.returncode == 0
    assert done.stdout.strip() != served.proxy_url


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nonesuch"], 127, "nonesuch is not there"),
        (["/etc/passwd"], 126, "/etc/passwd is no program"),
        (["--policy", "bogus", "true"], 1, "--policy: intercept.hosts"),
        (["--port", "70000", "true"], 1, "--port: server.port: 70000"),
        (["--config", "none.toml", "true"], 1, "none.toml"),
        ([], 2, "CLIENT"),
    ],
)
def test_what_cannot_be(arguments: list[str], code: int, said: str, home: Path) -> None:
    done = run(home, *arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (home / ".mitmproxy").exists()


def test_with_a_token(proxies: Proxies, home: Path) -> None:
    proxy = proxies.get(settings={"SECURITY__AUTH_TOKEN": "t0ken/x"})
    environment = {**ports_of(proxy), "SECURITY__AUTH_TOKEN": "t0ken/x"}
    done = run(home, "--base-url", "--", "sh", "-c", ASK % "hello", **environment)
    assert '"type":"message"' in done.stdout.replace(" ", "")
    assert "1 request" in done.stderr
    site = "https://api.anthropic.com/v1/models"
    done = run(home, "--", "curl", "-sS", "-o", os.devnull, "-w", "%{http_connect}", site, **environment)
    assert done.stdout == "200"
    assert "t0ken" not in done.stderr


def test_a_signal_ends_the_client_and_then_us(served: Proxy, home: Path) -> None:
    arguments = [*RUN, "--", "sh", "-c", "echo ready; exec sleep 60"]
    with started(arguments, home, ports_of(served)) as process:
        process.wait_for("ready")
        assert process.stop() == 128 + 15
        assert re.search(r"ccproxy: \d+ request", process.output)
