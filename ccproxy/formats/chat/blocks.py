"""The blocks of a streamed answer, one after another, however their pieces interleave on the wire.

The first block that is not over is sent as it comes; what arrives for later ones waits. A block of text is
over when something else arrives, a tool call when its arguments are a whole JSON object: only then is it
certain that no more of them follows.
"""

import hashlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from ccproxy.conversation.events import BlockEnded, BlockStarted, Delta, Event, Sealed
from ccproxy.conversation.parts import Seal
from ccproxy.formats.arguments import unwrap_input, whole
from ccproxy.formats.codec import Names

TextKind = Literal["text", "refusal", "reasoning"]


@dataclass(slots=True)
class _Block:
    """`is_wrapped`: the client's tool takes text, and the upstream's a JSON object with that text in it."""

    kind: Literal["text", "refusal", "reasoning", "tool_call"]
    id: str = ""
    name: str = ""
    is_custom: bool = False
    is_wrapped: bool = False
    said: list[str] = field(default_factory=list)
    sent: int = 0
    seal: Seal | None = None
    has_started: bool = False
    has_ended: bool = False
    checked: int = 0

    def is_over(self) -> bool:
        """Whether nothing can follow in this block once another one has begun."""
        if self.kind != "tool_call":
            return True
        if self.checked == len(self.said) or self.is_custom:
            return False
        self.checked = len(self.said)
        return bool(self.id and self.name) and whole("".join(self.said)) is not None


class Blocks:
    """`has_calls` and `has_refusal` say what there was in the answer."""

    def __init__(self, names: Names) -> None:
        self.has_calls = False
        self.has_refusal = False
        self._names = names
        self._queue: deque[_Block] = deque()
        self._calls: dict[object, _Block] = {}
        self._count = 0

    @property
    def is_thinking(self) -> bool:
        """Whether the last block is reasoning that has no seal yet."""
        return bool(self._queue) and self._queue[-1].kind == "reasoning" and not self._queue[-1].seal

    def text(self, kind: TextKind, text: str) -> Iterator[Event]:
        """More text of this kind."""
        last = self._queue[-1] if self._queue else None
        if last is None or last.kind != kind or last.seal:
            last = self._append(_Block(kind))
        last.said.append(text)
        self.has_refusal = self.has_refusal or kind == "refusal"
        return self._advance()

    def seal(self, seal: Seal, text: str) -> Iterator[Event]:
        """The seal of the reasoning so far; `text` is what it seals, for when none of it came."""
        if not self.is_thinking:
            self._append(_Block("reasoning", said=[text] if text else []))
        self._queue[-1].seal = seal
        return self._advance()

    def call(
        self, index: object, call_id: str, name: str, arguments: str, custom: bool = False
    ) -> Iterator[Event]:
        """A piece of the call with this index; `call_id` and `name` may be "" in all pieces but one.

        Some servers give every call the same index: another id is another call.
        """
        block = self._calls.get(index)
        if block is None or (call_id and block.id and call_id != block.id):
            block = self._calls[index] = self._append(_Block("tool_call", is_custom=custom))
        if block.has_ended:
            return iter(())
        block.id = block.id or call_id
        if name and not block.name:
            block.name = self._names.original.get(name, name)
            block.is_wrapped = not custom and block.name in self._names.custom
        if arguments:
            block.said.append(arguments)
        return self._advance()

    def close(self, answer_id: str) -> Iterator[Event]:
        """Whatever is open or waits, in order. A call without an id gets one; without a name it is lost."""
        while self._queue:
            block = self._queue.popleft()
            if block.kind == "tool_call" and not block.id:
                seed = f"{answer_id}:{self._count - len(self._queue)}:{block.name}:{''.join(block.said)}"
                digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).hexdigest()
                block.id = f"call_{digest[:24]}"
            if block.kind != "tool_call" or block.name:
                yield from self._end(block)

    def _append(self, block: _Block) -> _Block:
        self._queue.append(block)
        self._count += 1
        return block

    def _advance(self) -> Iterator[Event]:
        while self._queue:
            head = self._queue[0]
            yield from self._send(head)
            is_last = len(self._queue) == 1
            if head.seal is None and (is_last or not head.is_over()):
                return
            self._queue.popleft()
            yield from self._end(head)

    def _send(self, block: _Block) -> Iterator[Event]:
        is_call = block.kind == "tool_call"
        if is_call and not (block.id and block.name):
            return
        if not block.has_started:
            block.has_started = True
            self.has_calls = self.has_calls or is_call
            yield BlockStarted(block.kind, block.id, block.name, block.is_custom or block.is_wrapped)
        if not block.is_wrapped:
            if text := "".join(block.said[block.sent :]):
                yield Delta(text)
            block.sent = len(block.said)

    def _end(self, block: _Block) -> Iterator[Event]:
        yield from self._send(block)
        if block.is_wrapped and (text := unwrap_input("".join(block.said))):
            yield Delta(text)
        if block.seal:
            yield Sealed(block.seal)
        block.has_ended = True
        yield BlockEnded()
