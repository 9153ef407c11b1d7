"""Streams put together again, as far as they came: from their events to the JSON that a whole answer is.

The codecs do this for translation and refuse what breaks off; here every piece is kept, known or not.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.inspector.layout import as_object, items, mapping, string

ENDS = ("response.completed", "response.done", "response.incomplete", "response.failed", "response.cancelled")
"""Events with which a Responses stream ends well or not (Responses reference, read 2026-11-22)."""


@dataclass(slots=True)
class Collected:
    """An answer out of a stream; `error` is what its error event said, `ended` whether it came to an end."""

    answer: JsonObject = field(default_factory=dict)
    error: object = None
    ended: bool = False


class _Taker(Protocol):
    whole: Collected

    def event(self, event: JsonObject) -> None: ...

    def end(self) -> Collected: ...


def collected(wire: Wire, events: Iterable[str]) -> Collected:
    """The answer that these events tell, each the data of a server-sent event or a WebSocket frame."""
    takers: dict[Wire, type[_Taker]] = {"anthropic": _Messages, "chat": _Chat, "responses": _Responses}
    take = takers[wire]()
    for data in events:
        if data.strip() == "[DONE]":
            take.whole.ended = True
        elif (event := as_object(data)) is not None:
            take.event(event)
    return take.end()


class _Messages:
    def __init__(self) -> None:
        self.whole = Collected()
        self._blocks: dict[int, JsonObject] = {}
        self._inputs: dict[int, str] = {}

    def event(self, event: JsonObject) -> None:
        index = _index(event.get("index"))
        match event.get("type"):
            case "message_start":
                self.whole.answer = dict(mapping(event.get("message")))
            case "content_block_start":
                self._blocks[index] = dict(mapping(event.get("content_block")))
            case "content_block_delta":
                self._delta(index, mapping(event.get("delta")))
            case "message_delta":
                answer = self.whole.answer
                answer.update(mapping(event.get("delta")))
                # figures are cumulative: what is present replaces what came before
                answer["usage"] = {**mapping(answer.get("usage")), **mapping(event.get("usage"))}
            case "message_stop":
                self.whole.ended = True
            case "error":
                self.whole.error = event.get("error")

    def _delta(self, index: int, delta: JsonObject) -> None:
        block = self._blocks.setdefault(index, {"type": "text"})
        for name, value in delta.items():
            if name == "partial_json":
                self._inputs[index] = self._inputs.get(index, "") + string(value)
            elif name == "citation":
                block["citations"] = [*items(block.get("citations")), value]
            elif name != "type":
                _append(block, name, value)

    def end(self) -> Collected:
        for index, written in self._inputs.items():
            # arguments that were cut short stay as they came
            self._blocks.setdefault(index, {})["input"] = as_object(written) or written
        self.whole.answer["content"] = [block for _, block in sorted(self._blocks.items())]
        return self.whole


class _Chat:
    def __init__(self) -> None:
        self.whole = Collected()
        self._choices: dict[int, JsonObject] = {}

    def event(self, chunk: JsonObject) -> None:
        if chunk.get("error"):
            self.whole.error = chunk["error"]
        for name, value in chunk.items():
            if name not in ("choices", "object") and value is not None:
                self.whole.answer[name] = value
        for choice in items(chunk.get("choices")):
            self._choice(mapping(choice))

    def _choice(self, choice: JsonObject) -> None:
        index = _index(choice.get("index"))
        kept = self._choices.setdefault(index, {"index": index, "message": {}})
        if choice.get("finish_reason"):
            kept["finish_reason"] = choice["finish_reason"]
        message = kept["message"]
        for name, value in mapping(choice.get("delta")).items():
            if name == "tool_calls":
                for call in items(value):
                    self._call(message.setdefault("tool_calls", {}), mapping(call))
            elif name == "function_call":
                _extend(message, name, value)
            elif name == "role":
                message[name] = value
            elif name == "content" and isinstance(value, list):
                # some servers give text as parts
                _append(message, name, "".join(string(mapping(part).get("text")) for part in value))
            else:
                _append(message, name, value)

    def _call(self, calls: dict[int, JsonObject], delta: JsonObject) -> None:
        call = calls.setdefault(_slot(calls, delta), {})
        for name, value in delta.items():
            if name in ("function", "custom"):
                _extend(call, name, value)
            elif value is not None and name != "index":
                call[name] = value

    def end(self) -> Collected:
        choices = [choice for _, choice in sorted(self._choices.items())]
        for choice in choices:
            if calls := choice["message"].get("tool_calls"):
                choice["message"]["tool_calls"] = [call for _, call in sorted(calls.items())]
        self.whole.answer["choices"] = choices
        return self.whole


def _slot(calls: dict[int, JsonObject], delta: JsonObject) -> int:
    """Which call a piece belongs to; some servers number every call 0, or none, and give each an id."""
    index = delta.get("index")
    slot = _index(index) if index is not None else max(calls, default=0)
    known = calls.get(slot, {}).get("id")
    return len(calls) if known and delta.get("id") and delta["id"] != known else slot


class _Responses:
    def __init__(self) -> None:
        self.whole = Collected()
        self._items: dict[int, JsonObject] = {}
        self._done: set[int] = set()

    def event(self, event: JsonObject) -> None:
        kind, index = string(event.get("type")), _index(event.get("output_index"))
        if kind == "response.output_item.done":
            # a server that numbers every item 0 still tells each
            index = len(self._items) if index in self._done else index
            self._items[index] = dict(mapping(event.get("item")))
            self._done.add(index)
        elif kind == "response.output_item.added":
            self._items.setdefault(index, dict(mapping(event.get("item"))))
        elif kind == "error":
            self.whole.error = event.get("error") or event
        elif isinstance(response := event.get("response"), dict):
            self.whole.answer = response
            self.whole.ended = self.whole.ended or kind in ENDS
        elif kind.endswith(".delta") and index not in self._done:
            self._delta(kind.removeprefix("response."), self._items.setdefault(index, {}), event)

    def _delta(self, kind: str, item: JsonObject, event: JsonObject) -> None:
        piece = event.get("delta")
        match kind:
            case "output_text.delta":
                item.setdefault("type", "message")
                _append(_part(item, "content", event.get("content_index"), "output_text"), "text", piece)
            case "refusal.delta":
                item.setdefault("type", "message")
                _append(_part(item, "content", event.get("content_index"), "refusal"), "refusal", piece)
            case "reasoning_text.delta":
                item.setdefault("type", "reasoning")
                _append(_part(item, "content", event.get("content_index"), "reasoning_text"), "text", piece)
            case "reasoning_summary_text.delta":
                item.setdefault("type", "reasoning")
                _append(_part(item, "summary", event.get("summary_index"), "summary_text"), "text", piece)
            case "function_call_arguments.delta":
                item.setdefault("type", "function_call")
                _append(item, "arguments", piece)
            case "custom_tool_call_input.delta":
                item.setdefault("type", "custom_tool_call")
                _append(item, "input", piece)

    def end(self) -> Collected:
        output = [item for _, item in sorted(self._items.items())]
        if not self.whole.answer.get("output"):
            # a ChatGPT plan's backend leaves it empty
            self.whole.answer = {**self.whole.answer, "output": output}
        return self.whole


def _part(item: JsonObject, name: str, index: object, kind: str) -> JsonObject:
    """A part of an item, made when it is new; an index that leaves a gap means the next one."""
    parts = item[name] = items(item.get(name))
    at = _index(index)
    if at >= len(parts):
        parts.append({"type": kind})
        at = len(parts) - 1
    if not isinstance(parts[at], dict):
        parts[at] = {"type": kind}
    part: JsonObject = parts[at]
    return part


def _append(target: dict[str, Any], name: str, piece: object) -> None:
    """Add a piece: texts and lists grow, anything else replaces what was there."""
    if isinstance(piece, str):
        target[name] = string(target.get(name)) + piece
    elif isinstance(piece, list):
        target[name] = items(target.get(name)) + piece
    elif piece is not None:
        target[name] = piece


def _extend(target: JsonObject, name: str, pieces: object) -> None:
    """Add the pieces of an object to the one of this name."""
    inner = target[name] = mapping(target.get(name))
    for key, piece in mapping(pieces).items():
        _append(inner, key, piece)


def _index(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
