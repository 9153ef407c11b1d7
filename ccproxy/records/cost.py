"""What an answer costs in US dollars at the providers' list prices.

The prices, by cache class, service tier, length of the prompt and date, come with genai-prices and are read
from the installed package; nothing is fetched. For who pays by subscription it is what the same would have
cost by API key.
"""

import functools
from datetime import UTC, datetime

# the table takes a third of a second to load, which is not for the first row to wait for
import genai_prices.data  # noqa: F401
from genai_prices import Usage, calc_price

from ccproxy.records.row import Row

PROVIDERS = {"api": "anthropic", "sdk": "anthropic", "openai": "openai", "codex": "openai"}
"""Whose prices count for what a backend answers."""

HOSTS = {"api.anthropic.com": "anthropic", "api.openai.com": "openai", "chatgpt.com": "openai"}
"""The same for what is only observed on its way to a host."""


def cost(row: Row) -> float | None:
    """Dollars of one answer; None for a model that is not in the table, and where no tokens are known."""
    provider = PROVIDERS.get(row.backend or "") or HOSTS.get((row.upstream or "").partition(":")[0])
    model = row.model_served or row.model_sent or row.model_requested
    if provider is None or model is None or row.tokens_input is None:
        return None
    if not is_priced(model, provider):
        return None
    tokens = (
        row.tokens_input,
        row.tokens_output or 0,
        row.cache_read_tokens or 0,
        row.cache_write_tokens or 0,
        row.cache_write_1h_tokens or 0,
    )
    return _priced(provider, model, row.started_at.replace(tzinfo=UTC), row.service_tier, tokens)


@functools.lru_cache(maxsize=256)
def _priced(
    provider: str, model: str, when: datetime, tier: str | None, tokens: tuple[int, int, int, int, int]
) -> float | None:
    """Remembered, because the log and the metrics ask for the same answers, and it takes 70 µs."""
    # as in our own figures, the input has the cache in it, and the cache writes have those for an hour
    names = (
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "cache_write_1h_tokens",
    )
    usage = Usage(**dict(zip(names, tokens, strict=True)))
    chosen = context(provider, tier)
    try:
        price = calc_price(
            usage, model, provider_id=provider, genai_request_timestamp=when, price_context=chosen
        )
    except ValueError:
        # figures that contradict each other, such as more tokens from the cache than there are in all
        return None
    return round(float(price.total_price), 10)


@functools.lru_cache(maxsize=1024)
def is_priced(model: str, provider: str) -> bool:
    """Whether the table has the model; clients may name any, so answers are remembered."""
    try:
        calc_price(Usage(), model, provider_id=provider)
    except LookupError:
        return False
    return True


def context(provider: str, tier: str | None) -> dict[str, str]:
    """What selects prices other than the usual ones, in the words of genai-prices (0.2.3)."""
    if tier is None:
        return {}
    if tier == "batch":
        return {"processing": "batch"}
    return {"speed": tier} if provider == "anthropic" else {"service_tier": tier}
