"""The stream of rows through a real proxy: it tells, and it keeps nobody from stopping."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.conftest import upstream_settings
from tests.records.rows import until
from tests.support.processes import Proxy, Simulator, running_proxy

VERSION = {"anthropic-version": "2023-06-01"}


def ask(proxy: Proxy, text: str) -> None:
    body = {
        "model": "claude-opus-4-8",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": text}],
    }
    httpx.post(f"{proxy.url}/api/v1/messages", json=body, headers=VERSION, trust_env=False, timeout=10)


def rows(answer: httpx.Response) -> Iterator[dict[str, object]]:
    event = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            event = line.removeprefix("event: ")
        elif line.startswith("data: ") and event == "row":
            yield json.loads(line.removeprefix("data: "))


def test_who_listens_is_told_and_let_go(simulator: Simulator, home: Path) -> None:
    settings = upstream_settings(simulator) | {"OBSERVABILITY__LOGS": "true"}
    with running_proxy(home, settings, proxy_listener=False) as proxy:
        with (
            httpx.stream("GET", f"{proxy.url}/logs/stream?error=any", trust_env=False, timeout=10) as failed,
            httpx.stream("GET", f"{proxy.url}/logs/stream", trust_env=False, timeout=10) as every,
            # one that never reads
            httpx.stream("GET", f"{proxy.url}/logs/stream", trust_env=False, timeout=10),
        ):
            for text in ("sim:text hello", "sim:error 400 invalid_request_error"):
                ask(proxy, text)
            told = rows(every)
            assert [next(told)["status"] for _ in range(2)] == [200, 400]
            assert next(rows(failed))["error"] == "invalid_request_error"
            # nobody has waited for the file
            until(lambda: httpx.get(f"{proxy.url}/logs/status", trust_env=False).json()["written"] == 2)
            checks = httpx.get(f"{proxy.url}/health", trust_env=False).json()["checks"]
            assert checks["access_log:state"][0]["observedValue"] == "ok"
            told_by_sql = [
                httpx.post(f"{proxy.url}/logs/sql", content=text, trust_env=False)
                for text in ("SELECT count(*) FROM access_log", "FROM duckdb_databases()")
            ]
            assert [answer.status_code for answer in told_by_sql] == [200, 400]
            assert (told_by_sql[0].json()["rows"], str(home) in told_by_sql[1].text) == ([[2]], False)
            begun = time.monotonic()
            assert proxy.process.stop() == 0
            assert time.monotonic() - begun < 5
            assert list(told) == []
        for sign in ("Traceback", "nanobind"):
            assert sign not in proxy.process.output
