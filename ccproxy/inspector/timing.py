"""When what happened, in seconds since the request came. Plain numbers, so that flow files can keep them."""

from collections.abc import Mapping

from ccproxy.exchange import Exchange
from ccproxy.inspector import figures
from ccproxy.inspector.layout import size

Times = dict[str, float | int]

_MOMENTS = {
    "sent": "Sent",
    "first_byte": "First byte",
    "first_text": "First text",
    "last_byte": "Last byte",
    "ended": "Ended",
}
_SPANS = {"connect": "Connecting", "tls": "TLS", "gap": "Longest gap"}


def times_of(exchange: Exchange) -> Times:
    """What an exchange knows of its times, as far as there is something to know."""
    moments = {name: getattr(exchange, name) for name in _MOMENTS}
    times: Times = {name: moment - exchange.started for name, moment in moments.items() if moment is not None}
    if exchange.longest_gap:
        times["gap"] = exchange.longest_gap
    if exchange.retries:
        times["retries"] = exchange.retries
    if exchange.bytes_out:
        times["bytes"] = exchange.bytes_out
    return times


def timing_text(times: Mapping[str, object]) -> str:
    """The times, one a line: moments in their order, then spans and counts."""
    moments = [(times.get(name), label) for name, label in _MOMENTS.items()]
    known = sorted((at, label) for at, label in moments if isinstance(at, int | float))
    lines = [f"{label:<14}at {figures.seconds(at)}" for at, label in known]
    for name, label in _SPANS.items():
        if isinstance(span := times.get(name), int | float):
            lines.append(f"{label:<14}{figures.seconds(span)}")
    if isinstance(retries := times.get("retries"), int):
        lines.append(f"{'Retries':<14}{retries}")
    if isinstance(count := times.get("bytes"), int):
        lines.append(f"{'Received':<14}{size(count)}")
    return "\n".join(lines) or "No times are known."
