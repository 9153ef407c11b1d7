"""Writes every conversation, and every list of models, to a cassette."""

import logging
import re
from pathlib import Path

from mitmproxy import http

from ccproxy.addons.client_sides import RECORDING, client_side_of, forget_client_side
from ccproxy.addons.exchanges import exchange_of, lower
from ccproxy.client_side import ClientSide
from ccproxy.conversation.parts import JsonObject
from ccproxy.exchange import Exchange
from ccproxy.inspector.hiding import pieces_without_secrets
from ccproxy.inspector.layout import as_object
from ccproxy.records.cassette import ANSWER_HEADERS, REQUEST_HEADERS, Answer, Recorded, append, pieces
from ccproxy.records.meaning import ABOUT_THE_RUN

logger = logging.getLogger(__name__)

_MODELS = re.compile(r"/models(?:/[^/]+)?$")


class Recording:
    """The last of the chain: what comes here is what the client has heard.

    Errors of our own and answers that broke off are not written: no provider has said that. `token` is the
    proxy's own, which programs see in their environment.
    """

    name = RECORDING

    def __init__(self, path: Path, token: str | None) -> None:
        self.path = path
        self.token = token

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        exchange = exchange_of(flow)
        if exchange and flow.response and is_models(exchange):
            # small, and needed as a whole
            flow.response.stream = False

    def response(self, flow: http.HTTPFlow) -> None:
        exchange, response = exchange_of(flow), flow.response
        if exchange is None or response is None or exchange.failure:
            return
        if is_models(exchange) and response.content is not None:
            side = ClientSide(exchange.path, b"", exchange.started)
            side.hear(response.content)
        elif (found := client_side_of(flow)) is not None:
            side = found
            forget_client_side(flow)
        else:
            return
        try:
            append(self.path, self.recorded(flow, exchange, response, side))
        except (ValueError, RecursionError, OSError) as problem:
            logger.error("Not recorded: %s %s (%s)", exchange.method, where(exchange), problem)

    def recorded(
        self, flow: http.HTTPFlow, exchange: Exchange, response: http.Response, side: ClientSide
    ) -> Recorded:
        """What goes into the cassette. Raises ValueError for what cannot."""
        if side.cut:
            raise ValueError("its answer is too long, or in an encoding that cannot be read")
        request = said(side.said, self.token) if side.said else None
        if request is not None:
            # who asked, and when, belongs to nobody else, and is not looked at
            request = {name: value for name, value in request.items() if name not in ABOUT_THE_RUN}
        if request is None and not is_models(exchange):
            raise ValueError("its body is not a JSON object")
        heard = lower(response.headers)
        events = heard.get("content-type", "").startswith("text/event-stream")
        return Recorded(
            "models" if is_models(exchange) else exchange.operation,
            where(exchange),
            response.status_code,
            hidden(pieces(side.heard, events=events), self.token),
            request,
            chosen(lower(flow.request.headers), REQUEST_HEADERS),
            chosen(heard, ANSWER_HEADERS),
        )


def is_models(exchange: Exchange) -> bool:
    """Whether it asks for a provider's models: some clients ask a model in another way when they know it."""
    asked = exchange.method == "GET" and exchange.policy != "relay" and not exchange.socket
    return asked and bool(exchange.backend and _MODELS.search(exchange.path.partition("?")[0]))


def where(exchange: Exchange) -> str:
    """Where the client sent it: a path of ours, or a provider's address; without the query."""
    host = exchange.route if exchange.door == "tunnel" else ""
    return host + exchange.path.partition("?")[0]


def said(body: bytes, token: str | None) -> JsonObject | None:
    """A request without secrets, as it is written and compared; None when it is no JSON object."""
    (clean,) = pieces_without_secrets([body.decode("utf-8", "replace")], token)
    return as_object(clean)


def hidden(answer: Answer, token: str | None) -> Answer:
    """An answer without secrets: as many pieces, at their times."""
    texts = pieces_without_secrets([text for _, text in answer], token)
    return [(seconds, text) for (seconds, _), text in zip(answer, texts, strict=True)]


def chosen(headers: dict[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: headers[name] for name in names if name in headers}
