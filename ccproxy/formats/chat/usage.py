"""What a Chat Completions answer says about itself (API reference, read 2026-11-22)."""

from typing import Any

import msgspec

from ccproxy.conversation.usage import Usage, dollars, special
from ccproxy.formats.sse import ServerSentEvent


class _Tokens(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: dict[str, Any] | None = None
    completion_tokens_details: dict[str, Any] | None = None
    total_cost_usd: Any = None


class _Choice(msgspec.Struct):
    finish_reason: str | None = None


class _Completion(msgspec.Struct):
    model: str | None = None
    service_tier: Any = None
    choices: list[_Choice] | None = None
    usage: _Tokens | None = None
    error: dict[str, Any] | None = None


_completion = msgspec.json.Decoder(_Completion)


class UsageReader:
    """Feed it a reply or the chunks of a stream; it never fails on what it does not know."""

    def __init__(self) -> None:
        self.model: str | None = None
        self.stop_reason: str | None = None
        self.error: str | None = None
        self.usage = Usage()

    def reply(self, body: bytes | str) -> None:
        """A whole JSON body, or one chunk: the fields that matter have the same names in both."""
        try:
            completion = _completion.decode(body)
        except msgspec.MsgspecError:
            return
        self.model = completion.model or self.model
        for choice in completion.choices or ():
            self.stop_reason = choice.finish_reason or self.stop_reason
        if tokens := completion.usage:
            prompt, details = tokens.prompt_tokens_details or {}, tokens.completion_tokens_details or {}
            self.usage = Usage(
                input=tokens.prompt_tokens,
                output=tokens.completion_tokens,
                cache_read=prompt.get("cached_tokens"),
                cache_write=prompt.get("cache_write_tokens"),
                reasoning=details.get("reasoning_tokens"),
                cost=dollars(tokens.total_cost_usd),
                tier=special(completion.service_tier),
            )
        if completion.error:
            self.error = str(completion.error.get("code") or completion.error.get("type") or "error")

    def event(self, event: ServerSentEvent) -> None:
        """One event of a stream."""
        # deltas are many and say nothing of this; decoding each would cost more than forwarding it
        if '"usage":null' in event.data and '"finish_reason":null' in event.data and self.model:
            return
        if event.data != "[DONE]":
            self.reply(event.data)
