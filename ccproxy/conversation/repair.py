"""Tool calls and their results, put into the order that every provider asks for.

Each call is answered in the turn right after it, results in the order of their calls, nothing answered twice
and nothing answered that was never asked. A history that is whole comes out as it went in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ccproxy.conversation.losses import Loss
from ccproxy.conversation.parts import Part, Text, ToolCall, ToolResult
from ccproxy.conversation.request import Turn

NO_RESULT = "[no result]"


@dataclass(slots=True)
class _Slot:
    """One call, where it stood, and the result that was found for it."""

    call: ToolCall
    path: str
    result: ToolResult | None = None


def repaired(turns: Sequence[Turn]) -> tuple[tuple[Turn, ...], tuple[Loss, ...]]:
    """The history with every call answered at once, and what had to be made up or dropped for it.

    A call without a result gets the error result `[no result]`; a result without a call becomes text of the
    user where it stood; a second result of the same call is dropped; a call id that is used again is made
    unique together with its result. A result is `custom` when its call is. Assistant turns in a row become
    one when an earlier one calls a tool, so that their results can follow together.
    """
    pairs = _Pairs()
    # every result has to be seen before the first call can be answered
    taken = [(turn, *pairs.take(turn)) for turn in _joined(turns)]
    done: list[Turn] = []
    answers: tuple[Part, ...] = ()
    for before, turn, slots in taken:
        if answers and turn.role != "user":
            done.append(Turn("user", answers, done[-1].path))
            answers = ()
        if parts := answers + turn.parts:
            done.append(replace(turn, parts=parts))
        elif not before.parts:
            # it was empty from the start: whether that is an error is for the encoder to say
            done.append(turn)
        answers = tuple(pairs.answer(slot) for slot in slots)
    if answers:
        done.append(Turn("user", answers, done[-1].path))
    return tuple(done), tuple(pairs.losses)


class _Pairs:
    """Finds for each call its result: the first with its id that comes after it."""

    def __init__(self) -> None:
        self.losses: list[Loss] = []
        self._turn = 0
        self._waiting: dict[str, tuple[int, list[_Slot]]] = {}
        self._ids: dict[str, int] = {}

    def take(self, turn: Turn) -> tuple[Turn, list[_Slot]]:
        """The turn without the results that found their call, and its own calls."""
        self._turn += 1
        parts: list[Part] = []
        slots: list[_Slot] = []
        for part in turn.parts:
            if isinstance(part, ToolCall) and turn.role == "assistant":
                slot = _Slot(replace(part, id=self._unique(part.id)), turn.path)
                slots.append(slot)
                parts.append(slot.call)
                self._ask(part.id, slot)
            elif isinstance(part, ToolResult):
                parts.extend(self._settle(part, turn.path))
            else:
                parts.append(part)
        return replace(turn, parts=tuple(parts)), slots

    def answer(self, slot: _Slot) -> ToolResult:
        call = slot.call
        if slot.result:
            return replace(slot.result, call_id=call.id, custom=call.custom)
        self.losses.append(Loss(slot.path, f"The call of the tool {call.name!r} has no result.", "repaired"))
        return ToolResult(call.id, (Text(NO_RESULT),), is_error=True, custom=call.custom)

    def _ask(self, call_id: str, slot: _Slot) -> None:
        turn, waiting = self._waiting.get(call_id, (0, []))
        # a call of an earlier turn that is still open when its id comes again was never answered
        waiting = waiting if turn == self._turn else []
        waiting.append(slot)
        self._waiting[call_id] = (self._turn, waiting)

    def _settle(self, result: ToolResult, path: str) -> tuple[Part, ...]:
        _, waiting = self._waiting.get(result.call_id, (0, None))
        if waiting:
            waiting.pop(0).result = result
            return ()
        if waiting is not None:
            self.losses.append(Loss(path, "A second result of the same tool call was left out.", "repaired"))
            return ()
        self.losses.append(Loss(path, "A tool result without its call went as text.", "repaired"))
        kind = "error" if result.is_error else "result"
        return Text(f"[{kind} of the tool call {result.call_id}]"), *result.parts

    def _unique(self, call_id: str) -> str:
        unique = call_id
        while unique in self._ids:
            self._ids[call_id] += 1
            unique = f"{call_id}_{self._ids[call_id]}"
        self._ids[unique] = 1
        return unique


def _joined(turns: Sequence[Turn]) -> list[Turn]:
    joined: list[Turn] = []
    for turn in turns:
        last = joined[-1] if joined else None
        if (
            last
            and last.role == turn.role == "assistant"
            and any(isinstance(p, ToolCall) for p in last.parts)
        ):
            joined[-1] = replace(last, parts=last.parts + turn.parts)
        else:
            joined.append(turn)
    return joined
