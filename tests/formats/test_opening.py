import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import Wire
from ccproxy.formats.codec import Names
from ccproxy.formats.opening import MOST_HELD, Opening, Refusal, Verdict
from ccproxy.formats.sse import Reader
from ccproxy.translation import CODECS
from tests.conformance.translating import chunk, chunks, completed, created, message_item, message_start, sse

QUEUED = {**created(), "type": "response.queued"}
LIMITS = {"type": "codex.rate_limits", "rate_limits": {"primary": {"used_percent": 100}}}
USED_UP = {"type": "usage_limit_reached", "message": "Used up.", "plan_type": "plus", "resets_in_seconds": 90}
PLEASE_WAIT = {"code": "rate_limit_exceeded", "message": "Please try again in 250ms."}
OVERLOADED = {"type": "overloaded_error", "message": "Overloaded"}


def said(wire: Wire, stream: bytes) -> Verdict:
    return Opening(wire).feed(stream)


def refused(wire: Wire, stream: bytes) -> tuple[Refusal, Any]:
    verdict = said(wire, stream)
    assert isinstance(verdict, Refusal)
    return verdict, json.loads(verdict.body)


@pytest.mark.parametrize(
    ("wire", "stream"),
    [
        ("anthropic", b""),
        ("anthropic", b": a comment\n\n" + sse({"type": "ping"}, {"type": "ping"})),
        ("anthropic", sse(message_start())[:-1]),
        ("chat", b": PROCESSING\n\n: PROCESSING\n\n"),
        ("responses", sse(QUEUED, created(), {**created(), "type": "response.in_progress"}, LIMITS)),
        ("responses", sse(created()) + b"event: codex.response.metadata\ndata: {}\n\n"),
    ],
)
def test_nothing_said_yet(wire: Wire, stream: bytes) -> None:
    assert said(wire, stream) == "wait"


@pytest.mark.parametrize(
    ("wire", "stream"),
    [
        ("anthropic", sse({"type": "ping"}, message_start())),
        ("anthropic", sse(message_start(), {"type": "error", "error": OVERLOADED})),
        ("anthropic", sse({"type": "nobody_knows"})),
        ("chat", chunks(chunk(role="assistant"))),
        ("chat", chunks({"choices": [], "error": None})),
        ("chat", chunks("[DONE]")),
        ("responses", sse(created(), *message_item(0, "Hello."), completed("failed", error=PLEASE_WAIT))),
        ("responses", sse(completed())),
        ("responses", sse(completed("incomplete"))),
        ("responses", sse({"type": "keepalive"})),
        ("anthropic", b"event: error\ndata: no JSON\n\n"),
        ("responses", b"data: []\n\n"),
        ("chat", b"data: " + b"[" * 5000 + b"\n\n"),
    ],
)
def test_an_answer(wire: Wire, stream: bytes) -> None:
    assert said(wire, stream) == "go on"


def test_of_anthropic() -> None:
    event = {"type": "error", "error": OVERLOADED, "request_id": "req_1"}
    assert refused("anthropic", sse({"type": "ping"}, event)) == (
        Refusal(529, json.dumps(event, separators=(",", ":")).encode()),
        event,
    )


@pytest.mark.parametrize(
    ("error", "status", "object_"),
    [
        (
            {"message": "No.", "type": "server_error", "param": None, "code": "server_is_overloaded"},
            503,
            {"message": "No.", "type": "server_error", "param": None, "code": "server_is_overloaded"},
        ),
        (
            {"message": "No.", "code": 429, "metadata": {"provider": "x"}},
            429,
            {
                "message": "No.",
                "type": "rate_limit_error",
                "param": None,
                "code": "rate_limit_exceeded",
                "metadata": {"provider": "x"},
            },
        ),
        ("No.", 502, {"message": "No.", "type": "server_error", "param": None, "code": None}),
    ],
)
def test_of_chat(error: object, status: int, object_: dict[str, Any]) -> None:
    refusal, body = refused("chat", chunks({"error": error}))
    assert (refusal.status, body) == (status, {"error": object_})


def test_of_chat_by_the_events_name() -> None:
    refusal, body = refused("chat", b'event: error\ndata: {"message":"No.","type":"server_error"}\n\n')
    assert (refusal.status, body["error"]["message"]) == (500, "No.")


