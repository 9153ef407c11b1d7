"""Figures worked out by hand from the providers' price pages (read 2026-11-22), dollars per million tokens.

Claude Opus 4.8: input 5, output 25, cache read 0.50, cache write 6.25 (five minutes) and 10 (an hour), fast
mode input 10, output 50. GPT-5.5: input 5, output 30, cached input 0.50, all but the output twice and that
1.5 times beyond 272 000 tokens; priority input 12.50, cached 1.25, output 75. GPT-5.6 Sol: input 5 until
2026-08-20, 4 since, cache write 5.
"""

import socket
from datetime import datetime
from typing import Any

import pytest

from ccproxy.records.cost import PROVIDERS, context, cost
from ccproxy.routes import BACKENDS
from tests.records.rows import row

CLAUDE: dict[str, Any] = {"backend": "api", "model_served": "claude-opus-4-8"}
GPT: dict[str, Any] = {"backend": "openai", "model_served": "gpt-5.5"}
SOL: dict[str, Any] = {"backend": "openai", "model_served": "gpt-5.6-sol"}


@pytest.mark.parametrize(
    ("given", "dollars"),
    [
        (CLAUDE | {"tokens_input": 1000, "tokens_output": 100}, 1000 * 5e-6 + 100 * 25e-6),
        (
            CLAUDE | {"tokens_input": 10_000, "tokens_output": 100, "cache_read_tokens": 8000},
            2000 * 5e-6 + 8000 * 0.5e-6 + 100 * 25e-6,
        ),
        (
            CLAUDE | {"tokens_input": 10_000, "tokens_output": 0, "cache_write_tokens": 6000},
            4000 * 5e-6 + 6000 * 6.25e-6,
        ),
        (
            CLAUDE
            | {"tokens_input": 10_000, "tokens_output": 0, "cache_read_tokens": 1000}
            | {"cache_write_tokens": 6000, "cache_write_5m_tokens": 2000, "cache_write_1h_tokens": 4000},
            3000 * 5e-6 + 1000 * 0.5e-6 + 2000 * 6.25e-6 + 4000 * 10e-6,
        ),
        (CLAUDE | {"service_tier": "fast"}, 1000 * 10e-6 + 100 * 50e-6),
        (CLAUDE | {"service_tier": "priority"}, 1000 * 5e-6 + 100 * 25e-6),
        (CLAUDE | {"backend": "sdk"}, 1000 * 5e-6 + 100 * 25e-6),
        (CLAUDE | {"tokens_output": None}, 1000 * 5e-6),
        (GPT | {"cache_read_tokens": 900}, 100 * 5e-6 + 900 * 0.5e-6 + 100 * 30e-6),
        (GPT | {"cache_read_tokens": 900, "reasoning_tokens": 90}, 100 * 5e-6 + 900 * 0.5e-6 + 100 * 30e-6),
        (GPT | {"tokens_input": 300_000}, 300_000 * 10e-6 + 100 * 45e-6),
        (GPT | {"service_tier": "priority"}, 1000 * 12.5e-6 + 100 * 75e-6),
        (GPT | {"backend": "codex"}, 1000 * 5e-6 + 100 * 30e-6),
        (
            SOL | {"tokens_output": 0, "cache_write_tokens": 600},
            400 * 4e-6 + 600 * 5e-6,
        ),
        (SOL | {"tokens_output": 0, "started_at": datetime(2026, 8, 1)}, 1000 * 5e-6),
    ],
)
def test_against_the_price_pages(given: dict[str, Any], dollars: float) -> None:
    assert cost(row(**given)) == pytest.approx(dollars, rel=1e-9)


def test_what_is_observed_is_priced_by_its_host() -> None:
    for upstream, model in (("api.anthropic.com", CLAUDE), ("chatgpt.com:443", GPT), ("api.openai.com", GPT)):
        assert cost(row(**model | {"backend": None, "upstream": upstream})) is not None


@pytest.mark.parametrize(
    "given",
    [
        {"model_served": "a-model-of-my-own"},
        {"model_served": "gpt-5.5"},
        {"model_served": None},
        {"tokens_input": None, "tokens_output": None},
        {"backend": None, "upstream": "llm.example"},
        {"tokens_input": 10, "cache_read_tokens": 20},
    ],
)
def test_what_is_not_known_costs_nothing_that_we_could_say(given: dict[str, Any]) -> None:
    assert cost(row(**given)) is None


def test_the_model_that_was_asked_for_counts_when_none_answers_to_its_name() -> None:
    assert cost(row(model_served=None, model_requested="claude-opus-4-8")) is not None


def test_it_never_fetches_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **named: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert cost(row()) is not None


def test_every_backend_has_a_provider() -> None:
    assert set(PROVIDERS) == set(BACKENDS)


def test_tiers_in_the_words_of_the_table() -> None:
    assert context("anthropic", None) == {}
    assert context("anthropic", "batch") == context("openai", "batch") == {"processing": "batch"}
    assert context("openai", "flex") == {"service_tier": "flex"}
