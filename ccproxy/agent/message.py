"""The events of an answer, put together into the message that they tell."""

from typing import Any

import msgspec

from ccproxy.conversation.parts import JsonObject

_SPELT = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
"""Which field of a block each delta adds to; the input of a call comes as JSON in pieces."""


class Collector:
    """Takes the events of an answer in order; the message is as far as they went."""

    def __init__(self) -> None:
        self._message: JsonObject = {
            "id": "",
            "type": "message",
            "role": "assistant",
            "model": "",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {},
        }
        self._inputs: dict[int, str] = {}

    def take(self, event: JsonObject) -> None:
        """The next event."""
        content: list[JsonObject] = self._message["content"]
        match event:
            case {"type": "message_start", "message": message}:
                self._message = {**message, "content": list(message["content"])}
            case {"type": "content_block_start", "content_block": block}:
                content.append(dict(block))
            case {"type": "content_block_delta", "index": index, "delta": delta}:
                self._delta(index, content[index], delta)
            case {"type": "content_block_stop", "index": index} if index in self._inputs:
                content[index]["input"] = msgspec.json.decode(self._inputs.pop(index) or "{}")
            case {"type": "message_delta", "delta": delta, "usage": usage, **more}:
                self._message["usage"] = {**self._message["usage"], **usage}
                self._message |= {**delta, **{name: more[name] for name in more if name != "type"}}

    def message(self) -> JsonObject:
        """A `message` of the Messages API; without content and id while nothing has been said."""
        return self._message

    def _delta(self, index: int, block: JsonObject, delta: JsonObject) -> None:
        kind: Any = delta["type"]
        if kind == "input_json_delta":
            self._inputs[index] = self._inputs.get(index, "") + delta["partial_json"]
        elif field := _SPELT.get(kind):
            block[field] += delta[field]