@pytest.mark.parametrize(
    ("event", "status", "wait", "object_"),
    [
        (
            completed("failed", error=PLEASE_WAIT),
            429,
            0.25,
            {**PLEASE_WAIT, "type": "rate_limit_error", "param": None},
        ),
        (
            {"type": "error", "status": 429, "error": USED_UP},
            429,
            90,
            {**USED_UP, "code": "usage_limit_reached", "param": None},
        ),
        (
            {"type": "error", "code": "slow_down", "message": "No.", "param": None, "sequence_number": 1},
            503,
            None,
            {"code": "slow_down", "message": "No.", "type": "server_error", "param": None},
        ),
        (
            completed("failed", error={"code": "context_length_exceeded", "message": "Too much."}),
            400,
            None,
            {
                "code": "context_length_exceeded",
                "message": "Too much.",
                "type": "invalid_request_error",
                "param": None,
            },
        ),
        (
            {"type": "response.failed", "response": None},
            502,
            None,
            {
                "message": "The upstream failed and did not say why.",
                "type": "server_error",
                "param": None,
                "code": None,
            },
        ),
    ],
)
def test_of_responses(
    event: dict[str, Any], status: int, wait: float | None, object_: dict[str, Any]
) -> None:
    """What the upstream said is all there, for its own clients, and what they look for besides."""
    refusal, body = refused("responses", sse(created(), event))
    assert (refusal.status, refusal.retry_after, body) == (status, wait, {"error": object_})


FAILURES: list[tuple[Wire, bytes]] = [
    ("anthropic", sse({"type": "error", "error": OVERLOADED})),
    ("anthropic", sse({"type": "error", "error": {"type": "rate_limit_error", "message": "Slowly."}})),
    ("anthropic", sse({"type": "error", "error": None})),
    ("chat", chunks({"error": {"message": "x", "type": "overloaded_error"}})),
    ("chat", chunks({"error": {"message": "x", "code": "insufficient_quota", "type": "insufficient_quota"}})),
    ("chat", chunks({"error": {"message": "x", "code": "rate_limit_exceeded"}})),
    ("responses", sse(created(), completed("failed", error=PLEASE_WAIT))),
    ("responses", sse(created(), {"type": "error", "error": USED_UP})),
    ("responses", sse({"type": "error", "code": "server_is_overloaded", "message": "x"})),
    ("responses", sse(completed("failed", error={"code": "server_error", "message": "x"}))),
    ("responses", sse(completed("failed", error={"code": "context_length_exceeded", "message": "x"}))),
]


@pytest.mark.parametrize(("wire", "stream"), FAILURES)
def test_it_means_what_it_meant_in_the_stream(wire: Wire, stream: bytes) -> None:
    """A client of another format gets the same error as from the stream itself."""
    refusal, _ = refused(wire, stream)
    decoder = CODECS[wire].stream_decoder(Names())
    events = [event for one in Reader().feed(stream) for event in decoder.feed(one)]
    inside = events[-1]
    assert isinstance(inside, Failed)
    outside = CODECS[wire].decode_error(refusal.status, {}, refusal.body)
    assert (outside.type, outside.status, outside.retry_after) == (
        inside.type,
        inside.status,
        inside.retry_after,
    )
    if inside.code:
        assert outside.code == inside.code


STREAMS: list[tuple[Wire, bytes]] = [
    *FAILURES,
    ("anthropic", sse({"type": "ping"}, message_start())),
    ("chat", chunks(chunk(content="ä"))),
    ("responses", sse(created(), *message_item(0, "Hello."), completed("failed", error=PLEASE_WAIT))),
]


@given(st.sampled_from(STREAMS), st.sampled_from([b"\n", b"\r\n", b"\r"]), st.data())
def test_any_cut_gives_the_same_verdict(
    case: tuple[Wire, bytes], newline: bytes, data: st.DataObject
) -> None:
    wire, stream = case
    raw = (b": hello\n\n" + stream).replace(b"\n", newline)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(raw)), max_size=8)))
    opening = Opening(wire)
    verdicts = [opening.feed(raw[a:b]) for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    first = next(verdict for verdict in verdicts if verdict != "wait")
    assert first == said(wire, stream)


@pytest.mark.parametrize("size", [MOST_HELD, 1000, MOST_HELD - 1])
def test_a_beginning_without_an_end(size: int) -> None:
    """What stands behind the limit is not read, however the bytes come."""
    stream = b": x\n" * (MOST_HELD // 4) + sse({"type": "error", "error": OVERLOADED})
    opening = Opening("anthropic")
    verdicts = [opening.feed(stream[at : at + size]) for at in range(0, len(stream), size)]
    assert next(verdict for verdict in verdicts if verdict != "wait") == "go on"
    assert said("anthropic", stream) == "go on"
