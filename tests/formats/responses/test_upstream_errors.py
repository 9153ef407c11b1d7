import json

import pytest

from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import JsonObject
from ccproxy.formats.openai_errors import upstream_error_object
from ccproxy.formats.responses import decode_error, encode_error
from ccproxy.formats.responses.upstream_errors import failure


def decoded(status: int, body: object, **headers: str) -> Failed:
    return decode_error(
        status, {k.replace("_", "-"): v for k, v in headers.items()}, json.dumps(body).encode()
    )


def test_openais_error_object() -> None:
    error = {"message": "no", "type": "invalid_request_error", "param": "input", "code": "invalid_value"}
    assert decoded(400, {"error": error}) == Failed(
        "invalid_request_error", "no", 400, "invalid_value", "input"
    )


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"detail": "Unsupported parameter: user"}, "Unsupported parameter: user", None),
        ({"detail": {"code": "chatpass_v2_x", "message": "consent"}}, "consent", "chatpass_v2_x"),
        ({"detail": [{"loc": ["body"], "msg": "field required"}]}, "field required", None),
        ({"error": "plain words"}, "plain words", None),
        ({"message": "plain words"}, "plain words", None),
        ({"error": None}, "The upstream answered 400 Bad Request.", None),
        ([], "The upstream answered 400 Bad Request.", None),
    ],
)
def test_other_shapes(body: object, message: str, code: str | None) -> None:
    assert decoded(400, body) == Failed("invalid_request_error", message, 400, code)


def test_of_a_page_nothing_is_kept() -> None:
    failed = decode_error(502, {}, b"<html>secret</html>")
    assert failed == Failed("api_error", "The upstream answered 502 Bad Gateway.", 502)
    assert decode_error(520, {}, b"\xff").message == "The upstream answered 520."


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
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (503, "api_error"),
        (504, "timeout_error"),
    ],
)
def test_the_status_says_which_error_it_is(status: int, kind: str) -> None:
    failed = decoded(status, {"error": {"message": "x"}})
    assert (failed.type, failed.status) == (kind, status)


@pytest.mark.parametrize("code", ["server_is_overloaded", "slow_down"])
def test_case_31_overloaded(code: str) -> None:
    failed = decoded(503, {"error": {"message": "x", "code": code}}, retry_after="7")
    assert (failed.type, failed.status, failed.retry_after) == ("overloaded_error", 529, 7)


def test_a_plan_that_is_used_up() -> None:
    error = {"type": "usage_limit_reached", "message": "x", "resets_in_seconds": 90, "resets_at": 1}
    failed = decoded(429, {"error": error})
    assert (failed.type, failed.code, failed.retry_after) == ("rate_limit_error", "usage_limit_reached", 90)


def test_how_long_to_wait() -> None:
    assert decoded(429, {}, retry_after_ms="250").retry_after == 0.25
    assert decoded(429, {}, retry_after="Wed, 21 Oct 2026 07:28:00 GMT").retry_after is None
    assert decoded(429, {}, retry_after="nan").retry_after is None


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Please try again in 20s.", 20),
        ("please try again in 11.054s. Visit", 11.054),
        ("Try again in 250 ms", 0.25),
        ("try again in 500 milliseconds", 0.5),
        ("try again in 3 seconds", 3),
        ("try again in 1m30s", 90),
        ("try again in 2 minutes", 120),
        ("try again in 1h", 3600),
        ("try again later", None),
    ],
)
def test_how_long_to_wait_in_words(words: str, seconds: float | None) -> None:
    failed = failure({"code": "rate_limit_exceeded", "message": words})
    assert failed.retry_after == (None if seconds is None else pytest.approx(seconds))


def test_a_context_that_is_too_long_is_said_in_the_words_that_clients_know() -> None:
    failed = failure({"code": "context_length_exceeded", "message": "Too much."})
    assert failed == Failed(
        "invalid_request_error", "prompt is too long: Too much.", 400, "context_length_exceeded"
    )


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        ({"code": "rate_limit_exceeded"}, "rate_limit_error", 429),
        ({"code": "insufficient_quota"}, "rate_limit_error", 429),
        ({"code": "server_error"}, "api_error", 500),
        ({"code": "server_is_overloaded"}, "overloaded_error", 529),
        ({"code": "invalid_prompt"}, "invalid_request_error", 400),
        ({"code": "token_expired"}, "authentication_error", 401),
        ({"code": None, "type": "invalid_request_error"}, "invalid_request_error", 400),
        ({"message": "The selected model is at capacity"}, "rate_limit_error", 429),
        ({"code": "what_is_this"}, "api_error", 502),
        ({"code": 7, "type": [], "message": {}, "param": 1}, "api_error", 502),
    ],
)
def test_an_error_in_a_stream_stands_for_a_status(error: JsonObject, kind: str, status: int) -> None:
    failed = failure(error)
    assert (failed.type, failed.status) == (kind, status)
    assert failed.message


@pytest.mark.parametrize(
    ("kind", "openai", "code"),
    [
        ("invalid_request_error", "invalid_request_error", None),
        ("authentication_error", "authentication_error", "invalid_api_key"),
        ("billing_error", "insufficient_quota", "insufficient_quota"),
        ("permission_error", "permission_error", None),
        ("not_found_error", "invalid_request_error", "model_not_found"),
        ("conflict_error", "invalid_request_error", None),
        ("request_too_large", "invalid_request_error", "request_too_large"),
        ("rate_limit_error", "rate_limit_error", "rate_limit_exceeded"),
        ("timeout_error", "server_error", "timeout"),
        ("api_error", "server_error", None),
        ("overloaded_error", "server_error", "server_is_overloaded"),
        ("error_of_next_year", "server_error", None),
    ],
)
def test_an_error_for_the_client(kind: str, openai: str, code: str | None) -> None:
    error = json.loads(encode_error(Failed(kind, "m", param="p"), "ccp_1"))["error"]
    assert error == {"message": "m", "type": openai, "param": "p", "code": code}


def test_the_upstreams_own_code_is_kept() -> None:
    assert upstream_error_object(Failed("rate_limit_error", "m", code="slow_down"))["code"] == "slow_down"
    too_long = Failed("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")
    assert upstream_error_object(too_long)["code"] == "context_length_exceeded"
