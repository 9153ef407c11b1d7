"""What an answer says, in figures and in words: two of them can stand side by side."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.formats.sse import Reader
from ccproxy.inspector import figures
from ccproxy.inspector.layout import as_object, items, mapping, string
from ccproxy.inspector.streams import Collected, collected
from ccproxy.records.cassette import Answer


@dataclass(frozen=True, slots=True)
class Told:
    """One answer. Tokens of the input include the cache; seconds count from the request; None is unknown."""

    status: int
    model: str | None
    text: str
    tool_calls: list[str]
    stop_reason: str | None
    error: str | None
    tokens_input: int | None
    tokens_output: int | None
    cost_usd: float | None
    first_byte: float | None
    took: float | None

    def rows(self) -> list[tuple[str, str]]:
        """The same for people, always in the same rows."""

        def shown(value: object, unit: str = "") -> str:
            return "-" if value in (None, "") else f"{value}{unit}"

        return [
            ("status", shown(self.status)),
            ("model", shown(self.model)),
            ("answer", shown(self.error or self.text)),
            ("tool calls", shown("\n".join(self.tool_calls))),
            ("ended", shown(self.stop_reason)),
            ("tokens in", shown(self.tokens_input)),
            ("tokens out", shown(self.tokens_output)),
            ("cost", "-" if self.cost_usd is None else f"${self.cost_usd:.4f}"),
            ("first byte", shown(self.first_byte, " s")),
            ("took", shown(self.took, " s")),
        ]


def told(wire: Wire, status: int, answer: Answer) -> Told:
    """What an answer in this format says, whole or as a stream."""
    body = "".join(text for _, text in answer)
    whole = _whole(wire, body)
    reader = figures.read(wire, whole.answer)
    error = whole.error or whole.answer.get("error")
    return Told(
        status,
        string(whole.answer.get("model")) or None,
        "".join(_texts(wire, whole.answer)),
        list(_calls(wire, whole.answer)),
        reader.stop_reason,
        string(mapping(error).get("message")) or (str(error) if error else None),
        reader.usage.input,
        reader.usage.output,
        reader.usage.cost,
        round(answer[0][0], 3) if answer else None,
        round(answer[-1][0], 3) if answer else None,
    )


def _whole(wire: Wire, body: str) -> Collected:
    value = as_object(body)
    if value is not None:
        return Collected(value, ended=True)
    return collected(wire, [event.data for event in Reader().feed(body.encode())])


def _texts(wire: Wire, answer: JsonObject) -> Iterator[str]:
    match wire:
        case "anthropic":
            yield from (string(mapping(block).get("text")) for block in items(answer.get("content")))
        case "chat":
            yield from (string(message.get("content")) for message in _messages(answer))
        case "responses":
            for item in map(mapping, items(answer.get("output"))):
                if item.get("type") == "message":
                    yield from (string(mapping(part).get("text")) for part in items(item.get("content")))


def _calls(wire: Wire, answer: JsonObject) -> Iterator[str]:
    """`name arguments` of each tool call."""
    match wire:
        case "anthropic":
            for block in map(mapping, items(answer.get("content"))):
                if string(block.get("type")).endswith("tool_use"):
                    yield f"{block.get('name')} {_json(block.get('input'))}"
        case "chat":
            for message in _messages(answer):
                for call in items(message.get("tool_calls")):
                    function = mapping(mapping(call).get("function") or mapping(call).get("custom"))
                    yield f"{function.get('name')} {function.get('arguments') or function.get('input')}"
        case "responses":
            for item in map(mapping, items(answer.get("output"))):
                if string(item.get("type")).endswith("_call"):
                    said = item.get("arguments") or item.get("input")
                    yield f"{item.get('name') or item.get('type')} {_json(said)}"


def _messages(answer: JsonObject) -> Iterator[JsonObject]:
    for choice in items(answer.get("choices")):
        yield mapping(mapping(choice).get("message"))


def _json(value: object) -> str:
    """Arguments in one line: text as the model wrote it, an object as JSON."""
    return value if isinstance(value, str) else json.dumps(value or {}, ensure_ascii=False)
