"""Events as the stream of a Messages answer (streaming guide, read 2026-11-22)."""

import msgspec

from ccproxy.conversation.events import (
    BlockEnded,
    BlockStarted,
    Delta,
    Event,
    Failed,
    Finished,
    Ping,
    Sealed,
    Started,
    UsageSeen,
)
from ccproxy.conversation.parts import JsonObject, Seal
from ccproxy.conversation.usage import Usage
from ccproxy.formats.anthropic.reply import ending, message, shows_reasoning, signature
from ccproxy.formats.anthropic.upstream_errors import error_event
from ccproxy.formats.anthropic.usage import to_wire
from ccproxy.formats.arguments import wrap_input
from ccproxy.formats.codec import AnswerTo
from ccproxy.formats.names import wire_id


class MessagesStreamEncoder:
    """One answer to one client.

    Blocks begin on the wire with their first content: a block that stays empty is never seen, since a client
    that sends it back would be refused. Only tool calls are shown at once.
    """

    def __init__(self, to: AnswerTo) -> None:
        self._to = to
        self._usage = Usage()
        self._next = 0
        self._block = BlockStarted("text")
        self._is_open = False
        self._text: list[str] = []
        self._seal: Seal | None = None

    def feed(self, event: Event) -> bytes:
        match event:
            case Started():
                return _event("message_start", message=message(self._to, self._usage))
            case Ping():
                return _event("ping")
            case BlockStarted():
                return self._begin(event)
            case Delta():
                return self._delta(event.text)
            case Sealed():
                self._seal = event.seal
            case BlockEnded():
                return self._end()
            case UsageSeen():
                self._usage = event.usage
            case Finished():
                delta = ending(event.stop, event.stop_sequence, event.explanation)
                last = _event("message_delta", delta=delta, usage=to_wire(self._usage))
                return last + _event("message_stop")
            case Failed():
                return error_event(event)
        return b""

    def _begin(self, block: BlockStarted) -> bytes:
        self._block, self._text, self._seal = block, [], None
        return self._open(_tool_use(block)) if block.kind == "tool_call" else b""

    def _delta(self, text: str) -> bytes:
        self._text.append(text)
        match self._block.kind:
            case "reasoning":
                return self._think(text)
            case "tool_call":
                return b"" if self._block.custom else self._say("input_json_delta", partial_json=text)
        return self._write(text)

    def _write(self, text: str) -> bytes:
        """Text waits until there is more to it than white space: a blank block could not come back."""
        if self._is_open:
            return self._say("text_delta", text=text)
        whole = "".join(self._text)
        if not whole.strip():
            return b""
        return self._open({"type": "text", "text": ""}) + self._say("text_delta", text=whole)

    def _think(self, text: str) -> bytes:
        if not shows_reasoning(self._to):
            return b""
        start = b"" if self._is_open else self._open(_THINKING)
        return start + self._say("thinking_delta", thinking=text)

    def _end(self) -> bytes:
        text = "".join(self._text)
        if self._block.kind == "reasoning":
            return self._end_thinking(text)
        if self._block.kind == "tool_call" and self._block.custom:
            return self._say("input_json_delta", partial_json=wrap_input(text)) + self._close()
        return self._close() if self._is_open else b""

    def _end_thinking(self, text: str) -> bytes:
        seal = self._seal
        if not self._is_open and (seal is None or not shows_reasoning(self._to)):
            return b""
        if seal and seal.redacted and not self._is_open:
            return self._open({"type": "redacted_thinking", "data": seal.value}) + self._close()
        start = b"" if self._is_open else self._open(_THINKING)
        return start + self._say("signature_delta", signature=signature(text, seal)) + self._close()

    def _open(self, block: JsonObject) -> bytes:
        self._is_open = True
        return _event("content_block_start", index=self._next, content_block=block)

    def _say(self, kind: str, **delta: str) -> bytes:
        return _event("content_block_delta", index=self._next, delta={"type": kind, **delta})

    def _close(self) -> bytes:
        stop = _event("content_block_stop", index=self._next)
        self._is_open = False
        self._next += 1
        return stop


_THINKING: JsonObject = {"type": "thinking", "thinking": "", "signature": ""}


def stream_encoder(to: AnswerTo) -> MessagesStreamEncoder:
    return MessagesStreamEncoder(to)


def _tool_use(block: BlockStarted) -> JsonObject:
    return {"type": "tool_use", "id": wire_id(block.id), "name": block.name, "input": {}}


def _event(name: str, **fields: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode({"type": name, **fields}))
