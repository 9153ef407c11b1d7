"""Who says whether what we write is right: the simulator for requests, the official SDK for answers."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import openai
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

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
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.conversation.request import Request, Turn
from ccproxy.formats.codec import AnswerTo, Names
from ccproxy.formats.responses import stream_decoder, stream_encoder
from ccproxy.formats.sse import Reader
from ccproxy.simulator.openai.catalogue import find
from ccproxy.simulator.openai.checking import validate
from ccproxy.simulator.openai.responses_request import ResponsesRequest
from ccproxy.simulator.openai.responses_rules import check, check_items, check_pairs
from ccproxy.simulator.openai.responses_store import ResponseStore
from tests.golden.cases import request_cases, stream_cases

REQUESTS = sorted({case.given for case in request_cases() if case.source == "responses"})
STREAMS = sorted({case.given for case in stream_cases() if case.source == "responses"})
GPT = ModelFacts(
    "gpt-5.6-sol",
    max_tokens=128000,
    sampling=False,
    efforts=("none", "low", "medium", "high", "xhigh"),
    reasoning=True,
)
GPT_4O = ModelFacts("gpt-4o", max_tokens=16384)

_events: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def named(paths: Iterable[Path]) -> list[Any]:
    """For parametrize."""
    return [pytest.param(path, id=path.stem) for path in paths]


def asked(*turns: Turn, wire: Wire = "anthropic", **fields: Any) -> Request:
    """A request of these turns."""
    return Request(wire, "m", turns, **fields)


def accept(body: JsonObject) -> None:
    """Raises ApiError unless the simulated API takes the body."""
    request = validate(ResponsesRequest, msgspec.json.decode(msgspec.json.encode(body)))
    check(request, find(body["model"]))
    check_items(request.items, ResponseStore())
    check_pairs(request.items)


def to(request: Request | None = None) -> AnswerTo:
    return AnswerTo("gpt-alias", "ab12", 1_700_000_000, request or asked(wire="responses"))


def events_of(stream: bytes, names: Names | None = None) -> list[Event]:
    """What the decoder makes of a stream."""
    decoder, reader = stream_decoder(names or Names()), Reader()
    events = [event for one in reader.feed(stream) for event in decoder.feed(one)]
    return events + list(decoder.end())


def written(events: Iterable[Event], answer_to: AnswerTo | None = None) -> bytes:
    """What the encoder makes of events."""
    encoder = stream_encoder(answer_to or to())
    return b"".join(encoder.feed(event) for event in events)


def data_of(stream: bytes) -> list[JsonObject]:
    """The data of each event; the event's name has to be its type, and its shape the SDK's."""
    values: list[JsonObject] = []
    for event in Reader().feed(stream):
        value = json.loads(event.data)
        assert event.name == value["type"]
        if event.name != "error":
            _events.validate_python(with_known_code(value))
        values.append(value)
    assert [value["sequence_number"] for value in values] == list(range(len(values)))
    return values


def with_known_code(value: JsonObject) -> JsonObject:
    """The SDK lists not all codes of failed responses that the API sends and Codex acts upon."""
    if value["type"] != "response.failed":
        return value
    error = {**value["response"]["error"], "code": "server_error"}
    return {**value, "response": {**value["response"], "error": error}}


def stream_of(*events: JsonObject) -> bytes:
    """An upstream's stream of these events."""
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (event["type"].encode(), msgspec.json.encode(event)) for event in events
    )


def assert_grammar(events: list[Event]) -> None:
    """Started, whole blocks one after the other, one end; or a failure, at any point or alone."""
    if isinstance(events[0], Failed):
        assert len(events) == 1
        return
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished | Failed)
    is_open = sealed = False
    for event in events[1:-1]:
        match event:
            case BlockStarted():
                assert not is_open
                is_open, sealed = True, False
            case Delta():
                assert is_open
                assert not sealed
                assert event.text
            case Sealed():
                assert is_open
                assert not sealed
                sealed = True
            case BlockEnded():
                assert is_open
                is_open = False
            case _:
                assert isinstance(event, Ping | UsageSeen)
    assert not is_open or isinstance(events[-1], Failed)


def client_of(content: bytes, content_type: str = "text/event-stream") -> openai.OpenAI:
    """The official client, in front of an upstream that gives this answer to everything."""
    transport = httpx2.MockTransport(
        lambda request: httpx2.Response(200, headers={"content-type": content_type}, content=content)
    )
    http_client = httpx2.Client(transport=transport)
    return openai.OpenAI(
        api_key="k", base_url="http://127.0.0.1:1/v1", max_retries=0, http_client=http_client
    )


def read_by_sdk(stream: bytes) -> Response:
    """The response that the SDK's stream helper puts together; raises what it raises."""
    with client_of(stream) as client, client.responses.stream(model="m", input="Hello") as helper:
        return helper.get_final_response()
