"""The recorder: keeps what happened. In memory, the newest exchanges."""

import json
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from weakref import WeakKeyDictionary

from mitmproxy import ctx, http

from ccproxy.addons.exchanges import exchange_of
from ccproxy.exchange import Exchange
from ccproxy.routes import USAGE, Operation

logger = logging.getLogger(__name__)

KEPT = 1000
"""Exchanges that are kept in memory."""


COUNTED: frozenset[Operation] = frozenset(("messages", "chat", "responses"))
"""What a model answers; everything else costs nothing."""


@dataclass(slots=True)
class Sums:
    """Of every answer of a model since the start. The input includes the cache; unknown costs are not in."""

    requests: int = 0
    failed: int = 0
    tokens_input: int = 0
    tokens_output: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float | None = None

    def add(self, exchange: Exchange) -> None:
        usage = exchange.usage
        self.requests += 1
        self.failed += exchange.failure is not None or (exchange.status or 0) >= 400
        self.tokens_input += usage.input or 0
        self.tokens_output += usage.output or 0
        self.cache_read_tokens += usage.cache_read or 0
        self.cache_write_tokens += usage.cache_write or 0
        if usage.cost is not None:
            self.cost_usd = (self.cost_usd or 0.0) + usage.cost


class Recorder:
    """Knows which exchanges run, and what became of those that ended; each of `told` hears of these."""

    name = "ccproxy_recorder"

    def __init__(self, *told: Callable[[Exchange], None]) -> None:
        self.told = list(told)
        self.under_way: WeakKeyDictionary[http.HTTPFlow, Exchange] = WeakKeyDictionary()
        self.finished: deque[Exchange] = deque(maxlen=KEPT)
        self.sums = Sums()

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        if exchange := exchange_of(flow):
            self.under_way[flow] = exchange
            if exchange.admitted and exchange.route == USAGE and not flow.response:
                flow.response = self.tell()

    def tell(self) -> http.Response:
        """The sums, and how many requests will still add to them."""
        under_way = sum(exchange.operation in COUNTED for exchange in self.under_way.values())
        body = json.dumps({**asdict(self.sums), "under_way": under_way})
        return http.Response.make(200, body, {"content-type": "application/json"})

    def response(self, flow: http.HTTPFlow) -> None:
        stopping = ctx.master.addons.get("ccproxy_stopping")
        # while a person may still kill it nothing has ended
        if not (stopping and stopping.expects(flow)):
            self.end(flow)

    def end(self, flow: http.HTTPFlow) -> None:
        """Write down what has been answered."""
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
            if exchange.operation in COUNTED:
                self.sums.add(exchange)
            for tell in self.told:
                tell(exchange)
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
