"""Metrics of a real proxy: they equal the upstream's ledger, and a real Prometheus reads them."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Proxies, upstream_settings
from tests.docs.pages import blocks, page
from tests.support.chatgpt import write_login
from tests.support.clients import program
from tests.support.metrics import Page, lint
from tests.support.processes import Proxy, Simulator, free_port, running_proxy, started

TOKEN = "the-token-of-this-proxy"
CLAUDE, GPT = "claude-opus-4-8", "gpt-5.5"
SYSTEM = {"type": "text", "text": "word " * 3000, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
DOCS = page("metrics")


@pytest.fixture(scope="module")
def measured(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A proxy with a token, with metrics and the access log."""
    home = tmp_path_factory.mktemp("measured")
    settings = upstream_settings(simulator) | {
        "OBSERVABILITY__METRICS": "true",
        "OBSERVABILITY__LOGS": "true",
        "OBSERVABILITY__DUCKDB_PATH": str(home / "access.duckdb"),
        "SECURITY__AUTH_TOKEN": TOKEN,
        "RETRIES__ATTEMPTS": "1",
        "CODEX__AUTH_PATH": str(write_login(home / "auth.json")),
    }
    with running_proxy(home, settings) as proxy:
        yield proxy
        assert proxy.process.stop() == 0
        assert "Traceback" not in proxy.process.output


@pytest.fixture
def client(measured: Proxy) -> Iterator[httpx.Client]:
    headers = {"x-api-key": TOKEN, "anthropic-version": "2023-06-01"}
    with httpx.Client(base_url=measured.url, trust_env=False, timeout=30, headers=headers) as made:
        yield made


def ask(client: httpx.Client, backend: str, model: str, text: str, *, stream: bool) -> int:
    """A request in Anthropic's format to any backend, with something for the cache; the answer's status."""
    said = [{"role": "user", "content": text}]
    body = {"model": model, "max_tokens": 400, "system": [SYSTEM], "messages": said, "stream": stream}
    return client.post(f"/{backend}/v1/messages", json=body).status_code


def metrics(client: httpx.Client) -> Page:
    return Page(client.get("/metrics").raise_for_status().text)


def used(entries: list[dict[str, Any]]) -> dict[str, int]:
    """What the ledger's entries have used, by type, in the terms of the metrics."""
    total = dict.fromkeys(("input", "cache_read", "cache_write", "output", "reasoning"), 0)
    for usage in (entry["usage"] for entry in entries if entry["usage"]):
        if "cache_read_input_tokens" in usage:
            total["input"] += usage["input_tokens"]
            total["cache_read"] += usage["cache_read_input_tokens"]
            total["cache_write"] += usage["cache_creation_input_tokens"]
        else:
            cached = usage["input_tokens_details"]["cached_tokens"]
            total["input"] += usage["input_tokens"] - cached
            total["cache_read"] += cached
            total["reasoning"] += usage["output_tokens_details"]["reasoning_tokens"]
        total["output"] += usage["output_tokens"]
    return total


def test_figures_are_those_of_the_ledger(client: httpx.Client, simulator: Simulator, measured: Proxy) -> None:
    simulator.reset()
    before = metrics(client)
    for stream in (False, True):
        assert ask(client, "api", CLAUDE, "sim:text a few words", stream=stream) == 200
        assert ask(client, "openai", GPT, "sim:text a few words", stream=stream) == 200
        assert ask(client, "codex", GPT, "sim:text a few words", stream=stream) == 200
    assert ask(client, "api", CLAUDE, "sim:once error 529 overloaded_error", stream=True) == 200
    assert ask(client, "api", CLAUDE, "sim:error 400 invalid_request_error", stream=False) == 400
    assert client.post("/nowhere", json={}).status_code == 404
    assert httpx.get(f"{measured.url}/metrics", trust_env=False).status_code == 401
    told = metrics(client)

    def more(name: str, **labels: str) -> float:
        """By how much it has grown."""
        return (told.sum(f"ccproxy_{name}", **labels) or 0) - (before.sum(f"ccproxy_{name}", **labels) or 0)

    expected = used(simulator.requests())
    assert expected["cache_read"] > 0
    assert expected["cache_write"] > 0
    reasoning = expected.pop("reasoning")
    assert {kind: more("tokens_total", type=kind) for kind in expected} == expected
    assert more("reasoning_tokens_total") == reasoning
    assert more("requests_total") == 10
    assert more("requests_total", status="200") == 7
    assert more("requests_total", backend="codex", model=GPT, status="200") == 2
    assert more("retries_total", backend="api") == 1
    assert more("errors_total", backend="api", error="invalid_request_error") == 1
    assert more("errors_total", backend="none", error="unknown_route") == 1
    assert more("errors_total", backend="none", error="unauthorized") == 1
    assert more("first_text_seconds_count", backend="api") == 2
    assert more("unpriced_responses_total") == 0
    assert told.sum("ccproxy_active_requests") is None
    the_log_says_the_same(client, told)


