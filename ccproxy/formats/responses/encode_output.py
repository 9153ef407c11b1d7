"""The items of an answer, and the events that tell each (API reference, read 2026-11-22).

An item has the events of its beginning, of every text, and of its end; `value` is the item as it stands.
"""

from typing import Protocol

from ccproxy.conversation.events import BlockStarted
from ccproxy.conversation.parts import JsonObject, Seal
from ccproxy.formats import carrier

Events = list[JsonObject]


class OutputItem(Protocol):
    value: JsonObject

    def begin(self, kind: str) -> Events: ...

    def add(self, text: str) -> Events: ...

    def end_block(self) -> Events: ...

    def end(self, status: str) -> Events: ...


class _Item:
    """What every item tells of itself; events inside it say whose they are."""

    def __init__(self, value: JsonObject, index: int) -> None:
        self.value = value
        self._index = index
        self._texts: list[str] = []

    def _added(self) -> JsonObject:
        return {"type": "response.output_item.added", "output_index": self._index, "item": dict(self.value)}

    def _done(self) -> JsonObject:
        return {"type": "response.output_item.done", "output_index": self._index, "item": self.value}

    def _event(self, kind: str, **fields: object) -> JsonObject:
        place = {"item_id": self.value["id"], "output_index": self._index}
        return {"type": f"response.{kind}", **place, **fields}

    def _text(self) -> str:
        return "".join(self._texts)


class MessageItem(_Item):
    """A message of one or more parts, each a text or a refusal."""

    def __init__(self, item_id: str, index: int) -> None:
        fields = {
            "id": item_id,
            "type": "message",
            "status": "in_progress",
            "role": "assistant",
            "content": [],
        }
        super().__init__(fields, index)
        self._parts: list[JsonObject] = []
        self._refusal = False

    def begin(self, kind: str) -> Events:
        return [self._added(), *self.begin_part(kind)]

    def begin_part(self, kind: str) -> Events:
        self._refusal = kind == "refusal"
        self._texts = []
        return [self._part_event("content_part.added", part=self._part())]

    def add(self, text: str) -> Events:
        self._texts.append(text)
        if self._refusal:
            return [self._part_event("refusal.delta", delta=text)]
        return [self._part_event("output_text.delta", delta=text, logprobs=[])]

    def end_block(self) -> Events:
        part = self._part()
        if self._refusal:
            whole = self._part_event("refusal.done", refusal=part["refusal"])
        else:
            whole = self._part_event("output_text.done", text=part["text"], logprobs=[])
        events = [whole, self._part_event("content_part.done", part=part)]
        self._parts.append(part)
        return events

    def end(self, status: str) -> Events:
        self.value = {**self.value, "status": status, "content": self._parts}
        return [self._done()]

    def _part(self) -> JsonObject:
        if self._refusal:
            return {"type": "refusal", "refusal": self._text()}
        return {"type": "output_text", "text": self._text(), "annotations": [], "logprobs": []}

    def _part_event(self, kind: str, **fields: object) -> JsonObject:
        return self._event(kind, content_index=len(self._parts), **fields)


class ReasoningItem(_Item):
    """Reasoning: its text is told as a summary, its seal travels as encrypted content."""

    def __init__(self, item_id: str, index: int) -> None:
        super().__init__({"id": item_id, "type": "reasoning", "summary": []}, index)
        self._seal: Seal | None = None

    def begin(self, kind: str) -> Events:
        return [self._added()]

    def add(self, text: str) -> Events:
        events = [self._summary("summary_text.delta", delta=text)]
        if not self._texts:
            part = {"type": "summary_text", "text": ""}
            events.insert(0, self._summary("summary_part.added", part=part))
        self._texts.append(text)
        return events

    def seal(self, seal: Seal) -> None:
        self._seal = seal

    def end_block(self) -> Events:
        if not self._texts:
            return []
        part = {"type": "summary_text", "text": self._text()}
        self.value["summary"] = [part]
        return [
            self._summary("summary_text.done", text=part["text"]),
            self._summary("summary_part.done", part=part),
        ]

    def end(self, status: str) -> Events:
        if self._seal:
            # OpenAI's own is what an OpenAI client expects; of anyone else's the origin has to be seen
            own = self._seal.provider == "openai"
            sealed = self._seal.value if own else carrier.pack(self._seal, self._text())
            self.value["encrypted_content"] = sealed
        return [self._done()]

    def _summary(self, kind: str, **fields: object) -> JsonObject:
        return self._event(f"reasoning_{kind}", summary_index=0, **fields)


class CallItem(_Item):
    """A call of a function, with JSON, or of a custom tool, with text."""

    def __init__(self, number: str, index: int, block: BlockStarted, named: JsonObject) -> None:
        self._custom = block.custom
        self._kind = "custom_tool_call_input" if block.custom else "function_call_arguments"
        self._field = "input" if block.custom else "arguments"
        value = {
            "id": f"ctc_{number}" if block.custom else f"fc_{number}",
            "type": "custom_tool_call" if block.custom else "function_call",
            "status": "in_progress",
            "call_id": block.id,
            **named,
            self._field: "",
        }
        super().__init__(value, index)

    def begin(self, kind: str) -> Events:
        return [self._added()]

    def add(self, text: str) -> Events:
        self._texts.append(text)
        return [self._event(f"{self._kind}.delta", delta=text)]

    def end_block(self) -> Events:
        # a function without arguments has an empty object of them
        events = [] if self._texts or self._custom else self.add("{}")
        whole: JsonObject = {self._field: self._text()}
        if not self._custom:
            whole["name"] = self.value["name"]
        return [*events, self._event(f"{self._kind}.done", **whole)]

    def end(self, status: str) -> Events:
        self.value = {**self.value, "status": status, self._field: self._text()}
        return [self._done()]
