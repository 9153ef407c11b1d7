"""Tokens and dollars of a turn, which may be several messages of the API."""

from typing import Any

from ccproxy.conversation.parts import JsonObject

_COUNTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")


class Spending:
    """Usage per message of the API, by its id: the figures of one message are cumulative."""

    def __init__(self) -> None:
        self._messages: dict[str, JsonObject] = {}

    def take(self, message_id: str, usage: Any) -> None:
        """A `usage` object; what is none is passed over."""
        if isinstance(usage, dict):
            known = self._messages.setdefault(message_id, {})
            known |= {name: value for name, value in usage.items() if value is not None}

    def of(self, message_id: str) -> JsonObject:
        """What is known of one message."""
        return _sum([self._messages.get(message_id, {})])

    def total(self) -> JsonObject:
        """All of them."""
        return _sum(list(self._messages.values()))


def cost(result: JsonObject) -> float | None:
    """What a turn cost in US dollars, by Claude Code's own estimate, sub-agents included; None if it does
    not say.

    `total_cost_usd` of a `result` line counts from the start of the process; newer versions say as well what
    came since the last one (2.1.330).
    """
    models = result.get("model_usage_since_last_result")
    if isinstance(models, dict):
        costs = [model.get("costUSD") for model in models.values() if isinstance(model, dict)]
        # what adding up floats leaves behind is no money
        return round(sum(dollars for one in costs if (dollars := _dollars(one)) is not None), 10)
    return _dollars(result.get("total_cost_usd"))


def _sum(usages: list[JsonObject]) -> JsonObject:
    total: JsonObject = {name: sum(_count(usage.get(name)) for usage in usages) for name in _COUNTS}
    thinking = [
        details for usage in usages if isinstance(details := usage.get("output_tokens_details"), dict)
    ]
    if thinking:
        tokens = sum(_count(details.get("thinking_tokens")) for details in thinking)
        total["output_tokens_details"] = {"thinking_tokens": tokens}
    return total


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _dollars(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
