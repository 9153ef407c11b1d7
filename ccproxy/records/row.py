"""One row of the access log: what an exchange was, how long it took, what it used. Pure."""

from datetime import UTC, datetime
from typing import Literal

import msgspec

from ccproxy.exchange import Exchange

LONGEST_TEXT = 200
"""Characters of a text that are kept: most come from clients and upstreams, which may say anything."""

MOST_LOSSES = 50


class Row(msgspec.Struct, kw_only=True):
    """The columns, in the order in which they are stored; `schema.COLUMNS` says what each means.

    No header, no body and no query of a path is in it. What is not known is None, never 0; `cost_usd` is
    filled in by who writes the row. `started_at` is UTC, without a zone.
    """

    request_id: str
    started_at: datetime
    duration_ms: float | None
    first_byte_ms: float | None
    first_text_ms: float | None
    longest_gap_ms: float
    mode: Literal["reverse", "intercept"]
    method: str
    path: str
    route: str | None
    operation: str
    client_format: str
    backend: str | None
    upstream: str | None
    upstream_format: str | None
    client: str | None
    client_version: str | None
    session_id: str | None
    agent_id: str | None
    model_requested: str | None
    model_sent: str | None
    model_served: str | None
    service_tier: str | None
    stream: bool
    status: int | None
    error: str | None
    stop_reason: str | None
    tokens_input: int | None
    tokens_output: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    cache_write_5m_tokens: int | None
    cache_write_1h_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: float | None = None
    cost_reported_usd: float | None
    retries: int
    losses: list[str]
    bytes_in: int
    bytes_out: int


def is_logged(exchange: Exchange) -> bool:
    """Whether it gets a row: not what we say about ourselves, such as a health check or the log."""
    return exchange.operation != "utility" or exchange.failure is not None


def row_of(exchange: Exchange) -> Row:
    """The row of an exchange that has ended."""
    # a token count answers with tokens that nobody has used
    used = None if exchange.operation == "count_tokens" else exchange.usage
    client, version = who(exchange.client)
    return Row(
        request_id=exchange.id,
        started_at=datetime.fromtimestamp(exchange.started_at, UTC).replace(tzinfo=None),
        duration_ms=since_start(exchange, exchange.ended),
        first_byte_ms=since_start(exchange, exchange.first_byte),
        first_text_ms=since_start(exchange, exchange.first_text),
        longest_gap_ms=round(exchange.longest_gap * 1000, 3),
        mode="reverse" if exchange.door == "reverse" else "intercept",
        method=text(exchange.method) or "",
        path=text(exchange.path.partition("?")[0]) or "",
        route=text(exchange.route),
        operation=exchange.operation,
        client_format=exchange.client_format,
        backend=exchange.backend,
        upstream=text(exchange.upstream),
        upstream_format=exchange.upstream_format or (exchange.client_format if exchange.upstream else None),
        client=client,
        client_version=version,
        session_id=text(exchange.session or exchange.session_id),
        agent_id=text(exchange.agent_id),
        model_requested=text(exchange.model_requested),
        model_sent=text(exchange.model_sent),
        model_served=text(exchange.model_served),
        service_tier=text(used.tier) if used else None,
        stream=exchange.stream,
        status=exchange.status,
        error=text(exchange.error),
        stop_reason=text(exchange.stop_reason),
        tokens_input=used.input if used else None,
        tokens_output=used.output if used else None,
        cache_read_tokens=used.cache_read if used else None,
        cache_write_tokens=used.cache_write if used else None,
        cache_write_5m_tokens=used.cache_write_5m if used else None,
        cache_write_1h_tokens=used.cache_write_1h if used else None,
        reasoning_tokens=used.reasoning if used else None,
        cost_reported_usd=used.cost if used else None,
        retries=exchange.retries,
        losses=[text(loss.label) or "" for loss in exchange.losses[:MOST_LOSSES]],
        bytes_in=exchange.bytes_in,
        bytes_out=exchange.bytes_out,
    )


def since_start(exchange: Exchange, moment: float | None) -> float | None:
    """Milliseconds from the arrival of the request to a moment of it."""
    return None if moment is None else round((moment - exchange.started) * 1000, 3)


def who(agent: str | None) -> tuple[str | None, str | None]:
    """Name and version of a client by the first product of its `User-Agent` (RFC 9110, 10.1.5)."""
    name, _, version = ((agent or "").split() or [""])[0].partition("/")
    return text(name), text(version)


def text(value: str | None) -> str | None:
    """A text as it is kept: short, in one line, and nothing that is no character; None for an empty one."""
    if not value:
        return None
    short = value[:LONGEST_TEXT]
    return short if short.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in short)