def the_log_says_the_same(client: httpx.Client, told: Page) -> None:
    requests = told.sum("ccproxy_requests_total")
    deadline = time.monotonic() + 10
    while metrics(client).sum("ccproxy_access_log_rows_total", result="written") != requests:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    logged = client.get("/logs/analytics").json()["totals"]
    assert logged["requests"] == requests
    assert told.sum("ccproxy_cost_usd_total") == pytest.approx(logged["cost_usd"])


def test_promtool_finds_nothing(client: httpx.Client) -> None:
    assert lint(client.get("/metrics").content) == ""


@pytest.mark.slow
def test_prometheus_reads_them(client: httpx.Client, measured: Proxy, home: Path) -> None:
    """With the configuration from the docs; every query of the docs is one."""
    assert ask(client, "api", CLAUDE, "sim:text for prometheus", stream=True) == 200
    (home / "token").write_text(f"{TOKEN}\n")
    (config,) = blocks(DOCS, "yaml")
    for ours, here in (
        ("127.0.0.1:8000", measured.url.removeprefix("http://")),
        ("/etc/prometheus/ccproxy-token", str(home / "token")),
        ("15s", "300ms"),
    ):
        assert config.count(ours) == 1
        config = config.replace(ours, here)
    (home / "prometheus.yml").write_text(config)
    address = f"127.0.0.1:{free_port()}"
    command = [program("prometheus"), f"--config.file={home / 'prometheus.yml'}"]
    command += [f"--storage.tsdb.path={home / 'data'}", f"--web.listen-address={address}"]
    with started(command, home):
        with httpx.Client(base_url=f"http://{address}/api/v1", trust_env=False, timeout=10) as prometheus:
            wait_for_a_scrape(prometheus)
            found = query(prometheus, 'ccproxy_requests_total{backend="api",status="200"}')
            told = metrics(client).sum("ccproxy_requests_total", backend="api", status="200")
            assert [float(series["value"][1]) for series in found] == [told]
            assert found[0]["metric"]["model"] == CLAUDE
            for asked in blocks(DOCS, "promql"):
                query(prometheus, asked)


def wait_for_a_scrape(prometheus: httpx.Client) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            if [series["value"][1] for series in query(prometheus, 'up{job="ccproxy"}')] == ["1"]:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.1)


def query(prometheus: httpx.Client, asked: str) -> list[dict[str, Any]]:
    answer = prometheus.get("/query", params={"query": asked})
    if answer.status_code == 503:
        # it is not ready yet
        return []
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return found


def test_off_by_default(served: Proxy) -> None:
    answer = httpx.get(f"{served.url}/metrics", trust_env=False)
    assert answer.status_code == 404
    assert "observability.metrics" in answer.json()["error"]["message"]


def test_with_the_inspector(proxies: Proxies) -> None:
    """mitmweb keeps flows: how many bytes they take is a metric there."""
    proxy = proxies.get("serve", {"OBSERVABILITY__METRICS": "true", "SERVER__WEB": "true"})
    headers = {"anthropic-version": "2023-06-01"}
    with httpx.Client(base_url=proxy.url, trust_env=False, timeout=30, headers=headers) as client:
        assert ask(client, "api", CLAUDE, "sim:text hello", stream=True) == 200
        told = metrics(client)
    assert told.sum("ccproxy_requests_total", status="200") == 1
    assert (told.sum("ccproxy_inspector_kept_bytes") or 0) > 0
