"""The responder: lets the answer through as it comes, with the tap on it."""

import contextlib
from weakref import WeakKeyDictionary

from mitmproxy import ctx, http

from ccproxy.addons.exchanges import exchange_of
from ccproxy.exchange import Exchange
from ccproxy.formats import models
from ccproxy.tap import Tap

BUFFERED = frozenset(("messages", "count_tokens", "chat", "responses", "models"))
"""Operations whose JSON answers are held until they are whole: one cut short becomes a clear error."""


class Responder:
    """Every answer streams, except small JSON ones that are of no use before their end."""

    name = "ccproxy_responder"

    def __init__(self) -> None:
        self.taps: WeakKeyDictionary[http.HTTPFlow, Tap] = WeakKeyDictionary()

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
            keep=somebody_looks() and not exchange.confidential,
        )
        self.taps[flow] = tap
        if not (content_type == "application/json" and exchange.operation in BUFFERED):
            response.stream = tap

    def response(self, flow: http.HTTPFlow) -> None:
        exchange, content = exchange_of(flow), flow.response and flow.response.raw_content
        tap = self.taps.get(flow)
        if tap and content and exchange and not exchange.failure:
            # this one was not streamed: the tap sees it only now
            tap(content)
        self.finish(flow)
        if exchange and exchange.reshaped and flow.response and flow.response.status_code == 200:
            reshape(flow.response, exchange)

    def error(self, flow: http.HTTPFlow) -> None:
        self.finish(flow)

    def finish(self, flow: http.HTTPFlow) -> None:
        tap = self.taps.pop(flow, None)
        if tap is None:
            return
        tap.finish()
        if flow.response and flow.response.raw_content is None:
            flow.response.raw_content = tap.kept


def reshape(response: http.Response, exchange: Exchange) -> None:
    """Put a list of models into the shape that the client reads; one that we cannot read stays as it is."""
    change = models.to_anthropic if exchange.client_format == "anthropic" else models.to_openai
    with contextlib.suppress(ValueError):
        response.content = change(response.raw_content or b"")


def somebody_looks() -> bool:
    """Whether the tool that we run in shows flows or writes them down."""
    options = ctx.options
    return (
        "view" in ctx.master.addons.lookup
        or bool(getattr(options, "save_stream_file", None))
        or bool(getattr(options, "hardump", ""))
    )


def finish_headers(request: http.Request, response: http.Response, exchange: Exchange) -> None:
    """What we add to answers on our own address; the upstream's headers stay."""
    response.headers["x-ccproxy-request-id"] = exchange.id
    response.headers.pop("set-cookie", None)
    exchange.cookies = []
    if exchange.admitted and (origin := request.headers.get("origin")):
        response.headers["access-control-allow-origin"] = origin
        response.headers["access-control-expose-headers"] = "*"
        response.headers.add("vary", "origin")
