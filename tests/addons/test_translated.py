import gzip
import json

import pytest
from mitmproxy import http

from ccproxy import failures
from ccproxy.addons.translated import (
    EditedStream,
    TranslatedStream,
    plain_whole,
    stream_headers,
    translate_whole,
)
from ccproxy.backends.models import Choice
from ccproxy.codex.answer import PlainStream
from ccproxy.exchange import Exchange
from ccproxy.reasoning import ReasoningStore
from ccproxy.rename import StreamRenamer
from ccproxy.tap import Tap
from ccproxy.translation import Translation, translate
from tests.test_translation import STREAM

MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 2},
}


def chat_on_claude(*, stream: bool) -> tuple[Exchange, Translation]:
    body = json.dumps(
        {"model": "m", "stream": stream, "messages": [{"role": "user", "content": "x"}]}
    ).encode()
    translation = translate(body, "chat", "anthropic", Choice, "abc", 1, "reasoning_content")
    exchange = Exchange("reverse", "POST", "/", "chat", stream=stream, upstream_format="anthropic")
    return exchange, translation


def response(status: int, body: bytes, kind: str = "application/json", **more: str) -> http.Response:
    made = http.Response.make(status, body, http.Headers(content_type=kind))
    for name, value in more.items():
        made.headers[name.replace("_", "-")] = value
    return made


def whole(answer: http.Response, *, stream: bool = False) -> http.Response:
    exchange, translation = chat_on_claude(stream=stream)
    translate_whole(answer, exchange, translation, ReasoningStore())
    return answer


def test_a_reply() -> None:
    answer = whole(response(200, json.dumps(MESSAGE).encode(), anthropic_organization_id="o"))
    assert json.loads(answer.content or b"")["choices"][0]["message"]["content"] == "hello"
    assert answer.headers["content-length"] == str(len(answer.content or b""))
    assert answer.headers["anthropic-organization-id"] == "o"


def test_a_stream_for_a_client_that_wants_json() -> None:
    answer = whole(response(200, STREAM, "text/event-stream"))
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.content or b"")["choices"][0]["message"]["content"] == "hello"


