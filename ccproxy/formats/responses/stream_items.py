"""The items of a Responses stream as blocks, one state machine per kind of item.

Each takes the events of its own item and gives neutral events; the order between items is the decoder's
business. Texts come as deltas, or whole in a `done` event, or only in the finished item: whatever came first
counts, and nothing is said twice.
"""

from typing import Any, Protocol

from ccproxy.conversation.events import BlockEnded, BlockStarted, Delta, Event, Sealed
from ccproxy.conversation.parts import JsonObject, Seal
from ccproxy.formats.arguments import unwrap_input
from ccproxy.formats.codec import Names
from ccproxy.formats.responses.namespaces import flat

CALLS = ("function_call", "custom_tool_call")


class Item(Protocol):
    """One output item on its way."""

    done: bool

    def take(self, kind: str, data: JsonObject) -> list[Event]:
        """One event of this item; `kind` is the event's type without `response.`"""
        ...

    def finish(self, item: JsonObject) -> list[Event]:
        """The item is whole; `item` may be empty when the stream ended without saying so."""
        ...


def item_of(kind: str, item: JsonObject, index: int, names: Names) -> "Item":
    """The state machine for an item of this type; other types say nothing."""
    match kind:
        case "message":
            return Message()
        case "reasoning":
            return Thought()
        case "function_call" | "custom_tool_call":
            return Call(kind, item, index, names)
    return Silent()


class Silent:
    """An item that no conversation holds, such as a web search of OpenAI's."""

    def __init__(self) -> None:
        self.done = False

    def take(self, kind: str, data: JsonObject) -> list[Event]:
        return []

    def finish(self, item: JsonObject) -> list[Event]:
        self.done = True
        return []


class _Block:
    """A block that opens with its first text."""

    def __init__(self, start: BlockStarted) -> None:
        self._start = start
        self.opened = False

    def add(self, text: str) -> list[Event]:
        return [*self.open(), Delta(text)] if text else []

    def open(self) -> list[Event]:
        if self.opened:
            return []
        self.opened = True
        return [self._start]


class Message:
    """Each content part is a block of text or of a refusal."""

    def __init__(self) -> None:
        self.done = False
        self.refused = False
        self._open: tuple[int, _Block] | None = None
        self._seen: set[int] = set()

    def take(self, kind: str, data: JsonObject) -> list[Event]:
        index = _integer(data.get("content_index"))
        match kind:
            case "output_text.delta":
                return self._add(index, "text", data.get("delta"))
            case "refusal.delta":
                return self._add(index, "refusal", data.get("delta"))
            case "output_text.done":
                return self._whole(index, "text", data.get("text"))
            case "refusal.done":
                return self._whole(index, "refusal", data.get("refusal"))
            case "content_part.done":
                return [*self._part(index, data.get("part")), *self._close()]
        return []

    def finish(self, item: JsonObject) -> list[Event]:
        self.done = True
        events: list[Event] = []
        for index, part in enumerate(_array(item.get("content"))):
            if index not in self._seen:
                events += [*self._part(index, part), *self._close()]
        return events if self._open is None else [*self._close(), *events]

    def _part(self, index: int, part: object) -> list[Event]:
        match part:
            case {"type": "refusal", "refusal": text}:
                return self._whole(index, "refusal", text)
            case {"type": "output_text" | "text", "text": text}:
                return self._whole(index, "text", text)
        return []

    def _whole(self, index: int, kind: str, text: object) -> list[Event]:
        return [] if index in self._seen else self._add(index, kind, text)

    def _add(self, index: int, kind: str, text: object) -> list[Event]:
        if not isinstance(text, str) or not text:
            return []
        events: list[Event] = []
        if self._open is None or self._open[0] != index:
            events = self._close()
            self._open = (index, _Block(BlockStarted("refusal" if kind == "refusal" else "text")))
        self._seen.add(index)
        self.refused = self.refused or kind == "refusal"
        return events + self._open[1].add(text)

    def _close(self) -> list[Event]:
        if self._open is None:
            return []
        self._open = None
        return [BlockEnded()]


