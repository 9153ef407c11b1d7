"""The stream of a ChatGPT plan's backend, for clients other than Codex (public proxies, read 2026-11-22).

It differs from the public API's: the last event may leave `output` empty, and events that only the Codex CLI
knows stand between the others.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from ccproxy.codex.rules import private_events
from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import JsonObject
from ccproxy.formats.responses.upstream_errors import failure
from ccproxy.formats.sse import Reader, ServerSentEvent, written
from ccproxy.rename import StreamRenamer

_BROKEN = Failed("api_error", "The upstream's stream ended early, before it said how.")

_ITEM = "response.output_item.done"
_TERMINAL = ("response.completed", "response.done", "response.incomplete", "response.failed")


class _Typed(msgspec.Struct):
    type: str = ""


_typed = msgspec.json.Decoder(_Typed)


def collect(stream: bytes) -> JsonObject | Failed:
    """A whole stream as the response object that a client reads which did not ask for a stream.

    Everything that the upstream put into it stays. Failed when the stream ends in an error, or not at all.
    """
    output = _Output()
    for event in Reader().feed(stream):
        kind = _kind(event)
        if kind == _ITEM:
            output.take(_object(event.data))
        elif kind in _TERMINAL:
            return _whole(kind, output.filled(_object(event.data)))
        elif kind == "error":
            return _error(_object(event.data))
    return _BROKEN


class PlainStream:
    """The stream as the public API would send it, event by event; what is not said here stays as it was.

    `model` is the client's name of the model, None to leave the upstream's. `done` gets the response object
    of an answer that came to its end, whole or cut short by a limit, as the upstream gave it but with its
    output; it is not called for a stream that fails or breaks off. `watch` gets each event as it was.
    """

    def __init__(
        self,
        model: str | None = None,
        done: Callable[[JsonObject], None] | None = None,
        watch: Callable[[ServerSentEvent], None] | None = None,
    ) -> None:
        self._watch = watch
        self._reader = Reader()
        self._renamer = StreamRenamer("responses", model) if model is not None else None
        self._done = done
        self._private = private_events()
        self._ended = False
        self._output = _Output()

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events that are whole now."""
        return list(self._events(chunk))

    def cut(self) -> bool:
        """Whether a stream that ends now ends before it has said how."""
        return not self._ended

    def _events(self, chunk: bytes) -> Iterator[bytes]:
        for event in self._reader.feed(chunk):
            if self._watch:
                self._watch(event)
            kind = _kind(event)
            if kind.startswith(self._private):
                continue
            if kind == _ITEM:
                self._output.take(_object(event.data))
            self._ended = self._ended or kind in _TERMINAL or kind == "error"
            data = self._terminal(kind, event.data) if kind in _TERMINAL else event.data
            yield written(event.name, self._renamer.renamed(data) if self._renamer else data)

    def _terminal(self, kind: str, data: str) -> str:
        value = _object(data)
        filled = self._output.filled(value)
        whole = _whole(kind, filled)
        if self._done and not isinstance(whole, Failed):
            self._done(whole)
        return data if filled is value else msgspec.json.encode(filled).decode()


class _Output:
    """The items that were told as done, in the order of their indexes."""

    def __init__(self) -> None:
        self._items: dict[int, Any] = {}

    def take(self, event: JsonObject) -> None:
        if "item" not in event:
            return
        index = event.get("output_index")
        if not isinstance(index, int) or index in self._items:
            # a server that numbers every item 0 still tells each
            index = max(self._items, default=-1) + 1
        self._items[index] = event["item"]

    def filled(self, event: JsonObject) -> JsonObject:
        """A last event whose response has its output; the event itself when it lacks nothing."""
        response = event.get("response")
        if not isinstance(response, dict) or response.get("output") or not self._items:
            return event
        output = [item for _, item in sorted(self._items.items())]
        return {**event, "response": {**response, "output": output}}


def _whole(kind: str, event: JsonObject) -> JsonObject | Failed:
    response = event.get("response")
    if not isinstance(response, dict):
        return _BROKEN
    if kind == "response.failed" or response.get("status") in ("failed", "cancelled"):
        error = response.get("error")
        return failure(error if isinstance(error, dict) else {})
    return response


def _error(event: JsonObject) -> Failed:
    """An `error` event: on the plan's backend its object may stand inside, else it is the event itself."""
    error, status = event.get("error"), event.get("status")
    return failure(
        error if isinstance(error, dict) else event,
        status if isinstance(status, int) and 400 <= status < 600 else None,
    )


def _kind(event: ServerSentEvent) -> str:
    # the type stands in every event's data; only that is read, since most events are one word of text
    try:
        return _typed.decode(event.data).type or event.name
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return event.name


def _object(data: str) -> JsonObject:
    try:
        value = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
