import json

import pytest

from ccproxy.conversation.events import Failed
from ccproxy.formats.anthropic import decode_error, encode_error
from ccproxy.formats.anthropic.upstream_errors import error_event, failed


def error(kind: str, message: str = "No.", **more: object) -> bytes:
    return json.dumps({"type": "error", "error": {"type": kind, "message": message, **more}}).encode()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (409, "conflict_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
)
def test_type_and_status_of_each_other(status: int, kind: str) -> None:
    assert decode_error(status, {}, error(kind)) == Failed(kind, "No.", status)
    assert decode_error(status, {}, b"") == Failed(
        kind, f"The upstream answered with status {status}.", status
    )
    assert failed(json.loads(error(kind))) == Failed(kind, "No.", status)


@pytest.mark.parametrize(
    ("status", "kind"), [(503, "api_error"), (422, "invalid_request_error"), (408, "timeout_error")]
)
def test_other_statuses(status: int, kind: str) -> None:
    assert decode_error(status, {}, b"null").type == kind
    assert decode_error(status, {}, b"null").status == status


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Bad gateway</html>",
        b"\xff",
        b"[]",
        b'"x"',
        b'{"error":"x"}',
        b'{"error":{"type":3}}',
        b"[" * 9999,
    ],
)
def test_what_is_no_error_of_anthropics_is_not_repeated(body: bytes) -> None:
    assert decode_error(502, {}, body) == Failed("api_error", "The upstream answered with status 502.", 502)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "7", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:00 GMT"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
    ],
)
def test_case_31_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert decode_error(529, headers, error("overloaded_error")).retry_after == seconds


def test_codes() -> None:
    code = {"error_code": "ramp_limit_exceeded"}
    assert decode_error(429, {}, error("rate_limit_error", details=code)).code == "ramp_limit_exceeded"
    too_long = error("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum")
    assert decode_error(400, {}, too_long).code == "context_length_exceeded"


def test_encode_error() -> None:
    assert json.loads(encode_error(Failed("rate_limit_error", "Wait.", 429), "req_1")) == {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "Wait."},
        "request_id": "req_1",
    }


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Your input exceeds the window.", "prompt is too long: Your input exceeds the window."),
        ("prompt is too long: 9 > 8", "prompt is too long: 9 > 8"),
    ],
)
def test_a_full_window_is_said_in_words_that_clients_know(message: str, expected: str) -> None:
    full = Failed("invalid_request_error", message, 400, "context_length_exceeded")
    assert json.loads(encode_error(full, ""))["error"]["message"] == expected


def test_error_event() -> None:
    assert error_event(Failed("overloaded_error", "Busy.", 529)) == (
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Busy."}}\n\n'
    )
