"""What answers say about asking again; the attempts are in tests/scenarios/test_retries.py, over sockets."""

import gzip
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import msgspec
import pytest
from mitmproxy import http

from ccproxy.addons.retry import setback_of
from ccproxy.retries import Setback
from ccproxy.routes import BackendName


def read(backend: BackendName, status: int, error: dict[str, Any] | None = None, **headers: str) -> Setback:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = msgspec.json.encode({"error": error}) if error else b""
    if named.get("content-encoding") == "gzip":
        body = gzip.compress(body)
    return setback_of(http.Response.make(status, b"", named), body, backend)


@pytest.mark.parametrize("backend", ["api", "sdk", "openai", "codex"])
def test_the_wait_in_the_headers(backend: BackendName) -> None:
    assert read(backend, 529) == Setback(529)
    assert read(backend, 429, retry_after="7") == Setback(429, wait=7)
    assert read(backend, 429, retry_after_ms="250", retry_after="7") == Setback(429, wait=0.25)
    assert read(backend, 429, retry_after="soon") == Setback(429)
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert (read(backend, 429, retry_after=later).wait or 0) > 90


def test_the_wait_in_the_words() -> None:
    error = {"code": "rate_limit_exceeded", "message": "Please try again in 2.5s."}
    assert read("openai", 429, error) == Setback(429, wait=2.5)
    assert read("codex", 429, error, content_encoding="gzip") == Setback(429, wait=2.5)


def test_whether_to_retry() -> None:
    assert read("api", 529, x_should_retry="true").should_retry is True
    assert read("api", 529, x_should_retry="false").should_retry is False
    assert read("api", 529, x_should_retry="perhaps").should_retry is None


@pytest.mark.parametrize(
    ("backend", "error", "headers"),
    [
        ("codex", {"type": "usage_limit_reached", "resets_in_seconds": 1}, {}),
        ("codex", {"type": "usage_limit_reached"}, {"content-encoding": "gzip"}),
        ("codex", {"type": "usage_not_included"}, {}),
        ("openai", {"code": "insufficient_quota", "type": "insufficient_quota"}, {}),
        ("api", {"type": "rate_limit_error"}, {"anthropic-ratelimit-unified-status": "rejected"}),
    ],
)
def test_limits_that_waiting_does_not_end(
    backend: BackendName, error: dict[str, Any], headers: dict[str, str]
) -> None:
    assert read(backend, 429, error, **headers).used_up


def test_a_plan_with_room_is_not_used_up() -> None:
    headers = {"anthropic-ratelimit-unified-status": "allowed_warning"}
    assert not read("api", 429, {"type": "rate_limit_error"}, **headers).used_up


@pytest.mark.parametrize("encoding", ["gzip", "unheard-of"])
def test_a_body_that_cannot_be_read(encoding: str) -> None:
    response = http.Response.make(503, b"", {"content-encoding": encoding})
    assert setback_of(response, b"{not that}", "openai") == Setback(503)
