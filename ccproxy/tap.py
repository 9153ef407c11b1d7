"""The tap: looks at an answer while its bytes pass, and changes none of them."""

import contextlib
import re
from typing import Protocol

from ccproxy.conversation.usage import Usage
from ccproxy.exchange import Exchange
from ccproxy.failures import Failure
from ccproxy.formats import ERRORS
from ccproxy.formats.anthropic.usage import UsageReader as AnthropicUsage
from ccproxy.formats.chat.usage import UsageReader as ChatUsage
from ccproxy.formats.decompress import Decode, UnknownEncodingError, decoder
from ccproxy.formats.responses.usage import UsageReader as ResponsesUsage
from ccproxy.formats.sse import Reader, ServerSentEvent

LONGEST_REPLY = 8 * 2**20
"""Bytes of a JSON reply that are kept to read its usage; a longer one passes unread."""

_TEXT = re.compile(r'"text_delta"|"response\.output_text\.delta"|"delta"\s*:\s*\{[^{}]*"content"\s*:\s*"[^"]')
"""What an event with a piece of text has and others have not, in any of the formats."""


class UsageReader(Protocol):
    """What each format's reader offers."""

    model: str | None
    stop_reason: str | None
    error: str | None

    @property
    def usage(self) -> Usage: ...

    def reply(self, body: bytes) -> None: ...

    def event(self, event: ServerSentEvent) -> None: ...


READERS: dict[str, type[UsageReader]] = {
    "anthropic": AnthropicUsage,
    "chat": ChatUsage,
    "responses": ResponsesUsage,
}


class Tap:
    """A stream callable: gives back the bytes it gets, and notes on the Exchange what they say.

    With `keep` it also keeps them, up to LONGEST_REPLY bytes, for a tool that shows them.
    """

    def __init__(self, exchange: Exchange, *, sse: bool, encoding: str, keep: bool = False) -> None:
        self._exchange = exchange
        spoken = exchange.upstream_format or exchange.client_format
        self._reader = READERS[spoken]() if spoken in READERS else None
        self._events = Reader() if sse else None
        self._plain = encoding.strip().lower() in ("", "identity")
        self._reply = bytearray()
        self._kept = bytearray() if keep else None
        self._tail = b""
        try:
            self._decode: Decode | None = decoder(encoding)
        except UnknownEncodingError:
            self._decode = None

    def __call__(self, data: bytes) -> bytes:
        if data:
            self.count(data)
            self._look(data)
        return data

    def count(self, data: bytes) -> None:
        """Note bytes that pass; who calls this reads the stream, and gives its events to `event`."""
        self._exchange.saw_bytes(len(data))
        self._tail = (self._tail + data[-4:])[-4:]
        if self._kept is not None and len(self._kept) <= LONGEST_REPLY:
            self._kept += data

    def event(self, event: ServerSentEvent) -> None:
        """Note what an event of the upstream's says."""
        if self._reader is None:
            return
        self._note_text(event)
        with contextlib.suppress(ValueError, RecursionError):
            self._reader.event(event)

    @property
    def kept(self) -> bytes | None:
        """All the bytes that passed, or None when they were not kept or are too many."""
        if self._kept is None or len(self._kept) > LONGEST_REPLY:
            return None
        return bytes(self._kept)

    @property
    def between_events(self) -> bool:
        """Whether an event of our own could follow what has passed: a plain event stream, at a blank line."""
        if self._events is None or not self._plain:
            return False
        return not self._tail or self._tail.endswith((b"\n\n", b"\r\n\r\n", b"\r\r"))

    def closing(self, failure: Failure, request_id: str) -> list[bytes]:
        """What may follow to say that the stream has failed; nothing in the middle of something."""
        return self.error_event(failure, request_id) if self.between_events else []

    def error_event(self, failure: Failure, request_id: str) -> list[bytes]:
        """The event of the client's format that says so."""
        return [ERRORS[self._exchange.client_format].event(failure, request_id)]

    def finish(self) -> None:
        """Write down what was seen. To be called once, however the answer ended."""
        if self._reader is None:
            return
        if self._reply and len(self._reply) <= LONGEST_REPLY:
            with contextlib.suppress(RecursionError):
                self._reader.reply(bytes(self._reply))
        exchange = self._exchange
        exchange.model_served = self._reader.model
        exchange.stop_reason = self._reader.stop_reason
        exchange.usage = self._reader.usage
        exchange.error = exchange.error or self._reader.error

    def _note_text(self, event: ServerSentEvent) -> None:
        """Note when the answer began to speak; until then it may have thought."""
        exchange = self._exchange
        if exchange.first_text is None and _TEXT.search(event.data):
            exchange.first_text = exchange.last_byte

    def _look(self, data: bytes) -> None:
        if self._reader is None or self._decode is None:
            return
        try:
            text = self._decode(data)
            if self._events is None:
                if len(self._reply) <= LONGEST_REPLY:
                    self._reply += text
                return
            for event in self._events.feed(text):
                self._note_text(event)
                self._reader.event(event)
        except (ValueError, RecursionError):
            # what we cannot read we do not judge: the bytes go on
            self._decode = None
