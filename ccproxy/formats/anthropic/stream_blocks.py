"""The content blocks of a Messages stream, each with what it has still to say."""

from collections.abc import Iterator
from typing import Any

from ccproxy.conversation.events import BlockEnded, BlockStarted, Delta, Event, Sealed
from ccproxy.conversation.parts import Seal
from ccproxy.formats.arguments import compact, unwrap_input
from ccproxy.formats.codec import Names
from ccproxy.formats.names import wire_id

_TEXTS = {"text": "text_delta", "reasoning": "thinking_delta", "tool_call": "input_json_delta"}
_FIELDS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


class Block:
    """One block, from its start to its stop. What it gathers waits in it until `drain`."""

    def __init__(
        self, start: BlockStarted, text: str = "", whole: str = "", seal: Seal | None = None
    ) -> None:
        """`whole` are the arguments that a call had from its start, and has if no fragments follow."""
        self._start = start
        self._whole = whole
        self._seal = seal
        self._held: list[str] = []
        self._got_text = False
        self._events: list[Event] = [start]
        self.is_over = False
        self._add(text)

    @property
    def is_call(self) -> bool:
        return self._start.kind == "tool_call"

    def take(self, delta: Any) -> None:
        """A delta; of another kind of block, or unknown, it is passed over."""
        match delta:
            case {"type": "signature_delta", "signature": str(value)} if self._start.kind == "reasoning":
                self._seal = Seal("anthropic", value) if value else self._seal
            case {"type": str(kind)} if kind == _TEXTS[self._start.kind]:
                text = delta.get(_FIELDS[kind])
                self._add(text if isinstance(text, str) else "")

    def close(self) -> None:
        if self._start.custom:
            # the input of a custom tool is known only when its JSON is whole
            text = unwrap_input("".join(self._held) or self._whole)
            self._events += [Delta(text)] if text else []
        elif self._whole and not self._got_text:
            self._events.append(Delta(self._whole))
        if self._seal:
            self._events.append(Sealed(self._seal))
        self._events.append(BlockEnded())

    def drain(self) -> Iterator[Event]:
        """What has not been said yet."""
        events, self._events = self._events, []
        for event in events:
            self.is_over = isinstance(event, BlockEnded)
            yield event

    def _add(self, text: str) -> None:
        if text and self._start.custom:
            self._held.append(text)
        elif text:
            self._got_text = True
            self._events.append(Delta(text))


def begun(content: Any, names: Names, place: str) -> Block | None:
    """The block of a `content_block_start`; None for one that only Anthropic knows.

    `place` is unique in the conversation, for calls to which the upstream gave no id.
    """
    match content:
        case {"type": "text"}:
            return Block(BlockStarted("text"), _text(content.get("text")))
        case {"type": "thinking"}:
            value = _text(content.get("signature"))
            seal = Seal("anthropic", value) if value else None
            return Block(BlockStarted("reasoning"), _text(content.get("thinking")), seal=seal)
        case {"type": "redacted_thinking", "data": str(data)}:
            return Block(BlockStarted("reasoning"), seal=Seal("anthropic", data, redacted=True))
        case {"type": "tool_use", "name": str(name)}:
            name = names.original.get(name, name)
            call_id = _text(content.get("id")) or wire_id(place)
            given = content.get("input")
            whole = compact(given) if isinstance(given, dict) and given else ""
            return Block(BlockStarted("tool_call", call_id, name, name in names.custom), whole=whole)
    return None


def implied(delta: object) -> Block | None:
    """The block of a delta that came without a start; a call cannot be guessed, it has a name."""
    match delta:
        case {"type": "text_delta"}:
            return Block(BlockStarted("text"))
        case {"type": "thinking_delta"}:
            return Block(BlockStarted("reasoning"))
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
