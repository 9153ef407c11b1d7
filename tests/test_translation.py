"""The glue between two formats; the formats have their own tests, and the laws are in tests/laws."""

import json

import pytest

from ccproxy.backends.models import Choice
from ccproxy.conversation.events import Failed
from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.reply import Reply
from ccproxy.formats.sse import Reader
from ccproxy.translation import Translation, parse, translate

STREAM = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message",'
    b'"role":"assistant","model":"claude-x","content":[],"stop_reason":null,"usage":{"input_tokens":3,'
    b'"output_tokens":1}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":'
    b'{"type":"text","text":""}}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":'
    b'{"type":"text_delta","text":"hello"}}\n\n'
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},'
    b'"usage":{"output_tokens":2}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)


def made(body: object, choice: Choice | None = None) -> Translation:
    return translate(
        json.dumps(body).encode(),
        "chat",
        "anthropic",
        lambda name: choice or Choice(name),
        "abc",
        1,
        "reasoning_content",
    )


HELLO = {"model": "claude-opus-4-8", "messages": [{"role": "user", "content": "hello"}]}


def test_the_chosen_model_is_asked_under_the_clients_name() -> None:
    translation = made(HELLO, Choice("claude-sonnet-4-6", None, "high"))
    body = json.loads(translation.body)
    assert body["model"] == translation.model == "claude-sonnet-4-6"
    assert body["output_config"]["effort"] == "high"
    assert translation.to.model == "claude-opus-4-8"


def test_a_stream_byte_by_byte_and_in_one_piece() -> None:
    translator = made({**HELLO, "stream": True}).stream()
    pieces = [piece for i in range(len(STREAM)) for piece in translator.feed(STREAM[i : i + 1])]
    assert all(pieces)
    whole = made({**HELLO, "stream": True}).stream()
    assert b"".join(pieces) == b"".join(whole.feed(STREAM))
    assert translator.end() == whole.end() == []
    datas = [event.data for event in Reader().feed(b"".join(pieces))]
    assert datas[-1] == "[DONE]"
    assert translator.fail(Failed("api_error", "late")) == []
    assert translator.ping() == []


def test_a_stream_that_breaks_off_is_an_error() -> None:
    translator = made({**HELLO, "stream": True}).stream()
    translator.feed(STREAM[:400])
    (piece,) = translator.end()
    assert json.loads(piece.removeprefix(b"data: "))["error"]["message"]


def test_the_whole_reply_is_told_to_who_wants_it() -> None:
    told: list[Reply] = []
    made({**HELLO, "stream": True}).stream(told.append).feed(STREAM)
    assert [part.text for part in told[0].parts] == ["hello"]  # type: ignore[union-attr]


def test_a_stream_for_a_client_that_wants_json_and_json_for_one_that_wants_a_stream() -> None:
    translation = made(HELLO)
    reply = translation.collect(STREAM)
    assert isinstance(reply, Reply)
    assert json.loads(translation.encode(reply))["choices"][0]["message"]["content"] == "hello"
    streamed = [event.data for event in Reader().feed(translation.encode_as_stream(reply))]
    assert streamed[-1] == "[DONE]"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"\xff", b"[" * 100_000])
def test_an_answer_that_is_no_json_object(body: bytes) -> None:
    assert isinstance(made(HELLO).reply(body), Failed)
    assert isinstance(made(HELLO).collect(body), Failed)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'"x"', b"{", b"\xff", b'{"a":NaN}', b"[" * 100_000, b'{"a":' * 100_000]
)
def test_a_request_that_is_no_json_object(body: bytes) -> None:
    with pytest.raises(RequestError):
        parse(body)