def test_json_for_a_client_that_wants_a_stream() -> None:
    answer = whole(response(200, json.dumps(MESSAGE).encode()), stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (answer.content or b"").endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(("theirs", "ours"), [(429, 429), (529, 503), (400, 400)])
def test_an_error(theirs: int, ours: int) -> None:
    body = b'{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}'
    headers = {"retry_after": "7", "request_id": "req_1", "anthropic_ratelimit_requests_limit": "5"}
    answer = whole(response(theirs, body, **headers))
    assert answer.status_code == ours
    assert json.loads(answer.content or b"")["error"]["message"] == "slow down"
    assert (answer.headers["retry-after"], answer.headers["request-id"]) == ("7", "req_1")
    assert answer.headers["anthropic-ratelimit-requests-limit"] == "5"


def test_an_error_of_our_own_app_keeps_its_code() -> None:
    body = b'{"type":"error","error":{"type":"conflict_error","message":"busy"}}'
    answer = whole(response(409, body, x_ccproxy_error="session_busy"))
    assert json.loads(answer.content or b"")["error"]["code"] == "session_busy"
    assert answer.headers["x-ccproxy-error"] == "session_busy"


def test_a_page_of_an_edge_is_not_passed_on() -> None:
    answer = whole(response(502, b"<html>secret edge page</html>", "text/html"))
    assert answer.status_code == 502
    assert "secret edge" not in (answer.text or "")


def test_a_stream_is_ended_with_an_error_of_ours_once() -> None:
    exchange, translation = chat_on_claude(stream=True)
    stream = TranslatedStream(translation.stream(), Tap(exchange, sse=True, encoding=""), "")
    assert stream(STREAM[:500])
    assert stream.ping() == [b": ping\n\n"]
    (piece,) = stream.closing(failures.upstream_cut("h"), "ccp_1")
    assert "broke off" in piece.decode()
    assert stream(STREAM[500:]) == []
    assert stream(b"") == []


@pytest.mark.parametrize("encoding", ["gzip", "nonsense"])
def test_a_stream_that_cannot_be_read_is_an_error(encoding: str) -> None:
    exchange, translation = chat_on_claude(stream=True)
    stream = TranslatedStream(translation.stream(), Tap(exchange, sse=True, encoding=encoding), encoding)
    pieces = stream(b"\x01\x02\x03\n\n") + stream(b"")
    assert b"error" in b"".join(pieces)


def test_a_renamed_stream_may_always_be_ended() -> None:
    exchange = Exchange("reverse", "POST", "/", "anthropic")
    stream = EditedStream(StreamRenamer("anthropic", "mine"), Tap(exchange, sse=True, encoding=""))
    assert b'"model":"mine"' in b"".join(stream(STREAM[:300]))
    (piece,) = stream.closing(failures.upstream_cut("h"), "ccp_1")
    assert piece.startswith(b"event: error")


def test_a_renamed_stream_that_is_compressed() -> None:
    exchange = Exchange("reverse", "POST", "/", "anthropic")
    renamer = StreamRenamer("anthropic", "mine")
    stream = EditedStream(renamer, Tap(exchange, sse=True, encoding="gzip"), "gzip")
    packed = gzip.compress(STREAM)
    text = b"".join(piece for at in range(len(packed)) for piece in stream(packed[at : at + 1]))
    assert text.count(b"event: ") == STREAM.count(b"event: ")
    assert b'"model":"mine"' in text


def test_a_renamed_stream_that_cannot_be_unpacked_ends_with_an_error_once() -> None:
    exchange = Exchange("reverse", "POST", "/", "anthropic")
    renamer = StreamRenamer("anthropic", "mine")
    stream = EditedStream(renamer, Tap(exchange, sse=True, encoding="gzip"), "gzip", "ccp_1")
    [piece] = stream(b"no gzip at all")
    assert piece.startswith(b"event: error")
    assert b"ccp_1" in piece
    assert stream(b"more") == []


@pytest.mark.parametrize(("seconds", "header"), [("2.5", "3"), ("1234567", "1234567")])
def test_when_to_come_back_is_said_in_whole_seconds(seconds: str, header: str) -> None:
    error = {"type": "usage_limit_reached", "message": "x", "resets_in_seconds": float(seconds)}
    exchange = Exchange("reverse", "POST", "/", "responses", fitted=True)
    answer = response(429, json.dumps({"error": error}).encode())
    plain_whole(answer, exchange)
    assert answer.headers["retry-after"] == header
    assert answer.headers["x-should-retry"] == "false"


def test_a_whole_answer_that_is_compressed() -> None:
    done = {"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": []}}
    packed = gzip.compress(f"data: {json.dumps(done)}\n\n".encode())
    answer = http.Response.make(200, b"", http.Headers(content_type="text/event-stream"))
    answer.raw_content = packed
    answer.headers["content-encoding"] = "gzip"
    plain_whole(answer, Exchange("reverse", "POST", "/", "responses", fitted=True))
    assert "content-encoding" not in answer.headers
    assert json.loads(answer.raw_content or b"")["id"] == "resp_1"


def test_headers_of_a_stream_that_we_write() -> None:
    answer = response(200, b"", content_encoding="gzip", content_length="5")
    stream_headers(answer)
    assert "content-length" not in answer.headers
    assert "content-encoding" not in answer.headers
    assert answer.headers["transfer-encoding"] == "chunked"


def test_a_stream_of_the_plan_that_ends_too_early_ends_with_an_error() -> None:
    exchange = Exchange("reverse", "POST", "/", "responses")
    stream = EditedStream(PlainStream(), Tap(exchange, sse=True, encoding=""))
    assert stream(b'data: {"type":"response.created","response":{}}\n\n')
    assert b"".join(stream(b"")).startswith(b"event: error")
    whole = EditedStream(PlainStream(), Tap(exchange, sse=True, encoding=""))
    whole(b'data: {"type":"response.completed","response":{}}\n\n')
    assert whole(b"") == []


@pytest.mark.parametrize("plan", [True, False])
def test_what_an_edited_stream_says_of_itself_is_noted(plan: bool) -> None:
    exchange = Exchange("reverse", "POST", "/", "responses")
    tap = Tap(exchange, sse=True, encoding="")
    editor = PlainStream("mine", watch=tap.event) if plan else StreamRenamer("responses", "mine", tap.event)
    told = b'{"model":"theirs","usage":{"input_tokens":5,"output_tokens":3}}'
    body = b'event: response.completed\ndata: {"type":"response.completed","response":%s}\n\n' % told
    assert b'"model":"mine"' in b"".join(EditedStream(editor, tap)(body))
    tap.finish()
    assert (exchange.model_served, exchange.usage.input, exchange.usage.output) == ("theirs", 5, 3)
    assert exchange.bytes_out == len(body)
