"""Reasoning that a Chat client cannot carry, kept until the client comes back with the tool's result.

Claude wants its thinking back, unchanged, in front of the tool calls that it made (Messages API reference,
read 2026-11-22), and a plain Chat Completions client drops it. So it is kept here, by the ids of the calls.
"""

from collections import OrderedDict
from dataclasses import replace

from ccproxy.conversation.parts import Part, Reasoning, ToolCall
from ccproxy.conversation.reply import Reply
from ccproxy.conversation.request import Request, Turn

MOST_CALLS = 4096
"""Tool calls that are remembered; the oldest go first."""

MOST_BYTES = 64 * 2**20
"""Bytes of reasoning that are kept in all."""


class ReasoningStore:
    """Bounded, in memory only: after a restart a tool loop goes on without its thinking."""

    def __init__(self, most_calls: int = MOST_CALLS, most_bytes: int = MOST_BYTES) -> None:
        self._kept: OrderedDict[str, tuple[Reasoning, ...]] = OrderedDict()
        self._most_calls = most_calls
        self._most_bytes = most_bytes
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def remember(self, reply: Reply) -> None:
        """Keep the sealed reasoning of this turn under each of its tool calls."""
        reasoning = tuple(part for part in reply.parts if isinstance(part, Reasoning) and part.seal)
        if not reasoning:
            return
        for part in reply.parts:
            if isinstance(part, ToolCall):
                self._forget(part.id)
                self._kept[part.id] = reasoning
                self._bytes += _size(reasoning)
        while self._kept and (len(self._kept) > self._most_calls or self._bytes > self._most_bytes):
            self._forget(next(iter(self._kept)))

    def restore(self, request: Request) -> Request:
        """The request with the reasoning back in front of the calls that it led to."""
        turns = tuple(self._restored(turn) for turn in request.turns)
        return replace(request, turns=turns) if turns != request.turns else request

    def _restored(self, turn: Turn) -> Turn:
        if turn.role != "assistant" or any(isinstance(part, Reasoning) and part.seal for part in turn.parts):
            return turn
        for part in turn.parts:
            if isinstance(part, ToolCall) and (reasoning := self._kept.get(part.id)):
                self._kept.move_to_end(part.id)
                rest: tuple[Part, ...] = tuple(p for p in turn.parts if not isinstance(p, Reasoning))
                return replace(turn, parts=(*reasoning, *rest))
        return turn

    def _forget(self, call_id: str) -> None:
        if reasoning := self._kept.pop(call_id, None):
            self._bytes -= _size(reasoning)


def _size(reasoning: tuple[Reasoning, ...]) -> int:
    return sum(len(part.text) + len(part.seal.value if part.seal else "") for part in reasoning)
