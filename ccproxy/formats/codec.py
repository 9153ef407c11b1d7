"""The faces of a wire format: what every format package offers, so that N formats need N codecs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from ccproxy.conversation.events import Event, Failed
from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.losses import Loss
from ccproxy.conversation.parts import JsonObject
from ccproxy.conversation.reply import Reply
from ccproxy.conversation.request import Request
from ccproxy.formats.sse import ServerSentEvent

ReasoningShown = Literal["reasoning_content", "tags", "off"]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A client's request, and what its format could say but no conversation can hold."""

    request: Request
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class Names:
    """How tools were renamed on their way to the upstream, to be undone in its answer.

    `original` maps a name on the wire to the client's; `custom` holds the client's names of custom tools
    that went as functions with one property `input`.
    """

    original: Mapping[str, str] = field(default_factory=dict)
    custom: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Encoded:
    """A request as an upstream takes it."""

    body: JsonObject
    losses: tuple[Loss, ...] = ()
    names: Names = Names()


@dataclass(frozen=True, slots=True)
class AnswerTo:
    """What an encoder of answers has to know of the client.

    `model` is the name that the client asked for; `id` makes ids of ours unique (hex digits); `created` is
    in seconds of the epoch; `request` is what the client asked, for formats that repeat it in their answer.
    """

    model: str
    id: str
    created: int
    request: Request
    reasoning: ReasoningShown = "reasoning_content"


class StreamDecoder(Protocol):
    """An upstream's stream, as events in the grammar of `ccproxy.conversation.events`, whatever comes in."""

    def feed(self, event: ServerSentEvent) -> Iterable[Event]:
        """The events that this one makes."""
        ...

    def end(self) -> Iterable[Event]:
        """The stream has ended: what is still to be said, a Failed when the upstream broke off."""
        ...


class StreamEncoder(Protocol):
    """Events, as the stream that a client reads."""

    def feed(self, event: Event) -> bytes:
        """The bytes for this event, whole server-sent events; may be empty."""
        ...


class Codec(Protocol):
    """One wire format. Modules offer these as functions and classes of the same names."""

    def decode_request(self, body: JsonObject) -> Decoded:
        """Raises RequestError for what is wrong or cannot be carried at all."""
        ...

    def encode_request(self, request: Request, facts: ModelFacts) -> Encoded:
        """For the model `facts.id`. Raises RequestError for what must not be dropped."""
        ...

    def decode_reply(self, body: JsonObject, names: Names) -> Reply | Failed: ...

    def encode_reply(self, reply: Reply, to: AnswerTo) -> JsonObject: ...

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> Failed:
        """An upstream's error answer; header names in lower case."""
        ...

    def encode_error(self, failed: Failed, request_id: str) -> bytes:
        """The JSON body of an error answer."""
        ...

    def stream_decoder(self, names: Names) -> StreamDecoder: ...

    def stream_encoder(self, to: AnswerTo) -> StreamEncoder: ...
