"""An exchange in a few words, for the list of flows: a comment and a mark."""

from ccproxy.conversation.usage import Usage
from ccproxy.exchange import Exchange
from ccproxy.formats.responses.usage import UsageReader
from ccproxy.formats.sse import ServerSentEvent
from ccproxy.inspector import figures
from ccproxy.inspector.layout import as_object, string
from ccproxy.inspector.streams import ENDS

FAILED, LOSSY = ":x:", ":warning:"
"""Marks, by mitmproxy's names of emoji."""


def comment(exchange: Exchange) -> str:
    """Model, tokens, cost, first byte, and what was unusual; "" for what is no conversation and went well."""
    model = exchange.model_served or exchange.model_sent or exchange.model_requested
    if exchange.model_sent and exchange.model_requested != exchange.model_sent:
        model = f"{exchange.model_requested} → {model}"
    parts = [*_figures(model, exchange.usage)]
    if model and exchange.first_byte is not None:
        parts.append(f"first byte {figures.seconds(exchange.first_byte - exchange.started)}")
    if exchange.retries:
        parts.append(f"retries {exchange.retries}")
    if error := _error(exchange):
        parts.append(error)
    if exchange.losses:
        parts.append("lost: " + " ".join(dict.fromkeys(loss.label for loss in exchange.losses)))
    return ", ".join(parts)


def mark(exchange: Exchange) -> str:
    """An error, or else a loss; "" when there was neither."""
    if _error(exchange) or (exchange.status or 0) >= 400:
        return FAILED
    return LOSSY if exchange.losses else ""


def turn_comment(frame: bytes, turn: int) -> str | None:
    """The same for a WebSocket, after the frame that ends its turn of this number; None for other frames."""
    if (reader := _turn_end(frame)) is None:
        return None
    return ", ".join([f"turn {turn}", *_figures(reader.model, reader.usage), *filter(None, [reader.error])])


def turn_mark(frame: bytes) -> str:
    """FAILED for a frame with which a turn ends in an error."""
    reader = _turn_end(frame)
    return FAILED if reader and reader.error else ""


def _turn_end(frame: bytes) -> UsageReader | None:
    """What the last frame of a turn says."""
    kind = string((as_object(frame) or {}).get("type"))
    if kind not in (*ENDS, "error"):
        return None
    reader = UsageReader()
    # a server may end a turn under other names than those that the reader knows; they carry the same
    reader.event(ServerSentEvent(kind if kind == "error" else ENDS[0], frame.decode("utf-8", "replace")))
    if kind == "response.failed":
        reader.error = reader.error or "failed"
    return reader


def _error(exchange: Exchange) -> str:
    return exchange.failure.code if exchange.failure else exchange.error or ""


def _figures(model: str | None, usage: Usage) -> list[str]:
    parts = (model or "", figures.tokens(usage), figures.cost(usage))
    return [part for part in parts if part]
