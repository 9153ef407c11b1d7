"""Answers as upstreams give them: whole, as streams, and as streams of servers with their own habits."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from hypothesis import strategies as st

from ccproxy.conversation.events import BlockEnded, BlockStarted, Delta, Event, Finished, Started
from ccproxy.conversation.parts import Part, Reasoning, Refusal, Seal, Text, ToolCall, Wire
from ccproxy.conversation.reply import Reply, replay
from ccproxy.conversation.request import Params, Request
from ccproxy.conversation.usage import Usage
from ccproxy.formats.codec import AnswerTo
from ccproxy.formats.sse import Reader, ServerSentEvent
from ccproxy.translation import CODECS
from tests.laws.conversations import arguments, call_ids, texts, tool_names

WIRES: tuple[Wire, ...] = ("anthropic", "chat", "responses")
PAIRS = [(client, upstream) for client in WIRES for upstream in WIRES if client != upstream]

_TOKENS = st.integers(0, 10**6)

ASKED = Request("chat", "m", (), params=Params(include_usage=True))


def upstream(seed: str = "1f2e") -> AnswerTo:
    """What an upstream of our making knows of its client: a client that wants to see everything."""
    return AnswerTo("upstream-model", seed, 1_700_000_000, ASKED)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Every figure is known, and the parts are no larger than their whole."""
    read, written, fresh = draw(_TOKENS), draw(_TOKENS), draw(_TOKENS)
    output = draw(_TOKENS)
    cost = draw(st.none() | st.floats(0, 1000))
    return Usage(read + written + fresh, output, read, written, draw(st.integers(0, output)), cost)


@cache
def seals(wire: Wire) -> st.SearchStrategy[Seal]:
    values = st.text("abcXYZ019+/=", min_size=4, max_size=24)
    if wire == "anthropic":
        return st.builds(Seal, st.just("anthropic"), values)
    return st.builds(Seal, st.just("openai"), values, id=st.just("rs_1"))


@cache
def _thoughts(wire: Wire) -> st.SearchStrategy[Reasoning]:
    return st.builds(Reasoning, texts(), st.none() if wire == "chat" else seals(wire))


@st.composite
def replies(draw: st.DrawFn, wire: Wire) -> Reply:
    """An answer that an upstream of this format can give, in the order that all formats can tell.

    Chat Completions tells reasoning, text and calls apart and not their order: it comes in that order here.
    """
    parts: list[Part] = [*draw(st.lists(_thoughts(wire), max_size=1 if wire == "chat" else 2))]
    refused = draw(st.booleans()) if wire != "anthropic" else False
    if refused:
        parts.append(Refusal(draw(texts())))
    else:
        parts += draw(st.lists(st.builds(Text, texts()), max_size=1))
    ids = draw(st.lists(call_ids(), max_size=3, unique=True)) if not refused else []
    parts += [ToolCall(one, draw(tool_names()), json.dumps(draw(st.just({}) | arguments()))) for one in ids]
    usage = draw(usages())
    if ids:
        return Reply("up_1", "upstream-model", tuple(parts), "tool_calls", usage)
    stop = "refusal" if refused else draw(st.sampled_from(("end", "length")))
    return Reply("up_1", "upstream-model", tuple(parts), stop, usage)  # type: ignore[arg-type]


@st.composite
def tellings(draw: st.DrawFn, wire: Wire) -> tuple[Reply, bytes]:
    """A reply and a stream of it, its texts cut into pieces."""
    reply = draw(replies(wire))
    events = [piece for event in replay(reply) for piece in _pieces(draw, event)]
    if draw(st.booleans()):
        # a call without arguments may come without any piece of them
        events = [event for event in events if event != Delta("{}")]
    return reply, written(wire, events)


def asking(reply: Reply, call: ToolCall) -> Reply:
    """The same reply, with this call alone."""
    thoughts = tuple(part for part in reply.parts if isinstance(part, Reasoning | Text))
    return replace(reply, parts=(*thoughts, call), stop="tool_calls")


def _pieces(draw: st.DrawFn, event: Event) -> Iterator[Event]:
    if not isinstance(event, Delta):
        yield event
        return
    at = sorted(draw(st.sets(st.integers(1, max(1, len(event.text) - 1)), max_size=3)))
    for start, end in zip([0, *at], [*at, len(event.text)], strict=True):
        if piece := event.text[start:end]:
            yield Delta(piece)


def written(wire: Wire, events: list[Event]) -> bytes:
    encoder = CODECS[wire].stream_encoder(upstream())
    return b"".join(encoder.feed(event) for event in events)


def server_sent(stream: bytes) -> list[ServerSentEvent]:
    return list(Reader().feed(stream))


def as_bytes(events: list[ServerSentEvent], newline: str = "\n") -> bytes:
    lines = [
        line
        for event in events
        for line in (
            *([f"event: {event.name}"] if event.name else []),
            *(f"data: {part}" for part in event.data.split("\n")),
            "",
        )
    ]
    return "".join(line + newline for line in lines).encode("utf-8", "replace")


def in_lines(event: ServerSentEvent) -> ServerSentEvent:
    """The same event with a line of data for the first brace: between two tokens JSON may have a break."""
    return ServerSentEvent(event.name, event.data.replace("{", "{\n", 1))


@st.composite
def dressed(draw: st.DrawFn, stream: bytes) -> bytes:
    """The same stream as another server would write it: line ends, BOM, comments, other fields."""
    newline = draw(st.sampled_from(("\n", "\r\n", "\r")))
    pieces = [b"\xef\xbb\xbf"] if draw(st.booleans()) else []
    for event in server_sent(stream):
        if draw(st.booleans()):
            pieces.append(f": alive{newline}".encode())
        if draw(st.booleans()):
            pieces.append(f"id: 7{newline}retry: 10{newline}unheard{newline}".encode())
        written_event = as_bytes([in_lines(event)] if draw(st.booleans()) else [event], newline)
        pieces.append(written_event.replace(b"data: ", b"data:", 1) if draw(st.booleans()) else written_event)
    return b"".join(pieces)


def hello(wire: Wire) -> bytes:
    """The stream of a short answer."""
    said: list[Event] = [Started("up_1", "m"), BlockStarted("text"), Delta("hello"), BlockEnded()]
    return written(wire, [*said, Finished("end")])
