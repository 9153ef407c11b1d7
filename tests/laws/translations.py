"""Translations as the proxy makes them, and what two replies have in common."""

import json
from collections.abc import Iterable
from typing import Any

from ccproxy.backends.models import Choice
from ccproxy.conversation.events import Event, Failed
from ccproxy.conversation.parts import JsonObject, Reasoning, Refusal, Text, ToolCall, Wire
from ccproxy.conversation.reply import Collector, Reply
from ccproxy.formats.codec import Names
from ccproxy.formats.sse import ServerSentEvent
from ccproxy.translation import CODECS, Translation, translate
from tests.laws.conversations import MODELS

HELLO: dict[Wire, JsonObject] = {
    "anthropic": {"model": "asked", "max_tokens": 99, "messages": [{"role": "user", "content": "hello"}]},
    "chat": {
        "model": "asked",
        "messages": [{"role": "user", "content": "hello"}],
        "stream_options": {"include_usage": True},
    },
    "responses": {"model": "asked", "input": "hello"},
}


def translated(
    body: JsonObject | bytes, client: Wire, upstream: Wire, models: dict[Wire, str] = MODELS
) -> Translation:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    model = models[upstream]
    return translate(raw, client, upstream, lambda asked: Choice(model), "0a1b", 1, "reasoning_content")


def hello(client: Wire, upstream: Wire) -> Translation:
    return translated({**HELLO[client], "stream": True}, client, upstream)


def streamed(translation: Translation, chunks: Iterable[bytes]) -> bytes:
    """What the client reads of an upstream's stream that comes in these chunks."""
    translator = translation.stream()
    pieces = [piece for chunk in chunks for piece in translator.feed(chunk)]
    return b"".join([*pieces, *translator.end()])


def events_of(wire: Wire, said: Iterable[ServerSentEvent], names: Names | None = None) -> list[Event]:
    """Everything that the decoder of this format makes of a stream."""
    decoder = CODECS[wire].stream_decoder(names or Names())
    return [*(event for one in said for event in decoder.feed(one)), *decoder.end()]


def collected(events: Iterable[Event]) -> Reply | Failed:
    collector = Collector()
    for event in events:
        collector.take(event)
    result = collector.reply or collector.failure
    assert result is not None
    return result


def gist(reply: Reply | Failed) -> Any:
    """What a reply says, whatever pieces it was said in: compare two replies by this."""
    if isinstance(reply, Failed):
        return reply
    kinds: dict[str, list[Any]] = {"reasoning": [], "seals": [], "text": [], "refusal": [], "calls": []}
    for part in reply.parts:
        match part:
            case Reasoning():
                kinds["reasoning"].append(part.text)
                kinds["seals"] += [part.seal] if part.seal else []
            case Text():
                kinds["text"].append(part.text)
            case Refusal():
                kinds["refusal"].append(part.text)
            case ToolCall():
                kinds["calls"].append((part.id, part.name, part.custom, _value(part)))
    said = {name: value if name in ("calls", "seals") else "".join(value) for name, value in kinds.items()}
    return said | {"stop": reply.stop, "usage": reply.usage}


def _value(call: ToolCall) -> Any:
    return call.arguments if call.custom else json.loads(call.arguments)
