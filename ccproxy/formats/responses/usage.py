"""What a Responses answer says about itself (API reference, read 2026-11-22)."""

from typing import Any

import msgspec

from ccproxy.conversation.usage import COST_FIELD, Usage, count, dollars, special
from ccproxy.formats.sse import ServerSentEvent


class _Tokens(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: dict[str, Any] | None = None
    output_tokens_details: dict[str, Any] | None = None
    total_cost_usd: Any = None


class _Response(msgspec.Struct):
    model: str | None = None
    service_tier: Any = None
    status: str | None = None
    incomplete_details: dict[str, Any] | None = None
    usage: _Tokens | None = None
    error: dict[str, Any] | None = None


class _Event(msgspec.Struct):
    response: _Response | None = None
    code: str | None = None
    error: dict[str, Any] | None = None


_response = msgspec.json.Decoder(_Response)
_event = msgspec.json.Decoder(_Event)

_TELLING = frozenset(
    ("response.created", "response.completed", "response.incomplete", "response.failed", "error")
)


class UsageReader:
    """Feed it a reply or the events of a stream; it never fails on what it does not know."""

    def __init__(self) -> None:
        self.model: str | None = None
        self.stop_reason: str | None = None
        self.error: str | None = None
        self.usage = Usage()

    def reply(self, body: bytes) -> None:
        """A whole JSON body: a response or an error."""
        try:
            self._take(_response.decode(body))
        except msgspec.MsgspecError:
            return

    def event(self, event: ServerSentEvent) -> None:
        """One event of a stream."""
        if event.name not in _TELLING:
            return
        try:
            data = _event.decode(event.data)
        except msgspec.MsgspecError:
            return
        if data.response:
            self._take(data.response)
        if event.name == "error":
            self.error = data.code or str((data.error or {}).get("code") or "error")

    def _take(self, response: _Response) -> None:
        self.model = response.model or self.model
        if response.status not in (None, "queued", "in_progress"):
            self.stop_reason = str((response.incomplete_details or {}).get("reason") or response.status)
        if tokens := response.usage:
            read, reasoning = tokens.input_tokens_details or {}, tokens.output_tokens_details or {}
            self.usage = Usage(
                input=tokens.input_tokens,
                output=tokens.output_tokens,
                cache_read=read.get("cached_tokens"),
                cache_write=read.get("cache_write_tokens"),
                reasoning=reasoning.get("reasoning_tokens"),
                cost=dollars(tokens.total_cost_usd),
                tier=special(response.service_tier),
            )
        if response.error:
            self.error = str(response.error.get("code") or response.error.get("type") or "error")


def usage_of(tokens: object) -> Usage:
    """The `usage` of a response; figures that are missing or no numbers are None."""
    figures = _mapping(tokens)
    read, reasoning = (
        _mapping(figures.get("input_tokens_details")),
        _mapping(figures.get("output_tokens_details")),
    )
    return Usage(
        input=count(figures.get("input_tokens")),
        output=count(figures.get("output_tokens")),
        cache_read=count(read.get("cached_tokens")),
        cache_write=count(read.get("cache_write_tokens")),
        reasoning=count(reasoning.get("reasoning_tokens")),
        cost=dollars(figures.get(COST_FIELD)),
    )


def usage_object(usage: Usage) -> dict[str, Any] | None:
    """The `usage` of a response, None when the upstream told nothing; the reference asks for all of it."""
    if usage.input is None and usage.output is None:
        return None
    prompt, completion = usage.input or 0, usage.output or 0
    figures: dict[str, Any] = {
        "input_tokens": prompt,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read or 0,
            "cache_write_tokens": usage.cache_write or 0,
        },
        "output_tokens": completion,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning or 0},
        "total_tokens": prompt + completion,
    }
    if usage.cost is not None:
        figures[COST_FIELD] = usage.cost
    return figures


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
