"""Why an answer ended: `finish_reason` and its neutral names (API reference, read 2026-11-22)."""

from ccproxy.conversation.events import StopReason

_NEUTRAL: dict[str, StopReason] = {
    "stop": "end",
    "steered": "end",
    "length": "length",
    # Mistral's name for a full context
    "model_length": "context",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "refusal",
}

_FINISH: dict[StopReason, str] = {
    "end": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "context": "length",
    "tool_calls": "tool_calls",
    "pause": "stop",
    "refusal": "content_filter",
    "compaction": "stop",
}


def stop_reason(finish: str, called: bool, refused: bool) -> StopReason | None:
    """What a `finish_reason` means, None when it is unknown.

    Servers contradict themselves: `stop` after tool calls and `tool_calls` without any are put right.
    """
    stop = _NEUTRAL.get(finish)
    if stop not in ("end", "tool_calls"):
        return stop
    if called:
        return "tool_calls"
    return "refusal" if refused else "end"


def finish_reason(stop: StopReason, called: bool) -> str:
    """`stop` for an answer that has tool calls becomes `tool_calls`, and the reverse."""
    if stop in ("end", "tool_calls"):
        return "tool_calls" if called else "stop"
    return _FINISH[stop]
