"""`ccproxy logs` against a proxy that runs, one that is restarted, and none."""

import csv
import io
import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import httpx
import pytest

from tests.conftest import Proxies, upstream_settings
from tests.records.rows import until
from tests.support.processes import (
    BIN,
    Proxy,
    Simulator,
    clean_environment,
    command,
    free_port,
    started,
    wait_until_ready,
)
from tests.support.sockets import port_of

LOGS = [str(BIN / "ccproxy"), "logs"]
ON = {"OBSERVABILITY__LOGS": "true"}
VERSION = {"anthropic-version": "2023-06-01"}


def ask(url: str, text: str, model: str = "claude-opus-4-8") -> int:
    body = {"model": model, "max_tokens": 50, "messages": [{"role": "user", "content": text}]}
    return httpx.post(f"{url}/api/v1/messages", json=body, headers=VERSION, trust_env=False).status_code


def written(url: str) -> int:
    count: int = httpx.get(f"{url}/logs/status", trust_env=False).json()["written"]
    return count


def logs(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LOGS, *arguments],
        cwd=home,
        env=clean_environment(home, environment),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture(scope="module")
def logged(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A proxy with three rows in its log."""
    home = tmp_path_factory.mktemp("logged")
    port = free_port()
    environment = {"SERVER__PORT": str(port), "SERVER__PROXY_PORT": "0"}
    with started(command("serve"), home, upstream_settings(simulator) | ON | environment) as process:
        wait_until_ready(process, port)
        proxy = Proxy(process, port, 0)
        for text in ("sim:text hello", "sim:text again", "sim:error 400 invalid_request_error"):
            ask(proxy.url, text)
        until(lambda: written(proxy.url) == 3)
        yield proxy


def test_a_table_that_fits(logged: Proxy, home: Path) -> None:
    done = logs(home, "query", "--url", logged.url)
    assert (done.returncode, done.stderr) == (0, "")
    heads, *rows = done.stdout.splitlines()
    assert heads.split()[:3] == ["Time", "Model", "Status"]
    assert [line.split()[3] for line in rows] == ["400", "200", "200"]
    assert re.search(r" \$0\.\d{4} +\d\.\d\ds +\d\.\d\ds$", rows[1])
    assert all(len(line) <= 80 for line in (heads, *rows))


def test_filters_columns_and_forms(logged: Proxy, home: Path) -> None:
    port = str(port_of(logged.url))
    asked = ("query", "--port", port, "--since", "1h", "--order", "started_at", "--columns", "status,error")
    done = logs(home, *asked, "--json")
    rows = [{"status": 200, "error": None}] * 2 + [{"status": 400, "error": "invalid_request_error"}]
    assert json.loads(done.stdout) == {"results": rows, "count": 3}
    found = logs(home, *asked, "--csv", "--status", "4xx", "--limit", "1")
    assert list(csv.reader(io.StringIO(found.stdout))) == [
        ["status", "error"],
        ["400", "invalid_request_error"],
    ]
    nothing = logs(home, *asked, "--until", "1h")
    assert "No row is like that." in nothing.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("query", "--since", "yesterday"), "--since must be a span such as 2h"),
        (("query", "--columns", "statsu"), "There is no column 'statsu'"),
        (("query", "--status", "9xx"), "status must be a number"),
        (("query", "--json", "--csv"), "exclude each other"),
        (("tail", "--status", "9xx"), "status must be a number"),
        (("export", "rows.xlsx"), "FILE must end with one of .ndjson, .csv, .parquet."),
        (("export", "nowhere/rows.csv"), "nowhere/rows.csv: No such file or directory"),
    ],
)
def test_what_cannot_be_asked(arguments: tuple[str, ...], said: str, logged: Proxy, home: Path) -> None:
    done = logs(home, *arguments, "--url", logged.url)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_of_all_rows(logged: Proxy, home: Path) -> None:
    done = logs(home, "export", "rows.parquet", "--url", logged.url)
    assert (done.returncode, done.stdout) == (0, "rows.parquet: 3 rows\n")
    with duckdb.connect() as database:
        found = database.read_parquet(str(home / "rows.parquet")).project("status").fetchall()
    assert found == [(200,), (200,), (400,)]
    again = logs(home, "export", "rows.parquet", "--url", logged.url)
    assert (again.returncode, again.stderr) == (1, "rows.parquet: File exists\n")


def test_where_it_is_off_it_says_how_to_switch_it_on(served: Proxy, proxies: Proxies, home: Path) -> None:
    for arguments in (("query",), ("tail",), ("export", "rows.csv")):
        done = logs(home, *arguments, "--url", served.url)
        assert (done.returncode, done.stdout) == (1, "")
        assert "observability.logs = true" in done.stderr
    nothing = logs(home, "query", "--port", str(free_port()))
    assert nothing.returncode == 1
    assert "observability.logs = true" in nothing.stderr
    guarded = proxies.get(settings=ON | {"SECURITY__AUTH_TOKEN": "t0ken"})
    refused = logs(home, "query", "--url", guarded.url)
    assert refused.returncode == 1
    assert "security.auth_token" in refused.stderr
    # who is refused has a row, too
    let_in = logs(home, "query", "--json", "--url", guarded.url, SECURITY__AUTH_TOKEN="t0ken")
    assert json.loads(let_in.stdout)["results"][0]["status"] == 401


def test_tail_over_a_restart_and_then_the_file(simulator: Simulator, home: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = upstream_settings(simulator) | ON | {"SERVER__PORT": str(port), "SERVER__PROXY_PORT": "0"}
    with started(command("serve"), home, settings) as server:
        wait_until_ready(server, port)
        ask(url, "sim:text", "claude-opus-4-8")
        until(lambda: written(url) == 1)
        with started([*LOGS, "tail", "--json", "--port", str(port)], home) as tail:
            tail.wait_for('"status": 200')
            ask(url, "sim:text", "claude-sonnet-4-5")
            tail.wait_for(r'"model_requested": "claude-sonnet-4-5".*"cost_usd": \d')
            begun = time.monotonic()
            assert server.stop() == 0
            # who listens does not keep it from stopping
            assert time.monotonic() - begun < 5
            tail.wait_for("waiting for it to come back")
            with started(command("serve"), home, settings) as again:
                wait_until_ready(again, port)
                tail.forget()

                def shown() -> bool:
                    ask(url, "sim:text", "claude-haiku-4-5")
                    return "claude-haiku-4-5" in tail.output

                until(shown)
                tail.child.send_signal(signal.SIGINT)
                assert tail.child.wait(10) == 0
                assert "Traceback" not in tail.output
                again.stop()
    # no server runs now
    done = logs(home, "query", "--json", "--port", str(port), "--model", "claude-sonnet-*")
    assert [row["model_requested"] for row in json.loads(done.stdout)["results"]] == ["claude-sonnet-4-5"]
