"""Metrics as a test reads them, and a page on which every metric has a figure."""

import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from ccproxy import failures
from ccproxy.conversation.losses import Loss
from ccproxy.conversation.usage import Usage
from ccproxy.exchange import Exchange
from ccproxy.inspector.kept import Kept
from ccproxy.quota.windows import ProviderQuota, Quota, Window
from ccproxy.records.metrics import Metrics
from ccproxy.records.readings import Readings
from tests.support.clients import program

AGENT = {
    "pool": {"size": 3, "ready": 2, "starting": 1, "failures": 0},
    "sessions": {"live": 3, "busy": 2, "named": 1, "max": 32},
    "permissions": {"pending": 1},
}
NO_AGENT = {"pool": None, "sessions": None, "permissions": {"pending": 0}}
LOG = {"state": "ok", "written": 7, "dropped": 2, "waiting": 1, "bytes": 4096}
RESETS = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Page:
    """A page in the text format, by its samples."""

    def __init__(self, text: str) -> None:
        self.families = list(text_string_to_metric_families(text))
        self.samples = [sample for family in self.families for sample in family.samples]

    def sum(self, name: str, **labels: str) -> float | None:
        """The sum of all series with these labels; None where there are none."""
        found = [
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(found) if found else None

    def labels(self, name: str) -> set[tuple[str, ...]]:
        """The values of the labels of each series, in the order of the labels' names."""
        return {
            tuple(value for _, value in sorted(sample.labels.items()))
            for sample in self.samples
            if sample.name == name
        }


def exchange(**given: Any) -> Exchange:
    """A streamed answer of Claude's that has ended, with what is given in the place of the usual."""
    made = Exchange("reverse", "POST", "/api/v1/messages", "anthropic", operation="messages")
    usual = {
        "backend": "api",
        "policy": "attach",
        "stream": True,
        "status": 200,
        "model_served": "claude-opus-4-8",
        "usage": Usage(input=1000, output=100, cache_read=700, cache_write=200, reasoning=30),
        "first_byte": made.started + 0.5,
        "first_text": made.started + 2,
        "longest_gap": 0.25,
        "ended": made.started + 4,
        "bytes_in": 50,
        "bytes_out": 60,
    }
    for name, value in {**usual, **given}.items():
        setattr(made, name, value)
    return made


def no_readings() -> list[Any]:
    return []


async def page(metrics: Metrics) -> Page:
    content, _ = await metrics.page("")
    return Page(content.decode())


async def counted(*exchanges: Exchange) -> Page:
    """What is told of these."""
    metrics = Metrics(no_readings)
    for one in exchanges:
        metrics.keep(one)
    return await page(metrics)


def readings(
    under_way: Iterable[Exchange] = (),
    quota: Quota | None = None,
    agent: dict[str, Any] = NO_AGENT,
    kept: Kept | None = None,
    log: dict[str, Any] | None = None,
) -> Readings:
    return Readings(lambda: under_way, quota or Quota(), lambda: agent, lambda: kept, lambda: log)


def some_quota() -> Quota:
    quota = Quota()
    windows = (Window("5h", 0.25, RESETS), Window("7d", 0.5, RESETS, model="opus"), Window("month", None))
    quota.saw("claude", ProviderQuota(windows, RESETS))
    return quota


def busy() -> Metrics:
    """Metrics of a proxy to which everything has happened."""
    running = [exchange(), exchange(backend="codex"), exchange(backend=None, operation="utility")]
    metrics = Metrics(readings(running, some_quota(), AGENT, Kept(1000, 10, 1), LOG))
    metrics.keep(exchange())
    metrics.keep(exchange(model_served="nobody-knows-1", retries=2, losses=(Loss("top_k", "unknown"),)))
    metrics.keep(exchange(status=504, failure=failures.upstream_timeout("h", 1)))
    metrics.keep(exchange(backend="sdk", usage=Usage(input=10, output=2, cost=0.5)))
    return metrics


def lint(text: bytes) -> str:
    """What `promtool check metrics` has to say; nothing if all is as Prometheus likes it."""
    done = subprocess.run(
        [program("promtool"), "check", "metrics"], input=text, capture_output=True, check=False, timeout=30
    )
    said = (done.stdout + done.stderr).decode()
    assert said or done.returncode == 0
    return said
