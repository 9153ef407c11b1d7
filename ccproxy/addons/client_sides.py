"""Keeps the client's side of exchanges, where somebody wants to know it."""

from weakref import WeakKeyDictionary

from mitmproxy import ctx, http

from ccproxy.addons.exchanges import exchange_of
from ccproxy.client_side import ClientSide
from ccproxy.formats import decompress
from ccproxy.routes import Operation

OF_A_CONVERSATION: frozenset[Operation] = frozenset(("messages", "count_tokens", "chat", "responses"))

RECORDING = "ccproxy_recording"
"""The name of an addon that writes exchanges down."""

BODIES_SHOWN = 3
"""The `flow_detail` of mitmdump from which it prints bodies."""

_sides: WeakKeyDictionary[http.HTTPFlow, ClientSide] = WeakKeyDictionary()


def client_side_of(flow: http.HTTPFlow) -> ClientSide | None:
    """The client's side of a flow, None where it is not kept."""
    return _sides.get(flow)


def forget_client_side(flow: http.HTTPFlow) -> None:
    """Whoever keeps flows lets go of it, once it is written elsewhere."""
    _sides.pop(flow, None)


class ClientSides:
    """Between the router, who knows what a request is, and the rewriter, who may change it."""

    name = "ccproxy_client_sides"

    def __init__(self, body_limit: int) -> None:
        self.body_limit = body_limit

    def request(self, flow: http.HTTPFlow) -> None:
        exchange = exchange_of(flow)
        if exchange is None or exchange.confidential or exchange.operation not in OF_A_CONVERSATION:
            return
        if flow.request.raw_content is None or not wanted():
            return
        try:
            said = decompress.whole(
                flow.request.raw_content, flow.request.headers.get("content-encoding", ""), self.body_limit
            )
        except ValueError:
            return
        _sides[flow] = ClientSide(exchange.path, said, exchange.started)


def wanted() -> bool:
    """Whether the tool that we run in shows flows, or something writes them down."""
    return somebody_looks() or RECORDING in ctx.master.addons.lookup


def somebody_looks() -> bool:
    """Whether the tool that we run in shows flows or writes them down."""
    tools, options = ctx.master.addons.lookup, ctx.options
    return (
        "view" in tools
        or ("dumper" in tools and options.flow_detail >= BODIES_SHOWN)
        or bool(getattr(options, "save_stream_file", None))
        or bool(getattr(options, "hardump", ""))
    )
