import json

import pytest

from ccproxy.conversation.events import Failed
from ccproxy.formats.chat.upstream_errors import decode_error, encode_error, failed_in_stream


def body(**error: object) -> bytes:
    return json.dumps({"error": error}).encode()


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
        (418, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (504, "timeout_error"),
    ],
)
def test_the_status_decides(status: int, kind: str) -> None:
    failed = decode_error(status, {}, body(message="m", type="whatever", code="c", param="p"))
    assert failed == Failed(kind, "m", status, "c", "p")


def test_case_31_overload_and_when_to_come_back() -> None:
    failed = decode_error(503, {"retry-after": "3"}, body(message="m", code="server_is_overloaded"))
    assert (failed.type, failed.status, failed.retry_after) == ("overloaded_error", 529, 3)
    assert decode_error(429, {"retry-after": "3", "retry-after-ms": "1500"}, b"").retry_after == 1.5
    for value in ("Sun, 22 Nov 2026 15:00:00 GMT", "-1", "inf", "nan"):
        assert decode_error(429, {"retry-after": value}, b"").retry_after is None


@pytest.mark.parametrize(
    "page", [b"<html>no</html>", b"", b"\xff", b"[1]", b'{"error": 5}', b'{"detail": "x"}']
)
def test_a_body_that_says_nothing(page: bytes) -> None:
    assert decode_error(502, {}, page) == Failed("api_error", "The upstream answered 502 Bad Gateway.", 502)
    assert decode_error(599, {}, page).message == "The upstream answered 599."


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        ({"message": "m", "type": "server_error"}, "api_error", 500),
        ({"message": "m", "code": "rate_limit_exceeded", "type": "tokens"}, "rate_limit_error", 429),
        ({"message": "m", "code": "context_length_exceeded"}, "invalid_request_error", 400),
        ({"message": "m", "type": "service_unavailable_error"}, "overloaded_error", 529),
        ({"message": "m", "code": 429}, "rate_limit_error", 429),
        ({"message": "m"}, "api_error", 502),
        ("m", "api_error", 502),
        ({"message": "m", "code": [1], "type": {}}, "api_error", 502),
    ],
)
def test_errors_in_a_stream(error: object, kind: str, status: int) -> None:
    failed = failed_in_stream(error)
    assert (failed.type, failed.status, failed.message) == (kind, status, "m")


@pytest.mark.parametrize(
    ("failed", "kind", "code"),
    [
        (Failed("invalid_request_error", "m", 400), "invalid_request_error", None),
        (
            Failed("invalid_request_error", "prompt is too long: 9 tokens", 400),
            "invalid_request_error",
            "context_length_exceeded",
        ),
        (Failed("authentication_error", "m", 401), "authentication_error", "invalid_api_key"),
        (Failed("billing_error", "m", 402), "insufficient_quota", "insufficient_quota"),
        (Failed("rate_limit_error", "m", 429), "rate_limit_error", "rate_limit_exceeded"),
        (
            Failed("rate_limit_error", "m", 429, "insufficient_quota"),
            "insufficient_quota",
            "insufficient_quota",
        ),
        (Failed("overloaded_error", "m", 529), "server_error", "server_is_overloaded"),
        (Failed("api_error", "m", 500, "own"), "server_error", "own"),
        (Failed("something_new", "m"), "server_error", None),
    ],
)
def test_errors_as_a_client_reads_them(failed: Failed, kind: str, code: str | None) -> None:
    error = json.loads(encode_error(failed, "req_1"))["error"]
    assert error == {"message": failed.message, "type": kind, "param": None, "code": code}
