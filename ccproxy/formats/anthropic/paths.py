"""What a parameter is called in the client's own request, for losses and errors."""

from ccproxy.conversation.parts import Wire

_NAMES: dict[Wire, dict[str, str]] = {
    "anthropic": {
        "stop": "stop_sequences",
        "effort": "output_config.effort",
        "output": "output_config.format",
        "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
        "budget": "thinking.budget_tokens",
        "turns": "messages",
    },
    "chat": {
        "max_tokens": "max_completion_tokens",
        "effort": "reasoning_effort",
        "thinking": "reasoning_effort",
        "budget": "reasoning_effort",
        "output": "response_format",
        "cache_key": "prompt_cache_key",
        "turns": "messages",
    },
    "responses": {
        "max_tokens": "max_output_tokens",
        "effort": "reasoning.effort",
        "thinking": "reasoning",
        "budget": "reasoning.effort",
        "output": "text.format",
        "verbosity": "text.verbosity",
        "cache_key": "prompt_cache_key",
        "turns": "input",
    },
}


def path(wire: Wire, field: str) -> str:
    """The path of a field of `Params`, of `turns`, or of `thinking`; most have the same name everywhere."""
    return _NAMES[wire].get(field, field)
