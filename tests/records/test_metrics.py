"""What is counted of exchanges that have ended, and what the page looks like."""

import asyncio
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics

from ccproxy import failures
from ccproxy.conversation.losses import Loss
from ccproxy.conversation.usage import Usage
from ccproxy.records import cost
from ccproxy.records.metrics import BUCKETS, MODELS, Metrics
from tests.support.metrics import busy, counted, exchange, lint, no_readings, page

NOTHING = Usage()


async def test_an_answer() -> None:
    told = await counted(exchange(), exchange())
    assert told.labels("ccproxy_requests_total") == {
        ("api", "anthropic", "reverse", "claude-opus-4-8", "messages", "200")
    }
    assert told.sum("ccproxy_requests_total") == 2
    assert told.sum("ccproxy_errors_total") is None
    assert told.sum("ccproxy_request_body_bytes_total", backend="api") == 100
    assert told.sum("ccproxy_response_body_bytes_total", backend="api") == 120


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("response_duration", 4), ("first_byte", 0.5), ("first_text", 2), ("longest_gap", 0.25)],
)
async def test_times(name: str, seconds: float) -> None:
    told = await counted(exchange())
    assert told.sum(f"ccproxy_{name}_seconds_sum", backend="api", operation="messages") == seconds
    bounds = {float(labels[1]) for labels in told.labels(f"ccproxy_{name}_seconds_bucket")}
    assert bounds == {*BUCKETS, float("inf")}
    assert max(BUCKETS) == 600


async def test_an_answer_in_one_piece_has_no_gap_and_no_first_text() -> None:
    told = await counted(exchange(stream=False, first_text=None, longest_gap=0.0))
    assert told.sum("ccproxy_response_duration_seconds_count", stream="false") == 1
    assert told.sum("ccproxy_first_byte_seconds_count", stream="false") == 1
    assert told.sum("ccproxy_longest_gap_seconds_count") is None
    assert told.sum("ccproxy_first_text_seconds_count") is None


async def test_tokens_are_counted_once() -> None:
    told = await counted(exchange())
    of_type = {
        kind: told.sum("ccproxy_tokens_total", type=kind)
        for kind in ("input", "cache_read", "cache_write", "output")
    }
    assert of_type == {"input": 100, "cache_read": 700, "cache_write": 200, "output": 100}
    assert told.sum("ccproxy_tokens_total") == 1100
    assert told.sum("ccproxy_reasoning_tokens_total") == 30


async def test_tokens_that_nobody_told_are_no_series() -> None:
    told = await counted(exchange(usage=Usage(output=3)), exchange(usage=NOTHING))
    assert told.labels("ccproxy_tokens_total") == {("api", "claude-opus-4-8", "output")}
    assert told.sum("ccproxy_unpriced_responses_total") is None


async def test_a_token_count_uses_none() -> None:
    told = await counted(exchange(operation="count_tokens", usage=Usage(input=50)))
    assert told.sum("ccproxy_requests_total", operation="count_tokens") == 1
    assert told.sum("ccproxy_tokens_total") is None


async def test_cost_by_the_list_and_by_claude_code() -> None:
    told = await counted(
        exchange(usage=Usage(input=1_000_000, output=0)),
        exchange(backend="sdk", usage=Usage(input=10, output=1, cost=0.5)),
        exchange(model_served="nobody-knows-1"),
    )
    assert told.sum("ccproxy_cost_usd_total", backend="api", model="claude-opus-4-8") == pytest.approx(5)
    assert told.sum("ccproxy_reported_cost_usd_total") == 0.5
    assert told.labels("ccproxy_reported_cost_usd_total") == {("sdk", "claude-opus-4-8")}
    assert told.labels("ccproxy_unpriced_responses_total") == {("api", "nobody-knows-1")}


async def test_retries_and_losses() -> None:
    lost = (Loss("top_k", "unknown"), Loss("temperature", "too high", "clamped"))
    told = await counted(exchange(retries=2, losses=lost), exchange())
    assert told.sum("ccproxy_retries_total", backend="api") == 2
    assert told.sum("ccproxy_losses_total", backend="api", client_format="anthropic") == 2


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"failure": failures.upstream_timeout("h", 1), "status": 504}, "upstream_timeout"),
        ({"error": "overloaded_error"}, "overloaded_error"),
        ({"error": "client_disconnected"}, "client_disconnected"),
        ({"error": "Request req_123 of Bob failed", "status": 400}, "other"),
        ({"status": 404}, "other"),
    ],
)
async def test_errors(given: dict[str, Any], error: str) -> None:
    told = await counted(exchange(usage=NOTHING, **given))
    assert told.labels("ccproxy_errors_total") == {("api", error)}


