"""An exchange in a few words."""

from mitmproxy.utils.emoji import emoji

from ccproxy import failures
from ccproxy.conversation.losses import Loss
from ccproxy.conversation.usage import Usage
from ccproxy.exchange import Exchange
from ccproxy.inspector.notes import FAILED, LOSSY, comment, mark, turn_comment, turn_mark


def exchange() -> Exchange:
    made = Exchange("reverse", "POST", "/api/v1/messages", policy="attach", status=200)
    made.model_requested = made.model_served = "claude-opus-4-8"
    return made


def test_what_went_well() -> None:
    made = exchange()
    made.usage = Usage(input=812, output=45, cache_read=600, cost=0.01234)
    made.first_byte = made.started + 0.42
    assert comment(made) == "claude-opus-4-8, 812 in (600 from the cache), 45 out, $0.0123, first byte 0.42 s"
    assert mark(made) == ""


def test_another_model_and_losses() -> None:
    made = exchange()
    made.model_sent, made.model_served = "gpt-5.5", "gpt-5.5-2026-10-01"
    made.losses = (Loss("top_k", "why"), Loss("top_k", "why"), Loss("temperature", "why", "clamped"))
    assert comment(made) == "claude-opus-4-8 → gpt-5.5-2026-10-01, lost: top_k temperature(clamped)"
    assert mark(made) == LOSSY


def test_errors() -> None:
    made = exchange()
    made.error, made.retries = "overloaded_error", 2
    assert comment(made) == "claude-opus-4-8, retries 2, overloaded_error"
    made.losses = (Loss("top_k", "why"),)
    assert mark(made) == FAILED
    refused = exchange()
    refused.failure = failures.not_available("x")
    assert refused.failure.code in comment(refused)
    assert mark(refused) == FAILED
    rejected = exchange()
    rejected.status = 429
    assert mark(rejected) == FAILED


def test_what_is_no_conversation() -> None:
    made = Exchange("reverse", "GET", "/health", status=200)
    made.first_byte = made.started + 1
    assert comment(made) == ""


def test_a_turn_on_a_socket() -> None:
    end = (
        b'{"type":"response.completed","response":{"model":"m","usage":{"input_tokens":3,"output_tokens":4}}}'
    )
    assert turn_comment(end, 2) == "turn 2, m, 3 in, 4 out"
    assert turn_comment(b'{"type":"response.created","response":{}}', 1) is None
    assert turn_comment(b"\xff", 1) is None


def test_a_turn_that_failed() -> None:
    named = b'{"type":"response.failed","response":{"model":"m","error":{"code":"rate_limit_exceeded"}}}'
    cases = {
        named: "turn 1, m, rate_limit_exceeded",
        b'{"type":"response.failed","response":{}}': "turn 1, failed",
        b'{"type":"error","code":"busy","message":"x"}': "turn 1, busy",
        b'{"type":"error"}': "turn 1, error",
    }
    for frame, told in cases.items():
        assert turn_comment(frame, 1) == told
        assert turn_mark(frame) == FAILED
    for frame in (b'{"type":"response.incomplete","response":{}}', b'{"type":"response.created"}', b"\xff"):
        assert turn_mark(frame) == ""


def test_mitmproxy_knows_the_marks() -> None:
    assert {FAILED, LOSSY} <= emoji.keys()
