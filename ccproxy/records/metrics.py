"""Metrics for Prometheus: what has been counted of the requests that have ended.

One thread counts and writes the page, in the order in which it is asked: a price takes a quarter of a
millisecond to look up, which the proxy must not wait for, and a page has all that ended before it.
"""

import asyncio
import importlib
import logging
import platform
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ccproxy.exchange import Exchange
from ccproxy.records.row import Row, is_logged, row_of
from ccproxy.version import ccproxy_version

logger = logging.getLogger(__name__)

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600)
"""Seconds: models think for minutes."""

MODELS = 100
"""Different models that are told apart; further ones are OTHER."""

OTHER, NONE = "other", "none"

ERRORS = frozenset(
    (
        # ours, without a failure: somebody left
        *("aborted", "client_disconnected", "upstream_cut"),
        # of the Messages API (errors page, read 2026-11-22)
        *("invalid_request_error", "authentication_error", "billing_error", "permission_error"),
        *("not_found_error", "conflict_error", "request_too_large", "rate_limit_error", "api_error"),
        *("timeout_error", "overloaded_error"),
        # of OpenAI and Codex (API reference and the Codex client's source, read 2026-11-22)
        *("context_length_exceeded", "insufficient_quota", "invalid_api_key", "invalid_prompt"),
        *("model_not_found", "rate_limit_exceeded", "server_error", "server_is_overloaded"),
        *("usage_limit_reached", "usage_not_included"),
    )
)
"""Errors that are told apart where they are not our own failures: an upstream may say anything."""

_MODEL = re.compile(r"[\w.:/@+-]{1,100}", re.ASCII)


