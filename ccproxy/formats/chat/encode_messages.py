"""The history of a conversation as messages (API reference, read 2026-11-22)."""

from collections.abc import Iterator

from ccproxy.conversation.losses import Loss
from ccproxy.conversation.parts import (
    Document,
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
from ccproxy.formats.arguments import wrap_input
from ccproxy.formats.chat.decode_messages import TOOL_ERROR
from ccproxy.formats.chat.encode_content import as_text, collapsed, encode_content
from ccproxy.formats.names import Renamer, wire_id

IMAGE_BELOW, DOCUMENT_BELOW = "[image attached below]", "[document attached below]"

_SAYABLE = (Text, Refusal, ToolCall, Reasoning)


class MessageEncoder:
    """Turns whose calls are all answered in the turn after them, as messages.

    `system_role` is `developer` for reasoning models. Reasoning is left out: Chat Completions takes none.
    """

    def __init__(self, system_role: str, renamer: Renamer) -> None:
        self.losses: list[Loss] = []
        self._system_role = system_role
        self._renamer = renamer

    def system(self, text: str) -> JsonObject:
        return {"role": self._system_role, "content": text}

    def turn(self, turn: Turn) -> Iterator[JsonObject]:
        """The messages of one turn; none when nothing of it is left."""
        match turn.role:
            case "system":
                if texts := [text for part in turn.parts if (text := as_text(part))]:
                    yield self.system("\n\n".join(texts))
            case "assistant":
                if message := self._assistant(turn):
                    yield message
            case "user":
                yield from self._user(turn)

    def _user(self, turn: Turn) -> Iterator[JsonObject]:
        path = f"{turn.path}.content"
        results = [part for part in turn.parts if isinstance(part, ToolResult)]
        content: list[JsonObject] = []
        for result in results:
            yield self._result(result)
            # a tool message holds text only, so the rest is shown after the last of them
            for part in result.parts:
                if as_text(part) is None:
                    content.append({"type": "text", "text": f"[from tool call {wire_id(result.call_id)}]"})
                    content.extend(encode_content([part], path, self.losses))
        rest = [part for part in turn.parts if not isinstance(part, ToolResult)]
        content.extend(encode_content(rest, path, self.losses))
        if content:
            yield {"role": "user", "content": collapsed(content)}

    def _result(self, result: ToolResult) -> JsonObject:
        text = "\n".join(text for part in result.parts if (text := as_text(part)))
        if not text and result.parts:
            only_documents = all(isinstance(part, Document) for part in result.parts)
            text = DOCUMENT_BELOW if only_documents else IMAGE_BELOW
        prefix = TOOL_ERROR if result.is_error else ""
        return {"role": "tool", "tool_call_id": wire_id(result.call_id), "content": prefix + text}

    def _assistant(self, turn: Turn) -> JsonObject | None:
        texts = [part.text for part in turn.parts if isinstance(part, Text)]
        refusals = [part.text for part in turn.parts if isinstance(part, Refusal)]
        calls = [self._call(part) for part in turn.parts if isinstance(part, ToolCall)]
        self._note_losses(turn)
        message: JsonObject = {"role": "assistant", "content": "".join(texts) or None}
        if refusals:
            message["refusal"] = "".join(refusals)
        if calls:
            message["tool_calls"] = calls
        return message if message["content"] or refusals or calls else None

    def _call(self, call: ToolCall) -> JsonObject:
        arguments = wrap_input(call.arguments) if call.custom else call.arguments or "{}"
        name = self._renamer.wire(call.name, call.custom)
        return {
            "id": wire_id(call.id),
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        }

    def _note_losses(self, turn: Turn) -> None:
        # what an assistant said in other forms is the work of its provider's own tools; its text stays
        for part in turn.parts:
            if name := _unsayable(part):
                self.losses.append(Loss(f"{turn.path}.content", f"An assistant's {name} cannot be sent."))


def _unsayable(part: Part) -> str | None:
    if isinstance(part, Opaque):
        return repr(part.value.get("type"))
    return None if isinstance(part, _SAYABLE) else type(part).__name__.lower()
