"""Rows of the access log as exchanges end, as server-sent events."""

from collections.abc import AsyncIterator

import msgspec
from anyio.to_thread import run_sync
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ccproxy import failures
from ccproxy.local.logs import log_off
from ccproxy.local.refusals import NO_STORE, refused
from ccproxy.records.feed import Feed
from ccproxy.records.filters import Filters, QueryError
from ccproxy.records.query import plain
from ccproxy.records.row import Row
from ccproxy.routes import LOGS_STREAM

KEEPALIVE = 15.0
"""Seconds between two signs of life while nothing happens."""


def log_stream_route(feed: Feed | None, keepalive: float = KEEPALIVE) -> BaseRoute:
    """`feed` None is a log that is switched off; `keepalive` is in seconds."""

    async def stream(request: Request) -> Response:
        if feed is None:
            return refused(log_off())
        try:
            filters = Filters.read(request.query_params)
        except QueryError as problem:
            return refused(failures.invalid_request("", str(problem)))
        return EventSourceResponse(
            events(feed, filters),
            headers=NO_STORE,
            sep="\n",
            ping=keepalive,
            ping_message_factory=lambda: ServerSentEvent("{}", event="ping", sep="\n"),
        )

    return Route(LOGS_STREAM, stream)


async def events(feed: Feed, filters: Filters) -> AsyncIterator[ServerSentEvent]:
    """`row` with a row as `/logs/query` has it, `lost` with `{"rows"}` where some had to give way."""
    listener = feed.listen(filters)
    try:
        async for news in listener:
            if isinstance(news, int):
                yield event("lost", {"rows": news})
            else:
                # its prices take a while to load, and the proxy does not wait for them
                yield event("row", await run_sync(as_json, news))
    finally:
        feed.leave(listener)


def event(name: str, data: dict[str, object]) -> ServerSentEvent:
    return ServerSentEvent(msgspec.json.encode(data).decode(), event=name, sep="\n")


def as_json(row: Row) -> dict[str, object]:
    """A row with its cost, which the log itself adds when it writes."""
    from ccproxy.records.cost import cost

    found = {name: plain(value) for name, value in msgspec.structs.asdict(row).items()}
    return found | {"cost_usd": cost(row)}