class Metrics:
    """`keep` takes exchanges that have ended, `page` is what Prometheus reads.

    `readings` gives what can be asked at that moment; it is called in the event loop. Labels have few values:
    no id, no path, nothing that a client has chosen.
    """

    def __init__(self, readings: Callable[[], Iterable[Metric]]) -> None:
        # when a series began is of no use to most, and would double the page
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._readings = readings
        self._thread = ThreadPoolExecutor(1, "ccproxy-metrics")
        self._models: set[str] = set()
        self._make()
        # the table of prices takes half a second to load
        self._thread.submit(importlib.import_module, "ccproxy.records.cost")

    def keep(self, exchange: Exchange) -> None:
        """Count it, a moment later; takes microseconds."""
        if is_logged(exchange):
            self._thread.submit(self._count, row_of(exchange), error_of(exchange))

    async def page(self, accept: str) -> tuple[bytes, str]:
        """The page and its content type: OpenMetrics where `accept` names it, else the text format 0.0.4."""
        readings = list(self._readings())
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._page, readings, accept)

    def _page(self, readings: list[Metric], accept: str) -> tuple[bytes, str]:
        encode, content_type = choose_encoder(accept)
        return encode(_Joined(self.registry, readings)), content_type

    def _make(self) -> None:
        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"ccproxy_{name}", what, labels, registry=self.registry)

        def seconds(name: str, what: str, *labels: str) -> Histogram:
            return Histogram(f"ccproxy_{name}", what, labels, buckets=BUCKETS, registry=self.registry)

        which = ("backend", "operation", "stream")
        self._requests = counter(
            "requests_total",
            "Requests that have ended",
            *("backend", "client_format", "operation", "mode", "status", "model"),
        )
        self._errors = counter("errors_total", "Requests that went wrong, by error", "backend", "error")
        self._duration = seconds("response_duration_seconds", "From the request to its end", *which)
        self._first_byte = seconds("first_byte_seconds", "From the request to the first byte back", *which)
        self._first_text = seconds(
            "first_text_seconds", "From the request to the first text of a stream", *which[:2]
        )
        self._gap = seconds("longest_gap_seconds", "Longest silence in a stream", *which[:2])
        self._tokens = counter(
            "tokens_total",
            "Tokens, each counted once: input is what was neither read from the cache nor written to it",
            *("backend", "model", "type"),
        )
        self._reasoning = counter(
            "reasoning_tokens_total", "Tokens of the output that were reasoning", "backend", "model"
        )
        self._cost = counter("cost_usd_total", "Cost at list prices in US dollars", "backend", "model")
        self._unpriced = counter(
            "unpriced_responses_total", "Answers with tokens and without a known price", "backend", "model"
        )
        self._reported = counter(
            "reported_cost_usd_total", "Cost in US dollars as Claude Code says it", "backend", "model"
        )
        self._retries = counter("retries_total", "Attempts after the first", "backend")
        self._losses = counter(
            "losses_total", "What translations could not carry", "backend", "client_format"
        )
        self._bytes_in = counter("request_body_bytes_total", "Bytes of requests' bodies", "backend")
        self._bytes_out = counter("response_body_bytes_total", "Bytes of answers' bodies", "backend")
        built = Gauge(
            "ccproxy_build_info", "Version of ccproxy and of Python", ("version", "python"), registry=None
        )
        built.labels(ccproxy_version(), platform.python_version()).set(1)
        self.registry.register(built)
        ProcessCollector(registry=self.registry)

    def _count(self, row: Row, error: str | None) -> None:
        try:
            self._count_request(row, error)
            self._count_times(row)
            self._count_usage(row)
        except Exception:
            logger.exception("A request is missing in the metrics.")

    def _count_request(self, row: Row, error: str | None) -> None:
        backend = row.backend or NONE
        status = str(row.status) if row.status and 100 <= row.status <= 599 else NONE
        model = self._model(row)
        self._requests.labels(backend, row.client_format, row.operation, row.mode, status, model).inc()
        if error:
            self._errors.labels(backend, error).inc()
        if row.retries:
            self._retries.labels(backend).inc(row.retries)
        if row.losses:
            self._losses.labels(backend, row.client_format).inc(len(row.losses))
        self._bytes_in.labels(backend).inc(row.bytes_in)
        self._bytes_out.labels(backend).inc(row.bytes_out)

    def _count_times(self, row: Row) -> None:
        which = (row.backend or NONE, row.operation)
        stream = "true" if row.stream else "false"
        if row.duration_ms is not None:
            self._duration.labels(*which, stream).observe(row.duration_ms / 1000)
        if row.first_byte_ms is not None:
            self._first_byte.labels(*which, stream).observe(row.first_byte_ms / 1000)
            if row.stream:
                self._gap.labels(*which).observe(row.longest_gap_ms / 1000)
        if row.first_text_ms is not None:
            self._first_text.labels(*which).observe(row.first_text_ms / 1000)

    def _count_usage(self, row: Row) -> None:
        from ccproxy.records.cost import cost

        labels = (row.backend or NONE, self._model(row))
        for kind, tokens in tokens_of(row).items():
            self._tokens.labels(*labels, kind).inc(tokens)
        if row.reasoning_tokens is not None:
            self._reasoning.labels(*labels).inc(row.reasoning_tokens)
        if row.cost_reported_usd is not None:
            self._reported.labels(*labels).inc(row.cost_reported_usd)
        if (dollars := cost(row)) is not None:
            self._cost.labels(*labels).inc(dollars)
        elif row.tokens_input is not None:
            self._unpriced.labels(*labels).inc()

    def _model(self, row: Row) -> str:
        """The model as a label: only one that has answered, by the upstream's own word."""
        answered = row.status is not None and (200 <= row.status < 300 or row.status == 101)
        model = row.model_served
        if not answered or model is None or not _MODEL.fullmatch(model):
            return OTHER
        if model not in self._models:
            if len(self._models) >= MODELS:
                return OTHER
            self._models.add(model)
        return model


class _Joined(Collector):
    """What is counted, with what was read."""

    def __init__(self, counted: Collector, read: list[Metric]) -> None:
        self._counted, self._read = counted, read

    def collect(self) -> Iterable[Metric]:
        yield from self._counted.collect()
        yield from self._read


def tokens_of(row: Row) -> dict[str, int]:
    """Tokens by type, so that they add up to all; what is not known is missing."""
    cached = (row.cache_read_tokens or 0) + (row.cache_write_tokens or 0)
    types = {
        "input": None if row.tokens_input is None else max(0, row.tokens_input - cached),
        "output": row.tokens_output,
        "cache_read": row.cache_read_tokens,
        "cache_write": row.cache_write_tokens,
    }
    return {kind: tokens for kind, tokens in types.items() if tokens is not None}


def error_of(exchange: Exchange) -> str | None:
    """The error as a label: the code of a failure of ours, one of ERRORS, or OTHER; None if all is well."""
    if exchange.failure:
        return exchange.failure.code
    if exchange.error is None and (exchange.status or 0) < 400:
        return None
    return exchange.error if exchange.error in ERRORS else OTHER
