"""The response object, and the events that carry it (API reference, read 2026-11-22)."""

from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.usage import Usage
from ccproxy.formats.codec import AnswerTo
from ccproxy.formats.responses.usage import usage_object

_DEFAULTS: JsonObject = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}


def response_object(
    to: AnswerTo,
    status: str,
    output: list[JsonObject],
    usage: Usage,
    error: JsonObject | None = None,
    incomplete: str | None = None,
) -> JsonObject:
    """The whole object: what the client asked is repeated, nothing is kept here (`store` is false)."""
    return {
        "id": f"resp_{to.id}",
        "object": "response",
        "created_at": to.created,
        "status": status,
        "background": False,
        "error": error,
        "incomplete_details": {"reason": incomplete} if incomplete else None,
        "model": to.model,
        "output": output,
        "previous_response_id": None,
        **_DEFAULTS,
        **to.request.echo,
        "store": False,
        "usage": usage_object(usage),
    }
