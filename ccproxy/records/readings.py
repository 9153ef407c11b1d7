"""Metrics that are not counted but read when somebody asks: what runs, what waits, what is left."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from ccproxy.conversation.parts import JsonObject
from ccproxy.exchange import Exchange
from ccproxy.inspector.kept import Kept
from ccproxy.quota.windows import Quota
from ccproxy.records.store_states import REASONS

Sample = tuple[tuple[str, ...], float]
"""The values of the labels, and the figure."""


class Readings:
    """Called, it reads. `agent` is the status of what is behind `/sdk`; `kept` and `log` give None where
    flows are not kept and where the access log is off."""

    def __init__(
        self,
        under_way: Callable[[], Iterable[Exchange]],
        quota: Quota,
        agent: Callable[[], JsonObject],
        kept: Callable[[], Kept | None],
        log: Callable[[], dict[str, Any] | None],
    ) -> None:
        self._under_way, self._quota = under_way, quota
        self._agent, self._kept, self._log = agent, kept, log

    def __call__(self) -> Iterator[Metric]:
        yield self._requests()
        yield from self._windows()
        yield from self._processes()
        yield from self._inspector()
        yield from self._access_log()

    def _requests(self) -> Metric:
        running = Counter((one.backend or "none",) for one in self._under_way() if one.operation != "utility")
        return gauge("active_requests", "Requests under way", ("backend",), running.items())

    def _windows(self) -> Iterator[Metric]:
        used, resets, seen = {}, {}, {}
        for provider, told in self._quota.last.items():
            seen[(provider,)] = told.seen_at.timestamp()
            for window in told.windows:
                labels = (provider, window.name, window.model or "all")
                if window.used is not None:
                    used[labels] = window.used
                if window.resets_at is not None:
                    resets[labels] = window.resets_at.timestamp()
        names = ("provider", "window", "model")
        yield gauge(
            "quota_used_ratio", "Part of a plan's window that is used, as last seen", names, used.items()
        )
        yield gauge(
            "quota_reset_timestamp_seconds", "When a window of a plan begins anew", names, resets.items()
        )
        yield gauge(
            "quota_seen_timestamp_seconds",
            "When a provider last said what is used",
            names[:1],
            seen.items(),
        )

    def _processes(self) -> Iterator[Metric]:
        """Before the first request to `/sdk` there is nothing to tell but the permissions."""
        status = self._agent()
        sessions, pool = status["sessions"], status["pool"]
        held: list[Sample] = []
        ready: list[Sample] = []
        if sessions:
            busy = sessions["busy"]
            held = [(("busy",), busy), (("idle",), sessions["live"] - busy)]
        if pool:
            ready = [(("ready",), pool["ready"]), (("starting",), pool["starting"])]
        yield gauge(
            "sdk_sessions", "Claude Code processes that hold a conversation, by state", ("state",), held
        )
        yield gauge(
            "sdk_sessions_limit",
            "Most Claude Code processes at a time",
            (),
            [((), sessions["max"])] if sessions else [],
        )
        yield gauge(
            "sdk_pool_processes",
            "Claude Code processes kept ready for a conversation, by state",
            ("state",),
            ready,
        )
        yield gauge(
            "sdk_pool_size",
            "Claude Code processes that are to be kept ready",
            (),
            [((), pool["size"])] if pool else [],
        )
        yield gauge(
            "permissions_pending",
            "Permissions that wait for an answer",
            (),
            [((), status["permissions"]["pending"])],
        )

    def _inspector(self) -> Iterator[Metric]:
        kept = self._kept()
        yield gauge(
            "inspector_kept_bytes", "Bytes of flows in memory", (), [((), kept.bytes)] if kept else []
        )
        yield gauge("inspector_kept_flows", "Flows in memory", (), [((), kept.flows)] if kept else [])
        yield counter(
            "inspector_dropped",
            "Bodies and turns of flows that had to go",
            (),
            [((), kept.dropped)] if kept else [],
        )

    def _access_log(self) -> Iterator[Metric]:
        status = self._log()
        states: list[Sample] = []
        rows: list[Sample] = []
        if status:
            states = [((state,), float(state == status["state"])) for state in REASONS]
            rows = [((kind,), status[kind]) for kind in ("written", "dropped")]
        size = status["bytes"] if status else None
        yield gauge(
            "access_log_state", "1 for the state that the access log is in, else 0", ("state",), states
        )
        yield counter("access_log_rows", "Rows of the access log, by what became of them", ("result",), rows)
        yield gauge(
            "access_log_rows_waiting",
            "Rows that are not written yet",
            (),
            [((), status["waiting"])] if status else [],
        )
        yield gauge(
            "access_log_size_bytes", "Size of the access log's file", (), [] if size is None else [((), size)]
        )


def gauge(name: str, what: str, labels: tuple[str, ...], samples: Iterable[Sample]) -> Metric:
    family = GaugeMetricFamily(f"ccproxy_{name}", what, labels=labels)
    for values, figure in samples:
        family.add_metric(values, figure)
    return family


def counter(name: str, what: str, labels: tuple[str, ...], samples: Iterable[Sample]) -> Metric:
    family = CounterMetricFamily(f"ccproxy_{name}", what, labels=labels)
    for values, figure in samples:
        family.add_metric(values, figure)
    return family
