"""A stream of the Responses API as neutral events (API reference, read 2026-11-22).

What real streams do and the reference does not say: items may come whole in `output_item.done` only, the
last event may leave `output` empty, and the backend of ChatGPT plans mixes `codex.*` events in.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from ccproxy.conversation.events import (
    Event,
    Failed,
    Finished,
    Ping,
    Started,
    UsageSeen,
)
from ccproxy.conversation.parts import JsonObject
from ccproxy.formats.codec import Names
from ccproxy.formats.responses import stop
from ccproxy.formats.responses.stream_items import Call, Item, Message, item_of
from ccproxy.formats.responses.upstream_errors import failure
from ccproxy.formats.responses.usage import usage_of
from ccproxy.formats.sse import ServerSentEvent

_BROKEN = Failed("api_error", "The upstream's stream ended early, before it said how.")

_BELONGS_TO = (
    ("function_call_arguments.", "function_call"),
    ("custom_tool_call_input.", "custom_tool_call"),
    ("reasoning_", "reasoning"),
    ("output_text.", "message"),
    ("refusal.", "message"),
    ("content_part.", "message"),
)
"""Which type of item an event speaks of, for streams that never announced the item."""

_ALIVE = ("keepalive", "response.web_search_call.")


class ResponsesStreamDecoder:
    """One block is open at a time: what comes for a later item waits until the items before it are done."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._started = False
        self._ended = False
        self._items: list[Item] = []
        self._by_index: dict[int, int] = {}
        self._by_id: dict[str, int] = {}
        self._waiting: list[list[Event]] = []
        self._first = 0

    def feed(self, event: ServerSentEvent) -> Iterable[Event]:
        try:
            data = msgspec.json.decode(event.data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return []
        if not isinstance(data, dict):
            return []
        kind = data.get("type")
        return self.take(kind if isinstance(kind, str) else event.name, data)

    def take(self, kind: str, data: JsonObject) -> list[Event]:
        """One event, decoded."""
        return [] if self._ended else list(self._checked(self._take(kind, data)))

    def end(self) -> Iterable[Event]:
        return [] if self._ended else list(self._checked(iter([_BROKEN])))

    def _take(self, kind: str, data: JsonObject) -> Iterator[Event]:
        response = _mapping(data.get("response"))
        match kind:
            case "response.created" | "response.in_progress" | "response.queued":
                yield from self._start(response)
            case "response.output_item.added":
                yield from self._start({})
                yield from self._added(data)
            case "response.output_item.done":
                yield from self._start({})
                yield from self._done(data, _mapping(data.get("item")))
            case "response.completed" | "response.done" | "response.incomplete" | "response.failed":
                yield from self._terminal(kind, response)
            case "error":
                # the object stands in `error` on sockets, and in the event itself elsewhere
                status = data.get("status")
                error = _mapping(data.get("error")) or {**data, "type": None}
                yield failure(error, status if isinstance(status, int) and 400 <= status < 600 else None)
            case _ if kind.startswith(_ALIVE):
                if self._started:
                    yield Ping()
            case _:
                yield from self._of_item(kind.removeprefix("response."), data)

    def _start(self, response: JsonObject) -> Iterator[Event]:
        if not self._started:
            yield Started(_string(response.get("id")), _string(response.get("model")))

    def _added(self, data: JsonObject) -> Iterator[Event]:
        value = _mapping(data.get("item"))
        known = self._find(data, value)
        # servers that number every item 0 still announce each
        if known is None or self._items[known].done:
            yield from self._put(*self._new(data, _string(value.get("type")), value))

    def _new(self, data: JsonObject, kind: str, value: JsonObject) -> tuple[int, list[Event]]:
        number = len(self._items)
        item = item_of(kind, value, number, self._names)
        self._items.append(item)
        self._waiting.append([])
        if isinstance(index := data.get("output_index"), int):
            self._by_index[index] = number
        if item_id := _string(value.get("id")) or _string(data.get("item_id")):
            self._by_id[item_id] = number
        return number, item.start() if isinstance(item, Call) else []

    def _find(self, data: JsonObject, value: JsonObject) -> int | None:
        """The number of the item that an event speaks of: by its id, else by its index, else the last."""
        found = self._by_id.get(_string(value.get("id")) or _string(data.get("item_id")))
        if found is not None:
            return found
        index = data.get("output_index")
        if isinstance(index, int):
            return self._by_index.get(index)
        return len(self._items) - 1 if self._items and not value else None

    def _of_item(self, kind: str, data: JsonObject) -> Iterator[Event]:
        belongs = next((item for prefix, item in _BELONGS_TO if kind.startswith(prefix)), None)
        if belongs is None:
            return
        yield from self._start({})
        number, events = self._find(data, {}), list[Event]()
        if number is None:
            number, events = self._new(data, belongs, {})
        item = self._items[number]
        yield from self._put(number, events if item.done else events + item.take(kind, data))

    def _done(self, data: JsonObject, value: JsonObject) -> Iterator[Event]:
        number, events = self._find(data, value), list[Event]()
        if number is None:
            number, events = self._new(data, _string(value.get("type")), value)
        item = self._items[number]
        if not item.done:
            yield from self._put(number, events + item.finish(value))

    def _put(self, number: int, events: list[Event]) -> Iterator[Event]:
        """Send what belongs to the first item that is not done, and keep the rest until its turn."""
        self._waiting[number] += events
        while self._first < len(self._items):
            yield from self._waiting[self._first]
            self._waiting[self._first] = []
            if not self._items[self._first].done:
                return
            self._first += 1

    def _terminal(self, kind: str, response: JsonObject) -> Iterator[Event]:
        status = response.get("status")
        if kind == "response.failed" or status in ("failed", "cancelled"):
            yield failure(_mapping(response.get("error")))
            return
        yield from self._start(response)
        output = response.get("output")
        for index, value in enumerate(output if isinstance(output, list) else []):
            yield from self._done({"output_index": index}, _mapping(value))
        for number in range(self._first, len(self._items)):
            if not self._items[number].done:
                yield from self._put(number, self._items[number].finish({}))
        yield from self._usage(response)
        if kind == "response.incomplete" or status == "incomplete":
            yield Finished(stop.of_incomplete(_mapping(response.get("incomplete_details")).get("reason")))
            return
        called = any(isinstance(item, Call) and item.called for item in self._items)
        refused = any(isinstance(item, Message) and item.refused for item in self._items)
        yield Finished(stop.of_completed(called, refused))

    def _usage(self, response: JsonObject) -> Iterator[Event]:
        if isinstance(response.get("usage"), dict):
            yield UsageSeen(usage_of(response["usage"]))

    def _checked(self, events: Iterator[Event]) -> Iterator[Event]:
        """Keep the account of how far the answer is."""
        for event in events:
            self._started = self._started or isinstance(event, Started)
            self._ended = isinstance(event, Finished | Failed)
            yield event


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