async def test_what_never_had_an_answer() -> None:
    refused = exchange(
        backend=None,
        status=None,
        operation="utility",
        failure=failures.shutting_down(),
        model_served=None,
        first_byte=None,
        usage=NOTHING,
    )
    told = await counted(refused)
    assert told.labels("ccproxy_requests_total") == {
        ("none", "anthropic", "reverse", "other", "utility", "none")
    }
    assert told.sum("ccproxy_first_byte_seconds_count") is None


async def test_what_the_proxy_says_about_itself_is_not_counted() -> None:
    told = await counted(exchange(operation="utility", backend=None))
    assert told.sum("ccproxy_requests_total") is None


@pytest.mark.parametrize(
    ("given", "model"),
    [
        ({}, "claude-opus-4-8"),
        ({"status": 101, "method": "WS"}, "claude-opus-4-8"),
        ({"model_served": "models/gpt-5.5:free@2026"}, "models/gpt-5.5:free@2026"),
        ({"status": 404, "model_requested": "mine"}, "other"),
        ({"model_served": None, "model_requested": "mine", "model_sent": "mine"}, "other"),
        ({"model_served": "tell me a story"}, "other"),
        ({"model_served": "x" * 101}, "other"),
    ],
)
async def test_only_a_model_that_has_answered_is_named(given: dict[str, Any], model: str) -> None:
    told = await counted(exchange(**given))
    assert {labels[3] for labels in told.labels("ccproxy_requests_total")} == {model}
    assert {labels[1] for labels in told.labels("ccproxy_tokens_total")} == {model}


async def test_a_client_that_makes_up_everything_makes_few_series() -> None:
    made = (
        exchange(
            path=f"/x-made-up-{number}",
            route=f"x-made-up-{number}",
            client=f"x-made-up-{number}/1",
            session=f"x-made-up-{number}",
            agent_id=f"x-made-up-{number}",
            model_requested=f"x-made-up-{number}",
            model_served=f"m-{number}",
            upstream=f"x-made-up-{number}",
            error=f"x-made-up-{number}",
            stop_reason=f"x-made-up-{number}",
            losses=(Loss(f"x-made-up-{number}", "why"),),
            status=number,
        )
        for number in [*range(1000), 70_000]
    )
    metrics = Metrics(no_readings)
    for one in made:
        metrics.keep(one)
    content, _ = await metrics.page("")
    told = await page(metrics)
    assert b"made-up" not in content
    models = {labels[1] for labels in told.labels("ccproxy_tokens_total")}
    assert len(models) == MODELS + 1
    statuses = {labels[5] for labels in told.labels("ccproxy_requests_total")}
    assert statuses == {"none", *map(str, range(100, 600))}
    assert told.sum("ccproxy_requests_total") == 1001
    assert told.labels("ccproxy_errors_total") == {("api", "other")}


async def test_the_page_as_text() -> None:
    content, content_type = await busy().page("text/plain;q=0.5, */*;q=0.1")
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert b"_created" not in content
    assert b"# EOF" not in content


async def test_the_page_as_openmetrics() -> None:
    content, content_type = await busy().page("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0; charset=utf-8")
    families = {family.name: family for family in open_metrics(content.decode())}  # type: ignore[no-untyped-call]
    assert families["ccproxy_requests"].type == "counter"
    assert content.endswith(b"# EOF\n")


async def test_promtool_finds_nothing() -> None:
    assert lint(b"# HELP x_total A gauge\n# TYPE x_total gauge\nx_total 1\n")
    content, _ = await busy().page("")
    assert lint(content) == ""


async def test_a_request_that_cannot_be_counted_takes_no_other_with_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics(no_readings)
    with monkeypatch.context() as patch:
        patch.setattr(cost, "cost", lambda row: 1 / 0)
        metrics.keep(exchange())
        await page(metrics)
    assert "missing in the metrics" in caplog.text
    metrics.keep(exchange())
    assert (await page(metrics)).sum("ccproxy_cost_usd_total")


async def test_version_and_process() -> None:
    told = await counted()
    assert told.sum("ccproxy_build_info") == 1
    assert told.sum("process_resident_memory_bytes")


async def test_a_page_does_not_hold_up_the_loop() -> None:
    """Thousands of prices are looked up by another thread, and the page has them all."""
    metrics = Metrics(no_readings)
    for _ in range(1000):
        metrics.keep(exchange())
    asked = asyncio.create_task(page(metrics))
    turns = 0
    while not asked.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 5
    assert (await asked).sum("ccproxy_requests_total") == 1000