class Thought:
    """Reasoning: its summary, or its text where the model shows it, and its seal at the end."""

    def __init__(self) -> None:
        self.done = False
        self._block = _Block(BlockStarted("reasoning"))
        self._source = ""
        self._index = 0
        self._seen: set[int] = set()

    def take(self, kind: str, data: JsonObject) -> list[Event]:
        match kind:
            case "reasoning_summary_text.delta":
                return self._add("summary", _integer(data.get("summary_index")), data.get("delta"))
            case "reasoning_text.delta":
                return self._add("content", _integer(data.get("content_index")), data.get("delta"))
            case "reasoning_summary_text.done":
                return self._whole("summary", _integer(data.get("summary_index")), data.get("text"))
            case "reasoning_text.done":
                return self._whole("content", _integer(data.get("content_index")), data.get("text"))
        return []

    def finish(self, item: JsonObject) -> list[Event]:
        self.done = True
        events: list[Event] = []
        for source in ("summary", "content"):
            for index, part in enumerate(_array(item.get(source))):
                events += self._whole(source, index, part.get("text") if isinstance(part, dict) else None)
        sealed, item_id = item.get("encrypted_content"), item.get("id")
        if isinstance(sealed, str) and sealed:
            seal = Seal("openai", sealed, id=item_id if isinstance(item_id, str) else None)
            events += [*self._block.open(), Sealed(seal)]
        return [*events, BlockEnded()] if self._block.opened else []

    def _whole(self, source: str, index: int, text: object) -> list[Event]:
        return [] if index in self._seen else self._add(source, index, text)

    def _add(self, source: str, index: int, text: object) -> list[Event]:
        if not isinstance(text, str) or not text:
            return []
        # a model that shows its reasoning and a summary of it says the same twice
        if self._source not in ("", source):
            return []
        self._source = source
        between = "\n\n" if self._seen and index != self._index else ""
        self._index = index
        self._seen.add(index)
        return self._block.add(between + text)


class Call:
    """A call of a function or of a custom tool; it opens when its id and its name are known."""

    def __init__(self, kind: str, item: JsonObject, index: int, names: Names) -> None:
        self.done = False
        self.called = False
        self._names = names
        self._custom = kind == "custom_tool_call"
        self._index = index
        self._buffered: list[str] = []
        self._sent = False
        self._wrapped = False
        self._identify(item)

    def take(self, kind: str, data: JsonObject) -> list[Event]:
        match kind:
            case "function_call_arguments.delta" | "custom_tool_call_input.delta":
                return self._add(data.get("delta"))
            case "function_call_arguments.done":
                return self._whole(data.get("arguments"))
            case "custom_tool_call_input.done":
                return self._whole(data.get("input"))
        return []

    def finish(self, item: JsonObject) -> list[Event]:
        self.done = True
        events: list[Event] = []
        if not self.called:
            self._identify(item)
            events += self._opening()
        if not self.called:
            # a call without a name cannot be made
            return []
        events += self._whole(item.get("input" if self._custom else "arguments"))
        if self._wrapped and (text := unwrap_input("".join(self._buffered))):
            events.append(Delta(text))
        return [*events, BlockEnded()]

    def start(self) -> list[Event]:
        """The start of the block, when the first event of the item told enough."""
        return self._opening()

    def _identify(self, item: JsonObject) -> None:
        name, namespace, call_id = item.get("name"), item.get("namespace"), item.get("call_id")
        item_id = item.get("id")
        wire = flat(namespace if isinstance(namespace, str) else None, name) if isinstance(name, str) else ""
        self._name = self._names.original.get(wire, wire)
        # the client has to find the tool of its own under the name; an id is but a label
        fallback = item_id if isinstance(item_id, str) and item_id else f"call_{self._index}"
        self._id = call_id if isinstance(call_id, str) and call_id else fallback

    def _opening(self) -> list[Event]:
        if self.called or not self._name:
            return []
        self.called = True
        self._wrapped = not self._custom and self._name in self._names.custom
        block = BlockStarted("tool_call", self._id, self._name, self._custom or self._wrapped)
        waiting = "".join(self._buffered)
        if self._wrapped or not waiting:
            return [block]
        self._buffered.clear()
        return [block, Delta(waiting)]

    def _add(self, text: object) -> list[Event]:
        if not isinstance(text, str) or not text:
            return []
        self._sent = True
        if not self.called or self._wrapped:
            self._buffered.append(text)
            return []
        return [Delta(text)]

    def _whole(self, text: object) -> list[Event]:
        return [] if self._sent else self._add(text)


def _integer(value: object) -> int:
    return value if isinstance(value, int) else 0


def _array(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
