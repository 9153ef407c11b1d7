"""Which Exchange belongs to which flow, and how a stage answers in place of the upstream."""

from collections.abc import Callable
from weakref import WeakKeyDictionary

from mitmproxy import http

from ccproxy.exchange import Exchange
from ccproxy.failures import Failure
from ccproxy.formats import ERRORS

# beside the flow, not in its metadata: flow files store metadata, and an Exchange holds secrets
_exchanges: WeakKeyDictionary[http.HTTPFlow, Exchange] = WeakKeyDictionary()


def begin(flow: http.HTTPFlow, exchange: Exchange) -> None:
    """Tie an exchange to its flow."""
    _exchanges[flow] = exchange


def exchange_of(flow: http.HTTPFlow) -> Exchange | None:
    """The exchange of a flow, or None for one that did not come through our own layer."""
    return _exchanges.get(flow)


def refuse(flow: http.HTTPFlow, exchange: Exchange, failure: Failure) -> None:
    """Answer with an error of ours; no upstream is asked."""
    exchange.failure = failure
    flow.response = error_response(exchange, failure)


def error_response(exchange: Exchange, failure: Failure) -> http.Response:
    """An error of ours in the client's format."""
    headers = {
        "content-type": "application/json",
        "x-ccproxy-error": failure.code,
        "x-ccproxy-request-id": exchange.id,
    }
    if failure.retry_after is not None:
        headers["retry-after"] = str(failure.retry_after)
    if failure.status == 407:
        headers["proxy-authenticate"] = 'Basic realm="ccproxy"'
    body = ERRORS[exchange.client_format].body(failure, exchange.id)
    response = http.Response.make(failure.status, body, headers)
    allow_origin(response, exchange)
    if exchange.method == "HEAD":
        # the length is that of the body which a GET would have had (RFC 9110, 9.3.2)
        response.raw_content = b""
    return response


def allow_origin(response: http.Response, exchange: Exchange) -> None:
    """Let the page that asked read the answer, if it was allowed to ask (Fetch standard)."""
    if exchange.origin:
        response.headers["access-control-allow-origin"] = exchange.origin
        response.headers["access-control-expose-headers"] = "*"
        response.headers.add("vary", "origin")


def lower(headers: http.Headers) -> dict[str, str]:
    """Headers by their names in lower case."""
    return {name.lower(): value for name, value in headers.items()}


def drop_ours(headers: http.Headers) -> None:
    """Take off what only we may say to the local app, which believes it."""
    drop(headers, lambda name: name.startswith("x-ccproxy-"))


def drop(headers: http.Headers, unwanted: Callable[[str], bool]) -> None:
    """Take off the headers whose names, in lower case, are unwanted."""
    for name in lower(headers):
        if unwanted(name):
            del headers[name]
