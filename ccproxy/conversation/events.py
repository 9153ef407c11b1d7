"""A streamed answer, event by event.

The grammar, which every decoder keeps and every encoder may rely on:

    Started (BlockStarted (Delta* Sealed?) BlockEnded)* Finished

with Ping and UsageSeen anywhere after Started, and a Failed in the place of any event and of all that would
follow it: a block that is open then stays open, since a call that was cut short must not look whole.

One block is open at a time. Exactly one terminal event comes, and it is the last; a stream that fails before
it has begun is a Failed alone.
"""

from dataclasses import dataclass
from typing import Literal

from ccproxy.conversation.parts import Seal
from ccproxy.conversation.usage import Usage

StopReason = Literal[
    "end", "stop_sequence", "length", "context", "tool_calls", "pause", "refusal", "compaction"
]


@dataclass(frozen=True, slots=True)
class Started:
    """`id` and `model` are the upstream's."""

    id: str
    model: str


@dataclass(frozen=True, slots=True)
class BlockStarted:
    """A block of text, of a refusal, of reasoning, or a tool call; `id` and `name` are a tool call's."""

    kind: Literal["text", "refusal", "reasoning", "tool_call"]
    id: str = ""
    name: str = ""
    custom: bool = False


@dataclass(frozen=True, slots=True)
class Delta:
    """More of the open block: text, reasoning, or the text of a call's arguments. Never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """The seal of the open block of reasoning; the last thing before its end."""

    seal: Seal


@dataclass(frozen=True, slots=True)
class BlockEnded:
    """The open block is whole. A tool call without a Delta has no arguments: `{}`."""


@dataclass(frozen=True, slots=True)
class UsageSeen:
    """Tokens so far; cumulative, the last one counts."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Ping:
    """The upstream is alive."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The regular end. `stop_sequence` is the text that was met, `explanation` a refusal's."""

    stop: StopReason
    stop_sequence: str | None = None
    explanation: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The end by an error: the upstream's own, or that it broke off.

    `type` is an error type of the Messages API, `code` the upstream's own code where it gave one, `status`
    the HTTP status that the error stands for, `retry_after` in seconds.
    """

    type: str
    message: str
    status: int = 502
    code: str | None = None
    param: str | None = None
    retry_after: float | None = None


Event = Started | BlockStarted | Delta | Sealed | BlockEnded | UsageSeen | Ping | Finished | Failed
