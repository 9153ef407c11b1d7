"""What a Messages answer says about itself: model, tokens, stop reason (API reference, read 2026-11-22)."""

from typing import Any

import msgspec

from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.usage import COST_FIELD, Usage, count, dollars, special
from ccproxy.formats.sse import ServerSentEvent

FOR_5_MINUTES, FOR_AN_HOUR = "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"
"""How `cache_creation` divides what was written."""


class _Tokens(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens_details: dict[str, Any] | None = None
    cache_creation: Any = None
    service_tier: Any = None
    speed: Any = None
    total_cost_usd: Any = None


class _Message(msgspec.Struct):
    model: str | None = None
    stop_reason: str | None = None
    usage: _Tokens | None = None
    input_tokens: int | None = None
    error: dict[str, Any] | None = None


class _Delta(msgspec.Struct):
    stop_reason: str | None = None


class _Event(msgspec.Struct):
    message: _Message | None = None
    delta: _Delta | None = None
    usage: _Tokens | None = None
    error: dict[str, Any] | None = None


_message = msgspec.json.Decoder(_Message)
_event = msgspec.json.Decoder(_Event)


class UsageReader:
    """Feed it a reply or the events of a stream; it never fails on what it does not know."""

    def __init__(self) -> None:
        self.model: str | None = None
        self.stop_reason: str | None = None
        self.error: str | None = None
        self._tokens = _Tokens()

    @property
    def usage(self) -> Usage:
        tokens = self._tokens
        inputs = (tokens.input_tokens, tokens.cache_creation_input_tokens, tokens.cache_read_input_tokens)
        thinking = (tokens.output_tokens_details or {}).get("thinking_tokens")
        written = tokens.cache_creation if isinstance(tokens.cache_creation, dict) else {}
        return Usage(
            # `input_tokens` leaves both cache figures out
            input=None if tokens.input_tokens is None else sum(n or 0 for n in inputs),
            output=tokens.output_tokens,
            cache_read=tokens.cache_read_input_tokens,
            cache_write=tokens.cache_creation_input_tokens,
            reasoning=thinking if isinstance(thinking, int) else None,
            cost=dollars(tokens.total_cost_usd),
            cache_write_5m=count(written.get(FOR_5_MINUTES)),
            cache_write_1h=count(written.get(FOR_AN_HOUR)),
            tier=special(tokens.speed) or special(tokens.service_tier),
        )

    def take(self, usage: object) -> None:
        """A `usage` object of an answer or an event; what is none is passed over."""
        try:
            self._take_tokens(msgspec.convert(usage, _Tokens))
        except msgspec.ValidationError:
            return

    def reply(self, body: bytes) -> None:
        """A whole JSON body: a message, a token count or an error."""
        try:
            message = _message.decode(body)
        except msgspec.MsgspecError:
            return
        self._take_message(message)
        self._take_error(message.error)
        if message.input_tokens is not None:
            self._tokens.input_tokens = message.input_tokens

    def event(self, event: ServerSentEvent) -> None:
        """One event of a stream."""
        if event.name not in ("message_start", "message_delta", "error"):
            return
        try:
            data = _event.decode(event.data)
        except msgspec.MsgspecError:
            return
        if data.message:
            self._take_message(data.message)
        if data.delta:
            self.stop_reason = data.delta.stop_reason or self.stop_reason
        self._take_tokens(data.usage)
        self._take_error(data.error)

    def _take_message(self, message: _Message) -> None:
        self.model = message.model or self.model
        self.stop_reason = message.stop_reason or self.stop_reason
        self._take_tokens(message.usage)

    def _take_tokens(self, tokens: _Tokens | None) -> None:
        # figures are cumulative: what is present replaces what came before
        for name in _Tokens.__struct_fields__ if tokens else ():
            if (value := getattr(tokens, name)) is not None:
                setattr(self._tokens, name, value)

    def _take_error(self, error: dict[str, Any] | None) -> None:
        if error:
            self.error = str(error.get("type") or "error")


def to_wire(usage: Usage) -> JsonObject:
    """A `usage` object. The four main figures are always there: what is not known is 0."""
    read, written = usage.cache_read or 0, usage.cache_write or 0
    wire: JsonObject = {
        "input_tokens": max(0, (usage.input or 0) - read - written),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": usage.output or 0,
    }
    if usage.reasoning is not None:
        wire["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if usage.cache_write_5m is not None or usage.cache_write_1h is not None:
        wire["cache_creation"] = {
            FOR_5_MINUTES: usage.cache_write_5m or 0,
            FOR_AN_HOUR: usage.cache_write_1h or 0,
        }
    if usage.cost is not None:
        wire[COST_FIELD] = usage.cost
    return wire
