"""Why an answer ended, in Anthropic's words and in ours (stop reasons guide, read 2026-11-22)."""

from ccproxy.conversation.events import StopReason

_OURS: dict[str, StopReason] = {
    "end_turn": "end",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "model_context_window_exceeded": "context",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "refusal": "refusal",
    "compaction": "compaction",
}
_THEIRS = {ours: theirs for theirs, ours in _OURS.items()}


def decode(reason: str | None, calls: bool) -> StopReason | None:
    """None for a reason that we do not know. `calls`: the answer calls tools, whatever its reason says."""
    stop = _OURS.get(reason or "end_turn")
    if stop in ("end", "tool_calls"):
        return "tool_calls" if calls else "end"
    return stop


def encode(stop: StopReason) -> str:
    return _THEIRS[stop]
