"""The `usage` object (API reference, read 2026-11-22): `prompt_tokens` has both cache figures in it."""

from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.usage import COST_FIELD, Usage, dollars


def read_usage(value: object) -> Usage | None:
    """The tokens in a `usage` object; None when it is none. A figure of a wrong type counts as not given."""
    if not isinstance(value, dict):
        return None
    prompt, completion = value.get("prompt_tokens_details"), value.get("completion_tokens_details")
    return Usage(
        input=_figure(value, "prompt_tokens"),
        output=_figure(value, "completion_tokens"),
        cache_read=_figure(prompt, "cached_tokens"),
        cache_write=_figure(prompt, "cache_write_tokens"),
        reasoning=_figure(completion, "reasoning_tokens"),
        cost=dollars(value.get(COST_FIELD)),
    )


def write_usage(usage: Usage) -> JsonObject | None:
    """The `usage` object; None when the upstream said nothing, for a guess is worse."""
    if usage.input is None and usage.output is None:
        return None
    tokens_in, tokens_out = usage.input or 0, usage.output or 0
    written: JsonObject = {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
    }
    prompt = {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write}
    if prompt := {name: figure for name, figure in prompt.items() if figure is not None}:
        written["prompt_tokens_details"] = prompt
    if usage.reasoning is not None:
        written["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning}
    if usage.cost is not None:
        written[COST_FIELD] = usage.cost
    return written


def _figure(value: object, name: str) -> int | None:
    figure = value.get(name) if isinstance(value, dict) else None
    return figure if isinstance(figure, int) and not isinstance(figure, bool) and figure >= 0 else None
