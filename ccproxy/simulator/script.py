"""The neutral shapes of the simulator: a request as a scenario sees it, and the answer it writes.

Each upstream fills a `Prompt` from its own request format and renders the `Script` in its own answer format.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ccproxy.simulator import tokens

PIECE_LENGTH = 12  # characters, at least, of one streamed piece

type Role = Literal["system", "user", "assistant"]
type Stop = Literal["end", "tool_use", "max_tokens", "stop_sequence", "refusal", "pause_turn"]


# --- what goes in ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToolResult:
    call_id: str
    text: str
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the history. `texts` are its text blocks, `results` the tool results it brings.

    A tool message of Chat Completions, or an output item of Responses, is a `user` message with results only.
    """

    role: Role
    texts: tuple[str, ...] = ()
    results: tuple[ToolResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that was offered. `schema` is None for a tool that takes free text, such as `example`."""

    name: str
    schema: Mapping[str, Any] | None
    example: str = "example"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request, seen by a scenario.

    `forced` names the tool that must be called (for "any" or "required": the first one offered).
    Without `thinking` a scenario's thoughts are left out; with `must_think` every answer begins with one.
    `json_schema` is the schema the answer must follow, when structured output was asked for.
    `max_tokens` and `stop_sequences` end an answer early, as they do upstream.
    """

    model: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    forced: str | None = None
    parallel: bool = True
    thinking: bool = True
    must_think: bool = False
    json_schema: Mapping[str, Any] | None = None
    max_tokens: int | None = None
    stop_sequences: tuple[str, ...] = ()


# --- what comes out ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Thinking:
    pieces: tuple[str, ...]

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Text:
    pieces: tuple[str, ...]

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`input` is a JSON object, or the plain text for a tool without a schema."""

    name: str
    input: dict[str, Any] | str

    @property
    def text(self) -> str:
        """The input as it goes over the wire: compact JSON with non-ASCII kept, or the free text."""
        if isinstance(self.input, str):
            return self.input
        return json.dumps(self.input, ensure_ascii=False, separators=(",", ":"))

    @property
    def pieces(self) -> tuple[str, ...]:
        return pieces(self.text)


type Part = Thinking | Text | ToolCall


@dataclass(frozen=True, slots=True)
class HttpError:
    """An error answer. `type` is the upstream's own name for it; None = its usual one for that status."""

    status: int
    type: str | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class StreamError:
    """An error event after `after` events of a stream that began with 200; without streaming a plain 529."""

    after: int


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection ends after `after` events; without streaming: in the middle of the body."""

    after: int


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing more is sent after `after` events (None: not even headers), for `seconds` (None: for ever)."""

    after: int | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection is closed before the first byte of an answer."""


type Fault = HttpError | StreamError | Cut | Silence | Drop


@dataclass(frozen=True, slots=True)
class Script:
    """A whole answer. `pause`: seconds before each piece of text. `stop_sequence`: the one that was met.

    `fault` strikes every time, or with `once` only the first time (see `Simulator.script`).
    """

    parts: tuple[Part, ...]
    stop: Stop = "end"
    stop_sequence: str | None = None
    pause: float = 0.0
    gzip: bool = False
    fault: Fault | None = None
    once: bool = False

    @property
    def thinking_tokens(self) -> int:
        return sum(tokens.estimate(part.text) for part in self.parts if isinstance(part, Thinking))

    @property
    def output_tokens(self) -> int:
        """All generated tokens, thinking included; a tool call counts its name and its input."""
        names = sum(tokens.estimate(part.name) for part in self.parts if isinstance(part, ToolCall))
        return names + sum(tokens.estimate(part.text) for part in self.parts)


def pieces(text: str, length: int = PIECE_LENGTH) -> tuple[str, ...]:
    """`text` in streamable pieces that break after white space; joined they are `text` again."""
    found: list[str] = []
    piece = ""
    for word in re.findall(r"\s*\S+\s?|\s+", text):
        piece += word
        if len(piece) >= length:
            found.append(piece)
            piece = ""
    return (*found, piece) if piece else tuple(found)


def said(text: str) -> Text:
    """A text part in pieces of the usual size."""
    return Text(pieces(text))
