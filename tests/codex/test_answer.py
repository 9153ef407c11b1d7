import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.codex.answer import PlainStream, collect
from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import JsonObject
from ccproxy.formats.sse import Reader, ServerSentEvent
from tests.laws import streams
from tests.laws.hostile import disorder
from tests.laws.pace import examples

FIRST = {"id": "msg_1", "type": "message", "content": [{"type": "output_text", "text": "hi"}], "new": [1.5]}
SECOND = {"id": "fc_1", "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
RESPONSE = {
    "id": "resp_1",
    "model": "up",
    "status": "completed",
    "output": [],
    "usage": {"x": 1},
    "future": {},
}
LIMITS = {"type": "codex.rate_limits", "plan_type": "plus"}
CREATED = {"type": "response.created", "response": {"id": "resp_1", "model": "up", "output": []}}
DELTA = {"type": "response.output_text.delta", "output_index": 0, "delta": '"model":"up" codex. \n'}


def done(index: Any, item: JsonObject) -> JsonObject:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def end(kind: str = "completed", **changes: Any) -> JsonObject:
    return {"type": f"response.{kind}", "response": {**RESPONSE, "status": kind, **changes}}


def sse(*events: JsonObject) -> bytes:
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (one["type"].encode(), json.dumps(one).encode()) for one in events
    )


def read(stream: bytes) -> list[ServerSentEvent]:
    return list(Reader().feed(stream))


def plain(*chunks: bytes, **options: Any) -> bytes:
    stream = PlainStream(**options)
    return b"".join(piece for chunk in chunks for piece in stream.feed(chunk))


def test_collect() -> None:
    stream = sse(LIMITS, CREATED, DELTA, done(1, SECOND), done(0, FIRST), end(), {"type": "codex.late"})
    assert collect(stream) == {**RESPONSE, "output": [FIRST, SECOND]}


@pytest.mark.parametrize("indexes", [(0, 0), (None, None), ("x", 0), (5, 5)])
def test_every_item_counts(indexes: tuple[Any, Any]) -> None:
    answer = collect(sse(done(indexes[0], FIRST), done(indexes[1], SECOND), end()))
    assert isinstance(answer, dict)
    assert sorted(item["id"] for item in answer["output"]) == ["fc_1", "msg_1"]


@pytest.mark.parametrize("given", [[], None, "absent"])
def test_output_that_is_missing(given: Any) -> None:
    last = end("incomplete", output=given)
    if given == "absent":
        del last["response"]["output"]
    answer = collect(sse(done(0, FIRST), last))
    assert isinstance(answer, dict)
    assert (answer["status"], answer["output"]) == ("incomplete", [FIRST])


def test_output_that_is_there() -> None:
    answer = collect(sse(done(0, FIRST), end(output=[SECOND])))
    assert answer == {**RESPONSE, "output": [SECOND]}
    assert collect(sse(end())) == RESPONSE


LIMITED = {"code": "rate_limit_exceeded", "message": "wait"}
USED_UP = {"type": "usage_limit_reached", "message": "over"}
TOO_LONG = {"type": "error", "code": "context_length_exceeded", "message": "long"}


@pytest.mark.parametrize(
    ("stream", "status", "code"),
    [
        (sse(CREATED, end("failed", error=LIMITED)), 429, "rate_limit_exceeded"),
        (sse(end("failed", error=None)), 502, None),
        (sse({"type": "response.completed", "response": {"status": "cancelled"}}), 502, None),
        (sse(TOO_LONG, end()), 400, "context_length_exceeded"),
        (sse({"type": "error", "status": 429, "error": USED_UP}), 429, "usage_limit_reached"),
        (sse(CREATED, done(0, FIRST)), 502, None),
        (sse(CREATED, end())[:-1], 502, None),
        (sse({"type": "response.completed"}), 502, None),
        (b"event: response.completed\ndata: {\n\n", 502, None),
        (b"", 502, None),
    ],
)
def test_collecting_a_failure(stream: bytes, status: int, code: str | None) -> None:
    failed = collect(stream)
    assert isinstance(failed, Failed)
    assert (failed.status, failed.code) == (status, code)


def test_plain() -> None:
    private = [
        LIMITS,
        {"type": "codex.response.metadata"},
        {"type": "responsesapi.x"},
        {"type": "response.metadata"},
    ]
    heard: list[JsonObject] = []
    stream = sse(*private, CREATED, DELTA, done(0, FIRST), *private, end())
    out = plain(stream, done=heard.append)
    whole = {**RESPONSE, "output": [FIRST]}
    assert [json.loads(event.data) for event in read(out)] == [
        CREATED,
        DELTA,
        done(0, FIRST),
        {"type": "response.completed", "response": whole},
    ]
    assert out.startswith(sse(CREATED, DELTA, done(0, FIRST)))
    assert heard == [whole]


