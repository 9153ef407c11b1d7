import gc
import json

from mitmproxy import http
from mitmproxy.test import tflow

from ccproxy import failures
from ccproxy.addons.exchanges import _exchanges, begin, drop, drop_ours, error_response, exchange_of, refuse
from ccproxy.exchange import Exchange


def test_an_exchange_lives_as_long_as_its_flow() -> None:
    before = len(_exchanges)
    flow = tflow.tflow()
    assert exchange_of(flow) is None
    exchange = Exchange("reverse", "GET", "/")
    begin(flow, exchange)
    assert exchange_of(flow) is exchange
    assert "Exchange" not in repr(flow.get_state())
    del flow
    gc.collect()
    assert len(_exchanges) == before


def test_a_refusal_is_in_the_clients_format() -> None:
    flow, exchange = tflow.tflow(), Exchange("reverse", "GET", "/", "anthropic")
    refuse(flow, exchange, failures.shutting_down())
    assert flow.response is not None
    assert exchange.failure == failures.shutting_down()
    assert flow.response.status_code == 503
    assert flow.response.headers["retry-after"] == "1"
    assert flow.response.headers["x-ccproxy-error"] == "shutting_down"
    assert json.loads(flow.response.content or b"")["request_id"] == exchange.id


def test_a_proxy_asks_for_credentials() -> None:
    made = error_response(Exchange("proxy", "CONNECT", "x"), failures.proxy_unauthorized())
    assert made.headers["proxy-authenticate"] == 'Basic realm="ccproxy"'


def test_headers_are_taken_off_however_they_are_written() -> None:
    headers = http.Headers([(b"X-A", b"1"), (b"x-a", b"2"), (b"X-B", b"3")])
    drop(headers, lambda name: name == "x-a")
    assert headers.fields == ((b"X-B", b"3"),)


def test_what_only_we_may_say() -> None:
    headers = http.Headers(X_CCProxy_Session="a", X_Claude_Code_Session_Id="b", Accept="c")
    drop_ours(headers)
    assert sorted(name.lower() for name in headers) == ["accept", "x-claude-code-session-id"]
