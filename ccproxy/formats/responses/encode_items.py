"""Turns as the input items of OpenAI's Responses API (API reference, read 2026-11-22)."""

from collections.abc import Iterable

from ccproxy.conversation.losses import Loss
from ccproxy.conversation.parts import (
    JsonObject,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from ccproxy.conversation.request import Turn
from ccproxy.formats.names import Renamer, wire_id
from ccproxy.formats.responses.encode_parts import encode_input, encode_output, unknown


def encode_items(turns: Iterable[Turn], names: Renamer) -> tuple[list[JsonObject], list[Loss]]:
    """The items of turns whose calls are answered in order. Raises RequestError."""
    items: list[JsonObject] = []
    losses: list[Loss] = []
    for turn in turns:
        if turn.role == "assistant":
            items.extend(_Assistant(names, losses, turn.path).items(turn.parts))
        else:
            items.extend(_said_to_it(turn))
    return items, losses


def _said_to_it(turn: Turn) -> list[JsonObject]:
    items: list[JsonObject] = []
    said: list[Part] = []
    for part in turn.parts:
        if isinstance(part, ToolResult):
            items.append(
                {
                    "type": "custom_tool_call_output" if part.custom else "function_call_output",
                    "call_id": wire_id(part.call_id),
                    "output": encode_output(part, turn.path),
                }
            )
        else:
            said.append(part)
    if content := encode_input(said, turn.path):
        # OpenAI's backend for ChatGPT plans refuses the role system; developer says the same everywhere
        role = "user" if turn.role == "user" else "developer"
        items.append({"type": "message", "role": role, "content": content})
    return items


class _Assistant:
    """Keeps reasoning in front of what it led to: without that, neither is taken back."""

    def __init__(self, names: Renamer, losses: list[Loss], path: str) -> None:
        self._names = names
        self._losses = losses
        self._path = path
        self._items: list[JsonObject] = []
        self._content: list[JsonObject] = []
        self._thoughts: list[JsonObject] = []

    def items(self, parts: Iterable[Part]) -> list[JsonObject]:
        for part in parts:
            self._take(part)
        self._end_message()
        return self._items

    def _take(self, part: Part) -> None:
        match part:
            case Text() | Refusal():
                self._say(part)
            case ToolCall():
                self._end_message()
                self._add(self._call(part))
            case Reasoning():
                self._end_message()
                if item := _reasoning(part):
                    self._thoughts.append(item)
            case Opaque(wire="responses"):
                self._content.append(part.value)
            case Opaque():
                raise unknown(part, self._path)
            case _:
                kind = type(part).__name__.lower()
                self._losses.append(Loss(self._path, f"What the assistant said as {kind} was left out."))

    def _say(self, part: Text | Refusal) -> None:
        if isinstance(part, Refusal):
            self._content.append({"type": "refusal", "refusal": part.text})
        elif part.text:
            self._content.append({"type": "output_text", "text": part.text, "annotations": []})

    def _call(self, call: ToolCall) -> JsonObject:
        named = {"call_id": wire_id(call.id), "name": self._names.wire(call.name)}
        if call.custom:
            return {"type": "custom_tool_call", **named, "input": call.arguments}
        return {"type": "function_call", **named, "arguments": call.arguments or "{}"}

    def _end_message(self) -> None:
        if self._content:
            self._add({"type": "message", "role": "assistant", "content": self._content})
            self._content = []

    def _add(self, item: JsonObject) -> None:
        self._items += [*self._thoughts, item]
        self._thoughts = []


def _reasoning(part: Reasoning) -> JsonObject | None:
    """Without its id: OpenAI does not keep what is sent with `store: false`, and refuses an id it lacks."""
    if part.seal is None or part.seal.provider != "openai":
        return None
    summary = [{"type": "summary_text", "text": part.text}] if part.text else []
    return {"type": "reasoning", "summary": summary, "encrypted_content": part.seal.value}
