"""Who says whether what we write is right: the simulator for requests, the official SDK for answers."""

from collections.abc import Iterable
from typing import Any

import anthropic
import httpx2
import msgspec
from anthropic.lib.streaming import MessageStream
from anthropic.types import Message

from ccproxy.conversation.events import Event
from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.conversation.request import Params, Request, Turn
from ccproxy.formats.anthropic import stream_decoder, stream_encoder
from ccproxy.formats.codec import AnswerTo, Names
from ccproxy.formats.sse import Reader
from ccproxy.simulator.anthropic import conversation, params, thinking
from ccproxy.simulator.anthropic.caller import NEW_VERSION, OLD_VERSION, Caller
from ccproxy.simulator.anthropic.catalogue import find_model
from ccproxy.simulator.anthropic.request import MessagesRequest, read

OPUS_5 = ModelFacts(
    "claude-opus-5",
    max_tokens=128000,
    sampling=False,
    efforts=("low", "medium", "high", "xhigh", "max"),
    adaptive=True,
    disabled=True,
    system_turns=True,
    prefill=False,
)
OPUS_4_8 = ModelFacts(
    "claude-opus-4-8",
    max_tokens=64000,
    sampling=False,
    efforts=("low", "medium", "high", "xhigh", "max"),
    budget=True,
    adaptive=True,
    disabled=True,
    system_turns=True,
    prefill=False,
)
HAIKU_4_5 = ModelFacts("claude-haiku-4-5", max_tokens=64000, budget=True, disabled=True)


def asked(*turns: Turn, wire: Wire = "chat", **fields: Any) -> Request:
    """A request of these turns."""
    return Request(wire, "m", turns, **fields)


def accept(body: JsonObject) -> None:
    """Raises ApiError unless the simulated API takes the body, in both versions as far as it may."""
    request, raw = read(msgspec.json.encode(body), None, MessagesRequest)
    model = find_model(request.model)
    assert model is not None
    has_sampling = any(key in body for key in ("temperature", "top_p", "top_k"))
    for version in (OLD_VERSION,) if has_sampling else (OLD_VERSION, NEW_VERSION):
        caller = Caller("key", "k", version, frozenset())
        params.check(request, raw, caller, model)
        conversation.check(request, caller, model)
        thinking.check(request, model)


def to(**fields: Any) -> AnswerTo:
    request = asked(wire="anthropic", params=Params())
    return AnswerTo("claude-alias", "ab12", 1_700_000_000, fields.pop("request", request), **fields)


def events_of(stream: bytes, names: Names | None = None) -> list[Event]:
    """What the decoder makes of a stream."""
    decoder, reader = stream_decoder(names or Names()), Reader()
    events = [event for one in reader.feed(stream) for event in decoder.feed(one)]
    return events + list(decoder.end())


def written(events: Iterable[Event], answer_to: AnswerTo | None = None) -> bytes:
    """What the encoder makes of events."""
    encoder = stream_encoder(answer_to or to())
    return b"".join(encoder.feed(event) for event in events)


def read_by_sdk(stream: bytes) -> Message:
    """The message that the SDK's stream helper puts together; raises what it raises."""
    transport = httpx2.MockTransport(
        lambda request: httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=stream)
    )
    with anthropic.Anthropic(
        api_key="k",
        base_url="http://127.0.0.1:1",
        max_retries=0,
        http_client=httpx2.Client(transport=transport),
    ) as client:
        manager = client.messages.stream(
            model="m", max_tokens=10, messages=[{"role": "user", "content": "Hello"}]
        )
        with manager as helper:
            assert isinstance(helper, MessageStream)
            return helper.get_final_message()
