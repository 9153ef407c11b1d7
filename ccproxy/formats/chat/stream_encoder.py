"""Events as the stream of chunks that a client reads (API reference, streaming, read 2026-11-22)."""

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
from ccproxy.formats.chat import reasoning
from ccproxy.formats.chat.answer import answer_id, refusal_of, wants_function_call
from ccproxy.formats.chat.stop import finish_reason
from ccproxy.formats.chat.tokens import write_usage
from ccproxy.formats.chat.upstream_errors import encode_error
from ccproxy.formats.codec import AnswerTo

_DONE = b"data: [DONE]\n\n"
_PING = b": ping\n\n"


class StreamEncoder:
    """One chunk for each event that says something; the role first, the usage only for who asked."""

    def __init__(self, to: AnswerTo) -> None:
        self._to = to
        self._include_usage = to.request.params.include_usage
        self._as_function = wants_function_call(to)
        self._block = BlockStarted("text")
        self._text: list[str] = []
        self._calls = 0
        self._seals = 0
        self._has_said = False
        self._usage = Usage()

    def feed(self, event: Event) -> bytes:
        match event:
            case Started():
                return self._delta({"role": "assistant", "content": "", "refusal": None})
            case BlockStarted():
                self._block, self._text = event, []
                return self._call_started(event) if event.kind == "tool_call" else b""
            case Delta():
                return self._more(event.text)
            case Sealed():
                return self._sealed(event)
            case BlockEnded():
                return self._block_ended()
            case UsageSeen():
                self._usage = event.usage
                return b""
            case Finished():
                return self._finished(event)
            case Ping():
                return _PING
            case Failed():
                # the official SDK raises what stands under a truthy `error`; no [DONE] follows
                return b"data: %s\n\n" % encode_error(event, "")

    def _call_started(self, call: BlockStarted) -> bytes:
        self._calls += 1
        if self._as_function:
            return self._function({"name": call.name, "arguments": ""})
        if call.custom:
            body = {"type": "custom", "custom": {"name": call.name, "input": ""}}
        else:
            body = {"type": "function", "function": {"name": call.name, "arguments": ""}}
        return self._delta({"tool_calls": [{"index": self._calls - 1, "id": call.id, **body}]})

    def _more(self, text: str) -> bytes:
        is_first = not self._text
        self._text.append(text)
        match self._block.kind:
            case "tool_call":
                return self._arguments(text)
            case "reasoning" if self._to.reasoning == "reasoning_content":
                return self._delta({"reasoning_content": text})
            case "reasoning":
                tag = reasoning.OPEN_TAG if is_first else ""
                return self._delta({"content": tag + text}) if self._to.reasoning == "tags" else b""
            case kind:
                self._has_said = True
                return self._delta({"refusal" if kind == "refusal" else "content": text})

    def _arguments(self, text: str) -> bytes:
        if self._as_function:
            return self._function({"arguments": text})
        body = {"custom": {"input": text}} if self._block.custom else {"function": {"arguments": text}}
        return self._delta({"tool_calls": [{"index": self._calls - 1, **body}]})

    def _function(self, function: JsonObject) -> bytes:
        # the deprecated form has room for one call
        return self._delta({"function_call": function}) if self._calls == 1 else b""

    def _sealed(self, event: Sealed) -> bytes:
        if self._to.reasoning != "reasoning_content":
            return b""
        self._seals += 1
        detail = reasoning.detail(event.seal, "".join(self._text), self._seals - 1)
        return self._delta({"reasoning_details": [detail]})

    def _block_ended(self) -> bytes:
        is_empty = not self._text
        if self._block.kind == "tool_call" and is_empty and not self._block.custom:
            return self._arguments("{}")
        if self._block.kind == "reasoning" and not is_empty and self._to.reasoning == "tags":
            return self._delta({"content": reasoning.CLOSE_TAG})
        return b""

    def _finished(self, event: Finished) -> bytes:
        refusal = refusal_of(event.stop, event.explanation, self._has_said)
        finish = finish_reason(event.stop, self._calls > 0)
        if finish == "tool_calls" and self._as_function:
            finish = "function_call"
        choice: JsonObject = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": finish}
        if event.stop_sequence is not None:
            choice["stop_sequence"] = event.stop_sequence
        usage = write_usage(self._usage) if self._include_usage else None
        return b"".join(
            [
                self._delta({"refusal": refusal}) if refusal else b"",
                self._chunk([choice]),
                self._chunk([], usage) if usage else b"",
                _DONE,
            ]
        )

    def _delta(self, delta: JsonObject) -> bytes:
        return self._chunk([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}])

    def _chunk(self, choices: list[JsonObject], usage: JsonObject | None = None) -> bytes:
        chunk: JsonObject = {
            "id": answer_id(self._to),
            "object": "chat.completion.chunk",
            "created": self._to.created,
            "model": self._to.model,
            "choices": choices,
        }
        if self._include_usage:
            chunk["usage"] = usage
        return b"data: %s\n\n" % msgspec.json.encode(chunk)
