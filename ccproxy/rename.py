"""Another model in the same format: a request is changed in model and effort, its answer in the model."""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from ccproxy.backends.models import Choice
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.formats.sse import Reader, ServerSentEvent, written

_CHUNK_MODEL = re.compile(r'("model"\s*:\s*)"(?:[^"\\]|\\.)*"')


def changed_request(value: JsonObject, wire: Wire, choice: Choice) -> bytes:
    """The request for the chosen model; everything else in its order and as it was."""
    changed = {**value, "model": choice.model}
    if choice.effort:
        match wire:
            case "anthropic":
                changed["output_config"] = {**_object(value.get("output_config")), "effort": choice.effort}
            case "chat":
                changed["reasoning_effort"] = choice.effort
            case "responses":
                changed["reasoning"] = {**_object(value.get("reasoning")), "effort": choice.effort}
    return msgspec.json.encode(changed)


def changed_reply(body: bytes, model: str) -> bytes:
    """A JSON answer under the client's name of the model; what is no object with a model stays as it is."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return body
    return msgspec.json.encode(value) if _set_model(value, model) else body


class StreamRenamer:
    """A stream under the client's name of the model, event by event; `watch` gets each as it was."""

    def __init__(
        self, wire: Wire, model: str, watch: Callable[[ServerSentEvent], None] | None = None
    ) -> None:
        self._watch = watch
        self._wire = wire
        self._model = model
        self._quoted = msgspec.json.encode(model).decode()
        self._reader = Reader()

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events that are whole now."""
        pieces = []
        for event in self._reader.feed(chunk):
            if self._watch:
                self._watch(event)
            pieces.append(written(event.name, self.renamed(event.data)))
        return pieces

    def cut(self) -> bool:
        """How the stream ends is the upstream's business."""
        return False

    def renamed(self, data: str) -> str:
        """The data of one event."""
        if self._wire == "chat":
            # one chunk for every few letters, and the key stands in it once: inside a string its quotes
            # would be escaped
            return _CHUNK_MODEL.sub(lambda match: match[1] + self._quoted, data, count=1)
        if '"model"' not in data:
            return data
        try:
            value = msgspec.json.decode(data)
        except (msgspec.MsgspecError, RecursionError):
            return data
        inner = value.get("message") or value.get("response") if isinstance(value, dict) else None
        return msgspec.json.encode(value).decode() if _set_model(inner, self._model) else data


def _set_model(value: Any, model: str) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("model"), str):
        return False
    value["model"] = model
    return True


def _object(value: Any) -> JsonObject:
    return value if isinstance(value, dict) else {}