def test_what_lacks_nothing_stays_to_the_byte() -> None:
    odd = b'data: {\n data: not JSON}\n\ndata: [DONE]\n\nevent: new\ndata: {"type":7}\n\n'
    stream = sse(CREATED, DELTA, done(0, FIRST), end(output=[FIRST], big=2**70)) + odd.replace(
        b" data", b"data"
    )
    assert plain(stream) == stream


def test_an_event_without_a_name_is_known_by_its_type() -> None:
    nameless = b"".join(b"data: %s\n\n" % json.dumps(one).encode() for one in (LIMITS, done(0, FIRST), end()))
    found = [json.loads(event.data) for event in read(plain(nameless))]
    assert [one["type"] for one in found] == ["response.output_item.done", "response.completed"]
    assert found[-1]["response"]["output"] == [FIRST]


def test_the_clients_name_of_the_model() -> None:
    heard: list[JsonObject] = []
    out = plain(sse(CREATED, DELTA, done(0, FIRST), end()), model="asked", done=heard.append)
    created, delta, _, last = [json.loads(event.data) for event in read(out)]
    assert created["response"]["model"] == last["response"]["model"] == "asked"
    assert delta == DELTA
    assert last["response"]["output"] == [FIRST]
    assert heard[0]["model"] == "up"


@pytest.mark.parametrize(
    "stream",
    [
        sse(done(0, FIRST)),
        sse(done(0, FIRST), end("failed", error={"code": "server_error", "message": "no"})),
        sse({"type": "error", "message": "no"}),
        sse(end())[:-1],
        b"event: response.completed\ndata: {\n\n",
    ],
)
def test_nobody_is_told_of_half_an_answer(stream: bytes) -> None:
    heard: list[JsonObject] = []
    plain(stream, done=heard.append)
    assert heard == []


def test_an_answer_cut_short_by_a_limit_is_an_answer() -> None:
    heard: list[JsonObject] = []
    plain(sse(done(0, FIRST), end("incomplete")), done=heard.append)
    assert heard == [{**RESPONSE, "status": "incomplete", "output": [FIRST]}]


@st.composite
def backend_streams(draw: st.DrawFn) -> bytes:
    """A stream as the plan's backend sends it, with any answer, and with the habits of servers."""
    _, stream = draw(streams.tellings("responses"))
    said = []
    for event in read(stream):
        said += draw(st.lists(st.just(ServerSentEvent("codex.rate_limits", json.dumps(LIMITS))), max_size=1))
        value = json.loads(event.data)
        if event.name == "response.completed" and draw(st.booleans()):
            value["response"]["output"] = []
        said.append(ServerSentEvent(event.name, json.dumps(value, ensure_ascii=False)))
    return streams.as_bytes(said)


@given(data=st.data())
@examples(60)
def test_cut_anywhere(data: st.DataObject) -> None:
    stream = data.draw(backend_streams())
    raw = data.draw(streams.dressed(stream))
    cuts = [0, *sorted(data.draw(st.sets(st.integers(0, len(raw)), max_size=12))), len(raw)]
    for options in ({}, {"model": "asked"}):
        heard: list[JsonObject] = []
        pieces = plain(*(raw[a:b] for a, b in itertools.pairwise(cuts)), done=heard.append, **options)
        whole = plain(raw, **options)
        assert pieces == whole
        assert [json.loads(event.data) for event in read(whole)] == [
            json.loads(event.data) for event in read(plain(stream, **options))
        ]
        assert heard == [collect(stream)]
        assert heard == [collect(raw)]


@given(data=st.data())
@examples(30)
def test_only_the_private_events_and_the_output_change(data: st.DataObject) -> None:
    stream = data.draw(backend_streams())
    before = [event for event in read(stream) if not event.name.startswith("codex.")]
    after = read(plain(stream))
    assert [event.name for event in after] == [event.name for event in before]
    assert after[:-1] == before[:-1]
    last = json.loads(after[-1].data)["response"]
    assert last["output"] == [
        json.loads(event.data)["item"] for event in before if event.name == "response.output_item.done"
    ]
    assert last == {**json.loads(before[-1].data)["response"], "output": last["output"]}


@given(data=st.data())
@examples(60)
def test_no_stream_breaks_it(data: st.DataObject) -> None:
    said = data.draw(disorder(read(data.draw(backend_streams()))))
    stream = streams.as_bytes(said)
    assert isinstance(collect(stream), dict | Failed)
    plain(stream, model="asked", done=lambda response: None)


@pytest.mark.parametrize(
    ("stream", "cut"),
    [
        (b"", True),
        (b'data: {"type":"response.created"}\n\n', True),
        (b'data: {"type":"response.completed","response":{}}\n\n', False),
        (b'data: {"type":"response.failed","response":{}}\n\n', False),
        (b'event: error\ndata: {"type":"error"}\n\n', False),
    ],
)
def test_whether_a_stream_ended_too_early(stream: bytes, cut: bool) -> None:
    plain = PlainStream()
    plain.feed(stream)
    assert plain.cut() is cut
