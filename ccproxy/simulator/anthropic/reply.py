"""A script as a Message, or as the events of a stream (Messages API reference, read 2026-11-22)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from ccproxy.simulator.anthropic.caching import PromptTokens
from ccproxy.simulator.anthropic.thinking import sign
from ccproxy.simulator.delivery import Frame
from ccproxy.simulator.script import Script, Stop, Text, Thinking, ToolCall

STOP_REASONS: dict[Stop, str] = {
    "end": "end_turn",
    "tool_use": "tool_use",
    "max_tokens": "max_tokens",
    "stop_sequence": "stop_sequence",
    "refusal": "refusal",
    "pause_turn": "pause_turn",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """Everything an answer is made of. `ids` are those of the tool calls, in order."""

    id: str
    model: str
    script: Script
    prompt: PromptTokens
    ids: tuple[str, ...]
    shows_thinking: bool = True
    counts_thinking: bool = False
    edits_context: bool = False
    speed: str = "standard"

    def usage(self) -> dict[str, Any]:
        return {
            "input_tokens": self.prompt.input,
            "cache_creation_input_tokens": self.prompt.written,
            "cache_read_input_tokens": self.prompt.read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.prompt.written - self.prompt.written_1h,
                "ephemeral_1h_input_tokens": self.prompt.written_1h,
            },
            "output_tokens": self.script.output_tokens,
            "output_tokens_details": {"thinking_tokens": self.script.thinking_tokens},
            "server_tool_use": None,
            "service_tier": "standard",
            "inference_geo": None,
            "speed": self.speed,
        }

    def message(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [block for block, _ in self._blocks()],
            **self._end(),
            "container": None,
            "diagnostics": None,
            **self._context(),
            "usage": self.usage(),
        }

    def frames(self) -> Iterator[Frame]:
        """The events of the stream, each with the pause the script puts before a piece of text."""
        usage = {**self.usage(), "output_tokens": min(1, self.script.output_tokens)}
        del usage["output_tokens_details"]
        start = {**self.message(), "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
        start["stop_details"] = None
        start.pop("context_management", None)
        yield event("message_start", message=start)
        pinged = False
        for index, (block, deltas) in enumerate(self._blocks()):
            yield event("content_block_start", index=index, content_block=_opened(block))
            if not pinged:
                yield event("ping")
                pinged = True
            pause = self.script.pause if block["type"] == "text" else 0.0
            for delta in deltas:
                yield event("content_block_delta", pause, index=index, delta=delta)
            yield event("content_block_stop", index=index)
        final = self.usage()
        kept = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
        usage = {key: final[key] for key in (*kept, "output_tokens_details", "server_tool_use")}
        yield event("message_delta", delta={**self._end(), "container": None}, usage=usage, **self._context())
        yield event("message_stop")

    def _end(self) -> dict[str, Any]:
        refusal = {"type": "refusal", "category": None, "explanation": None}
        return {
            "stop_reason": STOP_REASONS[self.script.stop],
            "stop_sequence": self.script.stop_sequence,
            "stop_details": refusal if self.script.stop == "refusal" else None,
        }

    def _context(self) -> dict[str, Any]:
        return {"context_management": {"applied_edits": []}} if self.edits_context else {}

    def _blocks(self) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """Each content block, complete, and the deltas it is streamed in."""
        block: dict[str, Any]
        ids = iter(self.ids)
        for part in self.script.parts:
            match part:
                case Text():
                    block = {"type": "text", "text": part.text, "citations": None}
                    yield block, [{"type": "text_delta", "text": piece} for piece in part.pieces]
                case Thinking():
                    yield self._thinking(part)
                case ToolCall():
                    block = {"type": "tool_use", "id": next(ids), "name": part.name, "input": part.input}
                    pieces = ("", *part.pieces) if part.input else ("",)
                    yield block, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        if self.script.stop == "pause_turn":
            # What pauses a turn is a server tool that is not done yet.
            query = {"query": "more"}
            block = {"type": "server_tool_use", "id": next(ids), "name": "web_search", "input": query}
            yield block, [{"type": "input_json_delta", "partial_json": msgspec.json.encode(query).decode()}]

    def _thinking(self, part: Thinking) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        shown = part.text if self.shows_thinking else ""
        signature = sign(part.text, shown)
        deltas: list[dict[str, Any]] = []
        for piece in part.pieces if self.shows_thinking else ():
            delta: dict[str, Any] = {"type": "thinking_delta", "thinking": piece}
            if self.counts_thinking:
                delta["estimated_tokens"] = len(piece) // 4
            deltas.append(delta)
        deltas.append({"type": "signature_delta", "signature": signature})
        return {"type": "thinking", "thinking": shown, "signature": signature}, deltas


def event(name: str, pause: float = 0.0, /, **payload: Any) -> Frame:
    data = msgspec.json.encode({"type": name, **payload})
    return Frame(b"event: " + name.encode() + b"\ndata: " + data + b"\n\n", pause)


def error_event(message: str, request_id: str) -> bytes:
    """The event that ends a stream which went wrong."""
    error = {"type": "overloaded_error", "message": message}
    return event("error", error=error, request_id=request_id).data


def _opened(block: dict[str, Any]) -> dict[str, Any]:
    match block["type"]:
        case "text":
            return {"type": "text", "text": ""}
        case "thinking":
            return {"type": "thinking", "thinking": "", "signature": ""}
        case _:
            return {**block, "input": {}}
