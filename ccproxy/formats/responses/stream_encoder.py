"""Neutral events as the stream that a Responses client reads (API reference, read 2026-11-22).

    response.created response.in_progress
    (output_item.added … output_item.done)*
    response.completed | response.incomplete | response.failed

Items follow one another, `output_index` is their order and `sequence_number` has no gaps. Texts in a row are
the parts of one message, which therefore ends only when something else begins.
"""

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
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.usage import Usage
from ccproxy.formats.codec import AnswerTo
from ccproxy.formats.openai_errors import upstream_error_object
from ccproxy.formats.responses.encode_output import CallItem, MessageItem, OutputItem, ReasoningItem
from ccproxy.formats.responses.namespaces import Namespaces
from ccproxy.formats.responses.response import response_object
from ccproxy.formats.responses.stop import incomplete_reason

KEEP_ALIVE = b": keep-alive\n\n"


class ResponsesStreamEncoder:
    """`response` is the object that the stream has told so far, whole after its end."""

    def __init__(self, to: AnswerTo) -> None:
        self.response: JsonObject = {}
        self._to = to
        self._namespaces = Namespaces(to.request.tools)
        self._output: list[JsonObject] = []
        self._usage = Usage()
        self._item: OutputItem | None = None
        self._refused = False
        self._sequence = 0
        self._written: list[bytes] = []

    def feed(self, event: Event) -> bytes:
        match event:
            case Started():
                self._tell("response.created", "in_progress")
                self._tell("response.in_progress", "in_progress")
            case BlockStarted():
                self._begin(event)
            case Delta() if self._item:
                self._write(self._item.add(event.text))
            case Sealed() if isinstance(self._item, ReasoningItem):
                self._item.seal(event.seal)
            case BlockEnded() if self._item:
                self._write(self._item.end_block())
                if isinstance(self._item, ReasoningItem):
                    self._end_item()
                # whether a message or a call is whole, shows what comes next
            case UsageSeen():
                self._usage = event.usage
            case Ping():
                return KEEP_ALIVE
            case Finished():
                self._finish(event)
            case Failed():
                self._fail(event)
        written, self._written = b"".join(self._written), []
        return written

    def _begin(self, block: BlockStarted) -> None:
        self._refused = self._refused or block.kind == "refusal"
        if isinstance(self._item, MessageItem) and block.kind in ("text", "refusal"):
            self._write(self._item.begin_part(block.kind))
            return
        self._end_item()
        number, index = f"{self._to.id}_{len(self._output)}", len(self._output)
        match block.kind:
            case "text" | "refusal":
                self._item = MessageItem(f"msg_{number}", index)
            case "reasoning":
                self._item = ReasoningItem(f"rs_{number}", index)
            case "tool_call":
                self._item = CallItem(number, index, block, self._namespaces.fields(block.name))
        self._write(self._item.begin(block.kind))

    def _end_item(self, status: str = "completed") -> None:
        if self._item:
            self._write(self._item.end(status))
            self._output.append(self._item.value)
            self._item = None

    def _finish(self, event: Finished) -> None:
        # a model that refuses in its own words has answered; only a filter leaves an answer incomplete
        reason = None if self._refused and event.stop == "refusal" else incomplete_reason(event.stop)
        status = "incomplete" if reason else "completed"
        if event.stop == "refusal" and event.explanation and not self._output and not self._item:
            self._begin(BlockStarted("refusal"))
            assert self._item
            self._write([*self._item.add(event.explanation), *self._item.end_block()])
        self._end_item(status)
        self._tell(f"response.{status}", status, incomplete=reason)

    def _fail(self, failed: Failed) -> None:
        error = upstream_error_object(failed)
        if self._sequence:
            code, message = error["code"] or "server_error", failed.message
            if (
                code == "rate_limit_exceeded"
                and failed.retry_after is not None
                and "try again in" not in message
            ):
                # Codex reads from these words how long to wait
                message = f"{message} Please try again in {failed.retry_after:g}s."
            self._tell("response.failed", "failed", {"code": code, "message": message})
        else:
            self._write([{**error, "type": "error", "error": error}])

    def _tell(
        self, kind: str, status: str, error: JsonObject | None = None, incomplete: str | None = None
    ) -> None:
        self.response = response_object(self._to, status, list(self._output), self._usage, error, incomplete)
        self._write([{"type": kind, "response": self.response}])

    def _write(self, events: list[JsonObject]) -> None:
        for event in events:
            numbered = {"type": event["type"], "sequence_number": self._sequence, **event}
            self._sequence += 1
            data = msgspec.json.encode(numbered)
            self._written.append(b"event: %s\ndata: %s\n\n" % (event["type"].encode(), data))
