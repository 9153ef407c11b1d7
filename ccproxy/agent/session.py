"""One conversation: what was said in it, and the Claude Code process that holds it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from ccproxy.agent.asked import Asked
from ccproxy.agent.history import added, blocks_of, fingerprints, joined
from ccproxy.agent.worker import Worker
from ccproxy.conversation.parts import JsonObject

CALL = "tool_use"
RESULT = "tool_result"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a request goes on: after what was `said` before (with its fingerprints), with the `new` messages.

    `goes_on`: the session's process has heard what was said.
    """

    said: tuple[JsonObject, ...]
    prints: tuple[str, ...]
    new: tuple[JsonObject, ...]
    goes_on: bool


@dataclass(eq=False, slots=True)
class Session:
    """`name` is None for a conversation that is known by its history alone. `held` are the fingerprints of
    `said`, `size` its bytes; `calls` are tool calls that the client has been given and has not answered.
    Whoever has the `lock` has the turn. `used` is on the loop's clock, in seconds.
    """

    name: str | None
    system: str
    said: tuple[JsonObject, ...] = ()
    size: int = 0
    held: tuple[str, ...] = ()
    calls: frozenset[str] = frozenset()
    worker: Worker | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    used: float = 0.0

    @property
    def is_free(self) -> bool:
        return not self.lock.locked()

    @property
    def is_live(self) -> bool:
        """Whether it has a process."""
        return self.worker is not None

    def plan(self, asked: Asked) -> Plan:
        """How to go on with this request: with what is new in it, or from the start with all it says."""
        turns = joined(asked.messages)
        known = added(self.held, asked.prints)
        if known is not None and asked.system == self.system and self.held:
            return Plan(self.said, self.held, turns[known:], goes_on=self._hears(turns[known:]))
        if self._is_next_turn_alone(asked):
            return Plan(self.said, self.held, turns, goes_on=self._hears(turns))
        return Plan((), (), turns, goes_on=False)

    def keep(self, plan: Plan, answer: Sequence[JsonObject]) -> None:
        """Remember what was said, now that the turn is over; `answer` is one message or none."""
        held = (*plan.prints, *fingerprints(plan.new), *fingerprints(answer))
        self.said, self.held = (*plan.said, *plan.new, *answer), held
        self.size = len(msgspec.json.encode(self.said)) if self.name else 0
        self.calls = frozenset(
            block["id"] for message in answer for block in message["content"] if block["type"] == CALL
        )

    def _is_next_turn_alone(self, asked: Asked) -> bool:
        """A client that names its session may leave out what was said; one that says the first turn again,
        and nothing else, begins again."""
        return (
            self.name is not None
            and bool(self.held)
            and not asked.has_history
            and asked.system in ("", self.system)
            and asked.prints[0] != self.held[0]
        )

    def _hears(self, new: Sequence[JsonObject]) -> bool:
        """Whether the process can go on with this: one turn of the user (a process hears no others), with
        exactly the results that it waits for, or none."""
        return (
            self.worker is not None
            and self.worker.alive
            and [turn["role"] for turn in new] == ["user"]
            and self.calls == results_in(new).keys()
        )


def results_in(messages: Sequence[JsonObject]) -> dict[str, JsonObject]:
    """The `tool_result` blocks by the id of their call."""
    return {
        block["tool_use_id"]: block
        for message in messages
        for block in blocks_of(message)
        if block.get("type") == RESULT and isinstance(block.get("tool_use_id"), str)
    }


def besides_results(messages: Sequence[JsonObject]) -> list[JsonObject]:
    """The other blocks. Cache marks are for Claude Code to set."""
    return [
        {name: value for name, value in block.items() if name != "cache_control"}
        for message in messages
        for block in blocks_of(message)
        if block.get("type") != RESULT
    ]
