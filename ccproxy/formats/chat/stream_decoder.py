"""A stream of chunks as events (API reference, streaming, read 2026-11-22)."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ccproxy.conversation.events import Event, Failed, Finished, Started, UsageSeen
from ccproxy.conversation.parts import JsonObject
from ccproxy.formats.arguments import compact, writable
from ccproxy.formats.chat import reasoning
from ccproxy.formats.chat.blocks import Blocks
from ccproxy.formats.chat.stop import stop_reason
from ccproxy.formats.chat.tokens import read_usage
from ccproxy.formats.chat.upstream_errors import failed_in_stream
from ccproxy.formats.codec import Names
from ccproxy.formats.sse import ServerSentEvent


class StreamDecoder:
    """Reads the first choice; the others answer a question that nobody asked.

    A stream is whole when it had a finish_reason or its `[DONE]`: usage comes between the two.
    """

    def __init__(self, names: Names) -> None:
        self._blocks = Blocks(names)
        self._id = ""
        self._has_started = False
        self._finish: str | None = None
        self._is_over = False

    def feed(self, event: ServerSentEvent) -> Iterable[Event]:
        if event.data.startswith("[DONE]"):
            return self._guarded(self._end() if self._has_started else self._broke_off())
        chunk = _parse(event.data)
        if chunk is None:
            return self._guarded(
                self._fail(Failed("api_error", "The upstream sent a chunk that is not JSON."))
            )
        if event.name == "error" and not chunk.get("error"):
            chunk = {"error": chunk or "The upstream reported an error."}
        return self.take(chunk)

    def take(self, chunk: JsonObject) -> Iterable[Event]:
        """The events that one chunk makes."""
        return self._guarded(self._chunk(chunk))

    def end(self) -> Iterable[Event]:
        return self._guarded(self._end() if self._finish else self._broke_off())

    def finish(self) -> Iterable[Event]:
        """The answer is whole, whether or not it said why it ended."""
        return self._guarded(self._end())

    def _guarded(self, events: Iterator[Event]) -> Iterable[Event]:
        return [] if self._is_over else list(events)

    def _chunk(self, chunk: JsonObject) -> Iterator[Event]:
        if error := chunk.get("error"):
            yield from self._fail(failed_in_stream(error))
            return
        choices = chunk.get("choices")
        choice = next((one for one in choices if _is_first(one)), None) if isinstance(choices, list) else None
        usage = read_usage(chunk.get("usage"))
        if choice is None and usage is None:
            return
        if not self._has_started:
            self._has_started = True
            self._id = _text(chunk, "id")
            yield Started(self._id, _text(chunk, "model"))
        if choice is not None:
            delta = choice.get("delta")
            yield from self._delta(delta if isinstance(delta, dict) else {})
            if finish := _text(choice, "finish_reason"):
                self._finish = self._finish or finish
                yield from self._blocks.close(self._id)
        if usage is not None:
            yield UsageSeen(usage)

    def _delta(self, delta: JsonObject) -> Iterator[Event]:
        sealed, text = list(reasoning.carried(delta)), reasoning.said(delta)
        # a whole answer says its reasoning twice: all in one, and with each seal
        is_twice = not self._blocks.is_thinking and any(thought.text for thought in sealed)
        if text and not is_twice:
            yield from self._blocks.text("reasoning", text)
        for thought in sealed:
            if thought.seal:
                yield from self._blocks.seal(thought.seal, thought.text)
        if text := _content(delta.get("content")):
            yield from self._blocks.text("text", text)
        if text := _text(delta, "refusal"):
            yield from self._blocks.text("refusal", text)
        calls = delta.get("tool_calls")
        for position, call in enumerate(calls if isinstance(calls, list) else ()):
            if isinstance(call, dict):
                yield from self._call(call, position)
        if isinstance(function := delta.get("function_call"), dict):
            yield from self._blocks.call("function_call", "", _text(function, "name"), _arguments(function))

    def _call(self, call: JsonObject, position: int) -> Iterator[Event]:
        index = call.get("index")
        # whole answers, and some servers, count by position
        index = index if isinstance(index, int) else position
        if isinstance(custom := call.get("custom"), dict):
            name, text = _text(custom, "name"), _text(custom, "input")
            yield from self._blocks.call(index, _text(call, "id"), name, text, custom=True)
        elif isinstance(function := call.get("function"), dict):
            name, text = _text(function, "name"), _arguments(function)
            yield from self._blocks.call(index, _text(call, "id"), name, text)

    def _end(self) -> Iterator[Event]:
        yield from self._blocks.close(self._id)
        finish = self._finish or "stop"
        stop = stop_reason(finish, self._blocks.has_calls, self._blocks.has_refusal)
        if stop is None:
            # to call it a regular end would hide that something is missing
            yield from self._fail(
                Failed("api_error", f"The upstream ended with the unknown reason {finish!r}.")
            )
            return
        self._is_over = True
        yield Finished(stop)

    def _broke_off(self) -> Iterator[Event]:
        return self._fail(Failed("api_error", "The upstream stream ended early."))

    def _fail(self, failed: Failed) -> Iterator[Event]:
        self._is_over = True
        yield failed


def _parse(data: str) -> JsonObject | None:
    try:
        value = json.loads(data)
        return writable(value, data) if isinstance(value, dict) else None
    except (ValueError, RecursionError):
        return None


def _is_first(choice: object) -> bool:
    return isinstance(choice, dict) and choice.get("index") in (0, None)


def _text(value: JsonObject, name: str) -> str:
    text = value.get(name)
    return text if isinstance(text, str) else ""


def _content(value: Any) -> str:
    """Text, which some servers give as parts."""
    if isinstance(value, list):
        return "".join(_text(part, "text") for part in value if isinstance(part, dict))
    return value if isinstance(value, str) else ""


def _arguments(function: JsonObject) -> str:
    """JSON text, which some servers give as the object itself."""
    arguments = function.get("arguments")
    if isinstance(arguments, dict):
        try:
            return compact(arguments)
        except (ValueError, RecursionError):
            return ""
    return arguments if isinstance(arguments, str) else ""
