"""The responder: lets the answer through as it comes, with the tap on it."""

from mitmproxy import http

from ccproxy.addons.exchanges import exchange_of
from ccproxy.exchange import Exchange
from ccproxy.tap import Tap

BUFFERED = frozenset(("messages", "count_tokens", "chat", "responses", "models"))
"""Operations whose JSON answers are held until they are whole: one cut short becomes a clear error."""


class Responder:
    """Every answer streams, except small JSON ones that are of no use before their end."""

    name = "ccproxy_responder"

    def __init__(self) -> None:
        self.taps: dict[str, Tap] = {}

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        exchange, response = exchange_of(flow), flow.response
        if exchange is None or response is None:
            return
        exchange.status = response.status_code
        if exchange.door == "reverse":
            finish_headers(flow.request, response, exchange)
        if exchange.sent is None:
            return
        if exchange.policy == "relay":
            response.stream = True
            return
        content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        tap = Tap(
            exchange,
            sse=content_type == "text/event-stream",
            encoding=response.headers.get("content-encoding", ""),
        )
        self.taps[flow.id] = tap
        if not (content_type == "application/json" and exchange.operation in BUFFERED):
            response.stream = tap

    def response(self, flow: http.HTTPFlow) -> None:
        tap = self.taps.pop(flow.id, None)
        if tap is None or flow.response is None:
            return
        exchange = exchange_of(flow)
        if not flow.response.stream and flow.response.raw_content and exchange and not exchange.failure:
            tap(flow.response.raw_content)
        tap.finish()

    def error(self, flow: http.HTTPFlow) -> None:
        if tap := self.taps.pop(flow.id, None):
            tap.finish()


def finish_headers(request: http.Request, response: http.Response, exchange: Exchange) -> None:
    """What we add to answers on our own address; the upstream's headers stay."""
    response.headers["x-ccproxy-request-id"] = exchange.id
    response.headers.pop("set-cookie", None)
    exchange.cookies = []
    if exchange.admitted and (origin := request.headers.get("origin")):
        response.headers["access-control-allow-origin"] = origin
        response.headers["access-control-expose-headers"] = "*"
        response.headers.add("vary", "origin")
