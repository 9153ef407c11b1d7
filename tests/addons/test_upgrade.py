"""Which upgrades go where; the sockets themselves are in the scenarios."""

import base64
import json

import pytest
from mitmproxy.test import tflow, tutils

from ccproxy.addons.upgrade import bridge, keep_upgrade, wants_socket
from ccproxy.exchange import Exchange
from ccproxy.local.socket import HEADERS_HEADER, URL_HEADER


@pytest.mark.parametrize(("value", "wanted"), [(b"websocket", True), (b"WebSocket", True), (b"h2c", False)])
def test_who_wants_a_socket(value: bytes, wanted: bool) -> None:
    assert wants_socket(tutils.treq(headers=((b"upgrade", value),))) is wanted
    assert not wants_socket(tutils.treq(headers=()))


def test_the_bridge_asks_as_the_client_and_the_flow_holds_no_credential() -> None:
    headers = (
        (b"host", b"127.0.0.1:8000"),
        (b"upgrade", b"websocket"),
        (b"connection", b"Upgrade"),
        (b"sec-websocket-key", b"k"),
        (b"authorization", b"[sealed]"),
        (b"x-ccproxy-bridge-url", b"http://elsewhere"),
        (b"origin", b"http://127.0.0.1:8000"),
        (b"sec-fetch-site", b"same-origin"),
        (b"x-api-key", b"[sealed]"),
        (b"x-odd", b"\xff"),
        (b"user-agent", b"me/1"),
    )
    flow = tflow.tflow(req=tutils.treq(headers=headers))
    flow.client_conn.sockname = ("127.0.0.1", 8000)
    exchange = Exchange("reverse", "GET", "/openai/v1/responses")
    exchange.received = [("Authorization", "Bearer s3cret"), ("cookie", "c=1")]
    bridge(flow, exchange, "/openai/v1/responses?x=1", None)
    given = dict(exchange.bridge)
    assert given[URL_HEADER] == "http://127.0.0.1:8000/openai/v1/responses?x=1"
    sent = json.loads(base64.b64decode(given[HEADERS_HEADER]))
    assert sent == [["user-agent", "me/1"], ["Authorization", "Bearer s3cret"]]
    assert "s3cret" not in str(flow.get_state())
    # where the turns go is not the client's to say
    assert URL_HEADER not in flow.request.headers


def test_the_proxys_own_token_is_shown_again_beside_the_clients_credential() -> None:
    """The gate has taken it off, wherever it stood."""
    flow = tflow.tflow(req=tutils.treq(headers=((b"x-api-key", b"[sealed]"),)))
    flow.client_conn.sockname = ("127.0.0.1", 8000)
    exchange = Exchange("reverse", "GET", "/codex/responses")
    exchange.received = [("Authorization", "Bearer theirs"), ("sec-websocket-protocol", "key.theirs")]
    bridge(flow, exchange, "/codex/responses", "s3cret")
    sent = json.loads(base64.b64decode(dict(exchange.bridge)[HEADERS_HEADER]))
    assert sent == [["Authorization", "Bearer theirs"], ["proxy-authorization", "Bearer s3cret"]]
    assert "s3cret" not in str(flow.get_state())


def test_a_listener_on_every_address_is_reached_on_this_machine() -> None:
    flow = tflow.tflow(req=tutils.treq(headers=()))
    flow.client_conn.sockname = ("::1", 8000, 0, 0)  # type: ignore[assignment]
    exchange = Exchange("reverse", "GET", "/")
    bridge(flow, exchange, "/codex/responses", None)
    assert dict(exchange.bridge)[URL_HEADER] == "http://[::1]:8000/codex/responses"


def test_what_the_upgrade_needs_is_put_back() -> None:
    request = tutils.treq(headers=())
    keep_upgrade(request.headers)
    assert (request.headers["connection"], request.headers["upgrade"]) == ("Upgrade", "websocket")
