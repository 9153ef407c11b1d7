"""How an answer of the Responses API ended (API reference, read 2026-11-22)."""

from ccproxy.conversation.events import StopReason

_INCOMPLETE: dict[str, StopReason] = {
    "max_output_tokens": "length",
    "max_messages": "length",
    "content_filter": "refusal",
    "steered": "end",
}

_REASONS: dict[StopReason, str] = {
    "length": "max_output_tokens",
    "context": "max_output_tokens",
    "refusal": "content_filter",
}


def of_incomplete(reason: object) -> StopReason:
    """A reason that we do not know cut the answer short all the same."""
    return _INCOMPLETE.get(reason, "length") if isinstance(reason, str) else "length"


def of_completed(called: bool, refused: bool) -> StopReason:
    """The status says no more than that it is over; what was said tells the rest."""
    if called:
        return "tool_calls"
    return "refusal" if refused else "end"


def incomplete_reason(stop: StopReason) -> str | None:
    """Why an answer is incomplete; None when it is complete."""
    return _REASONS.get(stop)
