"""The router's small judgements; where requests really go is in tests/scenarios."""

import gzip

import pytest
from mitmproxy import http
from mitmproxy.test import tflow

from ccproxy.addons.router import (
    drop_headers,
    is_confidential,
    is_login,
    pass_by,
    point_at,
    readable,
)
from ccproxy.backends.target import Target
from ccproxy.exchange import Exchange


def test_what_stays_between_the_client_and_us() -> None:
    headers = http.Headers(
        Connection="keep-alive",
        TE="trailers",
        Via="1.1 x",
        X_Forwarded_For="10.0.0.1",
        Proxy_Connection="close",
        Anthropic_Beta="a",
        Accept_Encoding="gzip",
    )
    drop_headers(headers)
    assert sorted(name.lower() for name in headers) == ["accept-encoding", "anthropic-beta"]


def test_token_endpoints() -> None:
    assert is_login("/v1/oauth/token")
    assert not is_login("/v1/messages")
    assert is_confidential("/v1/realtime/client_secrets")
    assert is_confidential("/v1/oauth/token")
    assert not is_confidential("/v1/responses")


def test_a_plain_request_passes_with_what_the_client_sent() -> None:
    flow = tflow.tflow()
    exchange = Exchange("proxy", "GET", "/")
    exchange.received = [("Proxy-Authorization", "Basic x"), ("Authorization", "Bearer y")]
    pass_by(flow, exchange)
    assert exchange.attached == [("Authorization", "Bearer y")]
    assert exchange.cleared
    assert flow.request.stream is True


def test_where_a_request_is_pointed_at() -> None:
    flow, exchange = tflow.tflow(), Exchange("reverse", "GET", "/")
    point_at(flow.request, exchange, Target("https", "gateway.example", 8443, "/base"), "/v1/messages")
    assert flow.request.url == "https://gateway.example:8443/base/v1/messages"
    assert flow.request.host_header == "gateway.example:8443"
    assert exchange.upstream == "gateway.example"
    point_at(flow.request, exchange, Target("http", "127.0.0.1", 9, "/base"), None, "/whole?x=1")
    assert flow.request.url == "http://127.0.0.1:9/whole?x=1"


@pytest.mark.parametrize(
    ("encoding", "body", "code"),
    [
        ("gzip", gzip.compress(b"{}", mtime=0), None),
        ("", b"{}", None),
        ("gzip", b"no gzip", "broken_encoding"),
        ("br", b"x", "unsupported_encoding"),
        ("gzip", gzip.compress(bytes(2000), mtime=0), "body_too_large"),
    ],
)
def test_a_body_that_cannot_be_read_is_no_error_yet(encoding: str, body: bytes, code: str | None) -> None:
    request, exchange = tflow.tflow().request, Exchange("reverse", "POST", "/")
    request.raw_content = body
    if encoding:
        request.headers["content-encoding"] = encoding
    assert readable(request, exchange, 1000) == (None if code else b"{}")
    assert (exchange.unreadable.code if exchange.unreadable else None) == code
