"""Who says whether what we write is right: the simulator for requests, the official SDK for answers."""

from collections.abc import Iterable
from typing import Any

import httpx2
import msgspec
import openai
from openai.types.chat import ChatCompletionToolParam

from ccproxy.conversation.events import (
    BlockEnded,
    BlockStarted,
    Delta,
    Event,
    Failed,
    Finished,
    Ping,
    Sealed,
    Started,
    UsageSeen,
)
from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.parts import JsonObject, Text, Wire
from ccproxy.conversation.request import Params, Request, Turn
from ccproxy.formats.chat import stream_decoder, stream_encoder
from ccproxy.formats.codec import AnswerTo, Names
from ccproxy.formats.sse import Reader
from ccproxy.simulator.openai import chat_rules
from ccproxy.simulator.openai.catalogue import find
from ccproxy.simulator.openai.chat_request import ChatRequest
from ccproxy.simulator.openai.checking import validate

GPT_5 = ModelFacts(
    "gpt-5",
    max_tokens=128000,
    sampling=False,
    efforts=("minimal", "low", "medium", "high"),
    reasoning=True,
)
GPT_4O = ModelFacts("gpt-4o", max_tokens=16384)

LOOK: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "look",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"at": {"type": "string"}},
            "required": ["at"],
            "additionalProperties": False,
        },
    },
}


def asked(*turns: Turn, wire: Wire = "anthropic", **fields: Any) -> Request:
    """A request of these turns."""
    return Request(wire, "m", turns or (Turn("user", (Text("hi"),), "messages.0"),), **fields)


def accept(body: JsonObject) -> None:
    """Raises ApiError unless the simulated API takes the body."""
    request = validate(ChatRequest, body)
    chat_rules.check(request, find(request.model))


def to(include_usage: bool = False, **fields: Any) -> AnswerTo:
    request = fields.pop("request", asked(wire="chat", params=Params(include_usage=include_usage)))
    return AnswerTo("alias", "ab12", 1_700_000_000, request, **fields)


def events_of(stream: bytes, names: Names | None = None) -> list[Event]:
    """What the decoder makes of a stream; its grammar is checked."""
    decoder, reader = stream_decoder(names or Names()), Reader()
    events = [event for one in reader.feed(stream) for event in decoder.feed(one)]
    events += decoder.end()
    check_grammar(events)
    return events


def check_grammar(events: list[Event]) -> None:
    """Started (BlockStarted (Delta* Sealed?) BlockEnded)* Finished; a Failed anywhere"""
    state = "new"
    for event in events:
        match state, event:
            case "new", Started():
                state = "between"
            case (("new" | "between" | "inside" | "sealed"), Failed()) | ("between", Finished()):
                state = "over"
            case "between", BlockStarted():
                state = "inside"
            case "inside", Delta():
                assert event.text
            case "inside", Sealed():
                state = "sealed"
            case (("inside" | "sealed"), BlockEnded()):
                state = "between"
            case (("between" | "inside" | "sealed"), (UsageSeen() | Ping())):
                pass
            case _:
                raise AssertionError(f"{event} when {state}: {events}")
    assert state == "over"


def written(events: Iterable[Event], answer_to: AnswerTo | None = None) -> bytes:
    """What the encoder makes of events."""
    encoder = stream_encoder(answer_to or to())
    return b"".join(encoder.feed(event) for event in events)


def chunks_of(stream: bytes) -> list[Any]:
    """The chunks of a stream, without its end."""
    return [msgspec.json.decode(event.data) for event in Reader().feed(stream) if event.data != "[DONE]"]


def sse(*chunks: object, done: bool = True) -> bytes:
    """A stream as an upstream sends it."""
    lines = b"".join(b"data: %s\n\n" % msgspec.json.encode(chunk) for chunk in chunks)
    return lines + (b"data: [DONE]\n\n" if done else b"")


def chunk(delta: JsonObject | None = None, finish: str | None = None, **fields: Any) -> JsonObject:
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return {
        "id": "chatcmpl-9",
        "object": "chat.completion.chunk",
        "model": "up",
        "choices": [choice],
        **fields,
    }


def call(
    index: int | None = 0, call_id: str | None = None, name: str | None = None, arguments: Any = ""
) -> Any:
    """A delta with a piece of a tool call."""
    return {
        "tool_calls": [{"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}]
    }


def client(content: bytes, content_type: str) -> openai.OpenAI:
    """The official SDK in front of an answer."""
    transport = httpx2.MockTransport(
        lambda request: httpx2.Response(200, headers={"content-type": content_type}, content=content)
    )
    return openai.OpenAI(
        api_key="k",
        base_url="http://127.0.0.1:1",
        max_retries=0,
        http_client=httpx2.Client(transport=transport),
    )


def read_by_sdk(stream: bytes, tools: Iterable[ChatCompletionToolParam] = ()) -> Any:
    """The completion that the SDK's stream helper puts together; raises what it raises."""
    with client(stream, "text/event-stream") as sdk:
        manager = sdk.chat.completions.stream(
            model="m", messages=[{"role": "user", "content": "hi"}], tools=list(tools) or openai.omit
        )
        with manager as helper:
            kinds = [event.type for event in helper]
            assert "chunk" in kinds
            return helper.get_final_completion()
