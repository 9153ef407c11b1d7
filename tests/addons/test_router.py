"""The router's small judgements; where requests really go is in tests/scenarios."""

import pytest
from mitmproxy import http
from mitmproxy.test import tflow

from ccproxy.addons.router import drop_headers, is_token_endpoint, pass_by, point_at, prepare_reshape
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
    assert is_token_endpoint("/v1/oauth/token")
    assert not is_token_endpoint("/v1/messages")


def test_a_plain_request_passes_with_what_the_client_sent() -> None:
    flow = tflow.tflow()
    exchange = Exchange("proxy", "GET", "/")
    exchange.received = [("Proxy-Authorization", "Basic x"), ("Authorization", "Bearer y")]
    pass_by(flow, exchange)
    assert exchange.attached == [("Authorization", "Bearer y")]
    assert exchange.cleared
    assert flow.request.stream is True


@pytest.mark.parametrize(("name", "version"), [("chat", "2023-06-01"), ("anthropic", None)])
def test_a_list_that_is_reshaped_has_to_be_readable(name: str, version: str | None) -> None:
    exchange = Exchange("reverse", "GET", "/", "anthropic" if name == "anthropic" else "chat")
    headers = http.Headers(accept_encoding="br")
    prepare_reshape(headers, exchange)
    assert headers["accept-encoding"] == "identity"
    assert headers.get("anthropic-version") == version


def test_where_a_request_is_pointed_at() -> None:
    flow, exchange = tflow.tflow(), Exchange("reverse", "GET", "/")
    point_at(flow.request, exchange, Target("https", "gateway.example", 8443, "/base"), "/v1/messages")
    assert flow.request.url == "https://gateway.example:8443/base/v1/messages"
    assert flow.request.host_header == "gateway.example:8443"
    assert exchange.upstream == "gateway.example"
    point_at(flow.request, exchange, Target("http", "127.0.0.1", 9, "/base"), None, "/whole?x=1")
    assert flow.request.url == "http://127.0.0.1:9/whole?x=1"
