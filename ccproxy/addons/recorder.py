"""The recorder: keeps what happened. In memory, the newest exchanges."""

import logging
import time
from collections import deque
from weakref import WeakKeyDictionary

from mitmproxy import http

from ccproxy.addons.exchanges import exchange_of
from ccproxy.exchange import Exchange

logger = logging.getLogger(__name__)

KEPT = 1000
"""Exchanges that are kept in memory."""


class Recorder:
    """Knows which exchanges run, and what became of those that ended."""

    name = "ccproxy_recorder"

    def __init__(self) -> None:
        self.under_way: WeakKeyDictionary[http.HTTPFlow, Exchange] = WeakKeyDictionary()
        self.finished: deque[Exchange] = deque(maxlen=KEPT)

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        if exchange := exchange_of(flow):
            self.under_way[flow] = exchange

    def response(self, flow: http.HTTPFlow) -> None:
        if flow.response and (exchange := exchange_of(flow)):
            exchange.status = flow.response.status_code
            self.finish(flow, exchange)

    def error(self, flow: http.HTTPFlow) -> None:
        if exchange := exchange_of(flow):
            if exchange.failure is None and flow.error:
                exchange.error = (
                    "client_disconnected" if "lient disconnected" in flow.error.msg else "aborted"
                )
            self.finish(flow, exchange)

    def finish(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        self.under_way.pop(flow, None)
        self.keep(exchange)

    def keep(self, exchange: Exchange) -> None:
        """Write down what has ended, and let go of what nobody needs any more."""
        exchange.ended = time.monotonic()
        if exchange.failure:
            exchange.error = exchange.failure.code
        # what authenticated it is of no use any more, and a translation holds the whole conversation
        exchange.received, exchange.attached, exchange.bridge = [], [], []
        exchange.secret, exchange.translation, exchange.said = None, None, None
        if exchange.policy != "relay" or exchange.failure:
            self.finished.append(exchange)
            logger.info("%s", Line(exchange))


class Line:
    """An exchange in one line, made only when somebody reads it."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    def __str__(self) -> str:
        exchange = self.exchange
        took = (exchange.ended or exchange.started) - exchange.started
        host = f"https://{exchange.upstream}" if exchange.door == "tunnel" else ""
        path = host + exchange.path.partition("?")[0]
        parts = [exchange.method, path, "->", str(exchange.status or "-")]
        if exchange.error:
            parts.append(exchange.error)
        if model := exchange.model_served or exchange.model_requested:
            parts.append(model)
        if exchange.usage.output is not None:
            parts.append(f"{exchange.usage.input or 0} in, {exchange.usage.output} out")
        if exchange.usage.cost is not None:
            parts.append(f"${exchange.usage.cost:.4f}")
        if exchange.retries:
            parts.append(f"retries={exchange.retries}")
        return " ".join([*parts, f"{took:.2f} s"])
