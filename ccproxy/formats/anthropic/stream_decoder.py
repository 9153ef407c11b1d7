"""The stream of a Messages answer as events (streaming guide, read 2026-11-22)."""

from collections.abc import Iterator
from typing import Any

import msgspec

from ccproxy.conversation.events import (
    Event,
    Failed,
    Finished,
    Ping,
    Started,
    UsageSeen,
)
from ccproxy.formats.anthropic import stop
from ccproxy.formats.anthropic.reply import explanation, unknown_stop
from ccproxy.formats.anthropic.stream_blocks import Block, begun, implied
from ccproxy.formats.anthropic.upstream_errors import failed
from ccproxy.formats.anthropic.usage import UsageReader
from ccproxy.formats.codec import Names
from ccproxy.formats.sse import ServerSentEvent


class MessagesStreamDecoder:
    """Reads what Anthropic's servers say, and forgives what others say in their name.

    Blocks are given one after the other, in the order in which they began: the oldest as it comes, the
    others when it is their turn. A block that only Anthropic knows is passed over.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._id: str | None = None
        self._ended = False
        self._usage = UsageReader()
        self._waiting: list[Block] = []
        self._open: dict[int, Block] = {}
        self._closed: set[int] = set()
        self._calls = False
        self._stop_reason: str | None = None
        self._sequence: str | None = None
        self._explanation: str | None = None

    def feed(self, event: ServerSentEvent) -> Iterator[Event]:
        if self._ended:
            return
        try:
            data = msgspec.json.decode(event.data)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return
        if isinstance(data, dict):
            kind = data.get("type", event.name)
            yield from self._take(kind if isinstance(kind, str) else event.name, data)

    def end(self) -> Iterator[Event]:
        if not self._ended:
            self._ended = True
            yield Failed("api_error", "The upstream's stream ended early.")

    def _take(self, kind: str, data: dict[str, Any]) -> Iterator[Event]:
        match kind:
            case "message_start":
                yield from self._start(data.get("message"))
            case "content_block_start" | "content_block_delta" | "content_block_stop":
                yield from self._start({})
                self._block_event(kind, data)
                yield from self._flush()
            case "message_delta":
                yield from self._start({})
                yield from self._message_delta(data)
            case "message_stop":
                yield from self._start({})
                yield from self._finish()
            case "ping" if self._id is not None:
                yield Ping()
            case "error":
                self._ended = True
                yield failed(data)

    def _start(self, message: object) -> Iterator[Event]:
        """The first of all, even where the upstream forgot it."""
        if self._id is not None:
            return
        said: dict[str, Any] = message if isinstance(message, dict) else {}
        self._id = said["id"] if isinstance(said.get("id"), str) else ""
        yield Started(self._id, said["model"] if isinstance(said.get("model"), str) else "")
        yield from self._usage_of(said)

    def _usage_of(self, said: dict[str, Any]) -> Iterator[Event]:
        if isinstance(said.get("usage"), dict):
            self._usage.take(said["usage"])
            yield UsageSeen(self._usage.usage)

    def _block_event(self, kind: str, data: dict[str, Any]) -> None:
        index = data.get("index")
        if not isinstance(index, int):
            return
        block = self._open.get(index)
        if kind == "content_block_start":
            if block is None:
                self._begin(index, begun(data.get("content_block"), self._names, f"{self._id}.{index}"))
        elif kind == "content_block_delta":
            if block is None and index not in self._closed:
                block = self._begin(index, implied(data.get("delta")))
            if block:
                block.take(data.get("delta"))
        elif block:
            block.close()
            del self._open[index]
            self._closed.add(index)

    def _begin(self, index: int, block: Block | None) -> Block | None:
        if block is None:
            # nor does anybody want what will be said in it
            self._closed.add(index)
            return None
        self._open[index] = block
        self._waiting.append(block)
        self._closed.discard(index)
        self._calls = self._calls or block.is_call
        return block

    def _flush(self) -> Iterator[Event]:
        while self._waiting:
            yield from self._waiting[0].drain()
            if not self._waiting[0].is_over:
                return
            del self._waiting[0]

    def _message_delta(self, data: dict[str, Any]) -> Iterator[Event]:
        yield from self._usage_of(data)
        delta = data.get("delta")
        if not isinstance(delta, dict):
            return
        if isinstance(reason := delta.get("stop_reason"), str):
            self._stop_reason = reason
        if isinstance(sequence := delta.get("stop_sequence"), str):
            self._sequence = sequence
        self._explanation = explanation(delta.get("stop_details")) or self._explanation

    def _finish(self) -> Iterator[Event]:
        for block in self._open.values():
            block.close()
        yield from self._flush()
        self._ended = True
        reason = stop.decode(self._stop_reason, self._calls)
        yield (
            unknown_stop(self._stop_reason)
            if reason is None
            else Finished(reason, self._sequence, self._explanation)
        )


def stream_decoder(names: Names) -> MessagesStreamDecoder:
    return MessagesStreamDecoder(names)
