"""A script as a Chat Completions answer: one object, or chunks.

Both are made from the same parts, so they agree. The chunk grammar: the role first, then deltas, then one
chunk with the finish reason for every choice, then (if asked for) the usage, then `[DONE]`.
"""

import json
from dataclasses import dataclass
from typing import Any

from ccproxy.simulator.delivery import Frame
from ccproxy.simulator.openai.catalogue import Model
from ccproxy.simulator.openai.chat_prompt import forced_name
from ccproxy.simulator.openai.chat_request import ChatRequest
from ccproxy.simulator.openai.deltas import certain_tokens, padding
from ccproxy.simulator.openai.usage import InputTokens
from ccproxy.simulator.script import Script, Text, ToolCall

CREATED = 1_767_323_045
"""Every answer was made at the same time (2026-01-02), so that the same request gets the same bytes."""

FINISH = {
    "end": "stop",
    "stop_sequence": "stop",
    "refusal": "stop",  # the refusal itself is in the message
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "pause_turn": "content_filter",  # no counterpart here: stands in for the reason that has none there
}
TIERS = {"fast": "priority", "priority": "priority", "flex": "flex", "scale": "scale"}


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """What an answer is written from. `call_ids` holds an id for every call of every choice, in order."""

    id: str
    request: ChatRequest
    model: Model
    script: Script
    input: InputTokens
    call_ids: list[list[str]]

    @property
    def texts(self) -> list[str]:
        return [piece for part in self.script.parts if isinstance(part, Text) for piece in part.pieces]

    @property
    def calls(self) -> list[ToolCall]:
        return [part for part in self.script.parts if isinstance(part, ToolCall)]

    @property
    def finish_reason(self) -> str:
        """With a tool forced by name it is `stop`, calls or not (function calling guide)."""
        reason = FINISH[self.script.stop]
        if reason != "tool_calls":
            return reason
        if self.request.functions is not None:
            return "function_call"
        return "stop" if forced_name(self.request) is not None else reason

    @property
    def usage(self) -> dict[str, Any]:
        output = self.script.output_tokens * self.choices
        prompt = {"cached_tokens": self.input.cached, "audio_tokens": 0}
        if self.model.cache_writes:
            prompt["cache_write_tokens"] = self.input.written
        return {
            "prompt_tokens": self.input.total,
            "completion_tokens": output,
            "total_tokens": self.input.total + output,
            "prompt_tokens_details": prompt,
            "completion_tokens_details": {
                "reasoning_tokens": self.script.thinking_tokens * self.choices,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }

    @property
    def choices(self) -> int:
        return self.request.n or 1

    def envelope(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": CREATED,
            "model": self.request.model,
            "service_tier": TIERS.get(self.request.service_tier or "", "default"),
            "system_fingerprint": "fp_simulator",
        }


def to_json(answer: ChatAnswer) -> bytes:
    """The `chat.completion` object."""
    choices = [
        {
            "index": index,
            "message": _message(answer, index),
            "logprobs": _logprobs(answer, answer.texts),
            "finish_reason": answer.finish_reason,
        }
        for index in range(answer.choices)
    ]
    return _dump(answer.envelope("chat.completion") | {"choices": choices, "usage": answer.usage})


def _message(answer: ChatAnswer, index: int) -> dict[str, Any]:
    text = "".join(answer.texts)
    refused = answer.script.stop == "refusal"
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if refused or (answer.calls and not text) else text,
        "refusal": text if refused else None,
        "annotations": [],
    }
    if not answer.calls:
        return message
    if answer.request.functions is not None:
        call = answer.calls[0]
        return message | {"function_call": {"name": call.name, "arguments": call.text}}
    return message | {
        "tool_calls": [_call(call, call_id, call.text) for call, call_id in _numbered(answer, index)]
    }


def _numbered(answer: ChatAnswer, index: int) -> list[tuple[ToolCall, str]]:
    return list(zip(answer.calls, answer.call_ids[index], strict=True))


def _call(call: ToolCall, call_id: str, arguments: str) -> dict[str, Any]:
    if isinstance(call.input, str):
        return {"id": call_id, "type": "custom", "custom": {"name": call.name, "input": arguments}}
    return {"id": call_id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def to_frames(answer: ChatAnswer) -> list[Frame]:
    """The chunks as server-sent events, `[DONE]` included."""
    options = answer.request.stream_options
    with_usage = bool(options and options.include_usage)
    padded = options is None or options.include_obfuscation is not False
    frames = []
    for choices, pause in _deltas(answer):
        chunk = answer.envelope("chat.completion.chunk") | {"choices": choices}
        if with_usage:
            chunk["usage"] = None
        if padded:
            chunk["obfuscation"] = padding(json.dumps(choices))
        frames.append(Frame(sse(chunk), pause))
    if with_usage:
        last = answer.envelope("chat.completion.chunk") | {"choices": [], "usage": answer.usage}
        frames.append(Frame(sse(last | ({"obfuscation": padding("")} if padded else {}))))
    return [*frames, Frame(b"data: [DONE]\n\n")]


def _deltas(answer: ChatAnswer) -> list[tuple[list[dict[str, Any]], float]]:
    """The `choices` of every chunk, and the seconds before it; several choices take turns."""
    found = []
    per_choice = [_deltas_of(answer, index) for index in range(answer.choices)]
    for step in zip(*per_choice, strict=True):
        for index, (delta, pause, logprobs) in enumerate(step):
            choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": None}
            if not delta:
                choice["finish_reason"] = answer.finish_reason
            found.append(([choice], pause))
    return found


def _deltas_of(answer: ChatAnswer, index: int) -> list[tuple[dict[str, Any], float, Any]]:
    """Every delta of one choice; the last one is empty."""
    speaks = answer.texts or not answer.calls
    refused = answer.script.stop == "refusal"
    opening = {"role": "assistant", "content": "" if speaks and not refused else None, "refusal": None}
    found: list[tuple[dict[str, Any], float, Any]] = [(opening, 0.0, None)]
    for piece in answer.texts:
        delta = {"refusal" if refused else "content": piece}
        found.append((delta, answer.script.pause, _logprobs(answer, [piece])))
    for number, (call, call_id) in enumerate(_numbered(answer, index)):
        found += [(delta, 0.0, None) for delta in _call_deltas(answer, number, call, call_id)]
    return [*found, ({}, 0.0, None)]


def _call_deltas(answer: ChatAnswer, number: int, call: ToolCall, call_id: str) -> list[dict[str, Any]]:
    if answer.request.functions is not None:
        first: dict[str, Any] = {"function_call": {"name": call.name, "arguments": ""}}
        return [first, *({"function_call": {"arguments": piece}} for piece in call.pieces)]
    field, inner = ("custom", "input") if isinstance(call.input, str) else ("function", "arguments")
    opening = {"index": number, **_call(call, call_id, "")}
    rest = ({"index": number, field: {inner: piece}} for piece in call.pieces)
    return [{"tool_calls": [fragment]} for fragment in (opening, *rest)]


def _logprobs(answer: ChatAnswer, pieces: list[str]) -> dict[str, Any] | None:
    if not answer.request.logprobs:
        return None
    found = certain_tokens(pieces, alternatives=bool(answer.request.top_logprobs))
    refused = answer.script.stop == "refusal"
    return {"content": None, "refusal": found} if refused else {"content": found, "refusal": None}


def sse(data: dict[str, Any]) -> bytes:
    """A server-sent event without a name, as Chat Completions sends them."""
    return b"data: " + _dump(data) + b"\n\n"


def _dump(data: dict[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
