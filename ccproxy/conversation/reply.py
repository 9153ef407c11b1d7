"""A whole answer, and the two ways between it and a stream: collect and replay."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ccproxy.conversation.events import (
    BlockEnded,
    BlockStarted,
    Delta,
    Event,
    Failed,
    Finished,
    Sealed,
    Started,
    StopReason,
    UsageSeen,
)
from ccproxy.conversation.parts import Part, Reasoning, Refusal, Seal, Text, ToolCall
from ccproxy.conversation.usage import Usage


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model answered; `parts` are text, refusals, reasoning and tool calls, in its order."""

    id: str
    model: str
    parts: tuple[Part, ...]
    stop: StopReason
    usage: Usage = field(default_factory=Usage)
    stop_sequence: str | None = None
    explanation: str | None = None


class Collector:
    """Takes the events of a stream and has the reply, or the failure, at its end."""

    def __init__(self) -> None:
        self.reply: Reply | None = None
        self.failure: Failed | None = None
        self._started = Started("", "")
        self._block = BlockStarted("text")
        self._texts: list[str] = []
        self._seal: Seal | None = None
        self._parts: list[Part] = []
        self._usage = Usage()

    def take(self, event: Event) -> None:
        """The next event, in order."""
        match event:
            case Started():
                self._started = event
            case BlockStarted():
                self._block, self._texts, self._seal = event, [], None
            case Delta():
                self._texts.append(event.text)
            case Sealed():
                self._seal = event.seal
            case BlockEnded():
                self._parts.append(self._part())
            case UsageSeen():
                self._usage = event.usage
            case Finished():
                self.reply = Reply(
                    self._started.id,
                    self._started.model,
                    tuple(self._parts),
                    event.stop,
                    self._usage,
                    event.stop_sequence,
                    event.explanation,
                )
            case Failed():
                self.failure = event

    def _part(self) -> Part:
        text = "".join(self._texts)
        match self._block.kind:
            case "text":
                return Text(text)
            case "refusal":
                return Refusal(text)
            case "reasoning":
                return Reasoning(text, self._seal)
            case "tool_call":
                block = self._block
                return ToolCall(block.id, block.name, text or ("" if block.custom else "{}"), block.custom)


def replay(reply: Reply) -> Iterator[Event]:
    """The stream that this reply could have come from, each block in one delta."""
    yield Started(reply.id, reply.model)
    for part in reply.parts:
        yield from _replay_part(part)
    yield UsageSeen(reply.usage)
    yield Finished(reply.stop, reply.stop_sequence, reply.explanation)


def _replay_part(part: Part) -> Iterator[Event]:
    seal, text = None, ""
    match part:
        case Text():
            block, text = BlockStarted("text"), part.text
        case Refusal():
            block, text = BlockStarted("refusal"), part.text
        case Reasoning():
            block, text, seal = BlockStarted("reasoning"), part.text, part.seal
        case ToolCall():
            block, text = BlockStarted("tool_call", part.id, part.name, part.custom), part.arguments
        case _:
            return
    yield block
    if text:
        yield Delta(text)
    if seal:
        yield Sealed(seal)
    yield BlockEnded()
