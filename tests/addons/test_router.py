"""The router's small judgements; where requests really go is in tests/scenarios."""

import pytest
from mitmproxy import http
from mitmproxy.test import tflow

from ccproxy.addons.router import drop_headers, is_native, is_token_endpoint, pass_by, prepare_reshape
from ccproxy.backends.backend import backends
from ccproxy.exchange import Exchange
from ccproxy.routes import find
from ccproxy.settings import load


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


@pytest.mark.parametrize(
    ("path", "native"),
    [
        ("/api/v1/messages", True),
        ("/api/v1/chat/completions", False),
        ("/api/v1/responses", False),
        ("/api/v1/files", True),
        ("/openai/v1/messages", False),
        ("/openai/v1/responses", True),
    ],
)
def test_native(path: str, native: bool) -> None:
    route = find("POST", path, "api")
    assert route is not None
    assert route.backend is not None
    assert is_native(route, backends(load({}, environ={}).settings)[route.backend]) is native


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
