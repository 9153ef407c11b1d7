"""The access log over HTTP: its rows, its figures and its state."""

import csv
import io
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ccproxy import failures
from ccproxy.failures import Failure
from ccproxy.formats import utility
from ccproxy.records.filters import Filters, QueryError
from ccproxy.records.query import NAMES, Page, analytics, rows
from ccproxy.records.store import AccessLog, UnavailableError
from ccproxy.routes import LOGS_ANALYTICS, LOGS_QUERY, LOGS_STATUS

FORMATS = {"json": "application/json", "ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
CURSOR_HEADER = "x-ccproxy-next-cursor"
"""Where the cursor stands when the body has nothing but rows."""

NO_STORE = {"cache-control": "no-store"}

Given = dict[str, str]
Handler = Callable[[Request], Awaitable[Response]]


def log_off() -> Failure:
    message = "The access log is off. Set observability.logs = true and start the proxy again."
    return Failure("log_off", 404, "not_found_error", message)


def log_unavailable(reason: str) -> Failure:
    return Failure("log_unavailable", 503, "api_error", f"The access log cannot be read now. {reason}")


def log_routes(log: AccessLog | None) -> list[BaseRoute]:
    """`log` None is one that is switched off: every route says so."""

    def answering(answer: Callable[[AccessLog, Given], Response]) -> Handler:
        async def handle(request: Request) -> Response:
            if log is None:
                return refused(log_off())
            try:
                # the file is read in a thread; the proxy does not wait for it
                return await run_sync(answer, log, dict(request.query_params))
            except QueryError as problem:
                return refused(failures.invalid_request("", str(problem)))
            except UnavailableError as problem:
                return refused(log_unavailable(str(problem)))

        return handle

    return [
        Route(LOGS_QUERY, answering(get_rows)),
        Route(LOGS_ANALYTICS, answering(get_analytics)),
        Route(LOGS_STATUS, answering(get_status)),
    ]


def get_rows(log: AccessLog, given: Given) -> Response:
    """`{"results","count","next_cursor","filters"}`, or the rows alone as NDJSON or CSV."""
    form = given.pop("format", "json")
    if form not in FORMATS:
        raise QueryError(f"format must be one of {', '.join(FORMATS)}.")
    columns = [name for name in given.pop("columns", "").split(",") if name] or list(NAMES)
    order, cursor = given.pop("order", "-started_at"), given.pop("cursor", None)
    limit = number("limit", given.pop("limit", "100"))
    filters = Filters.read(given)
    with log.reader() as reader:
        page = rows(reader, filters, columns=columns, order=order, limit=limit, cursor=cursor)
    if form == "json":
        found = {"results": page.rows, "count": len(page.rows), "next_cursor": page.next_cursor}
        return JSONResponse(found | {"filters": given}, headers=NO_STORE)
    headers = NO_STORE | ({CURSOR_HEADER: page.next_cursor} if page.next_cursor else {})
    content = as_csv(page, columns) if form == "csv" else as_ndjson(page)
    return Response(content, headers=headers, media_type=FORMATS[form])


def get_analytics(log: AccessLog, given: Given) -> Response:
    """`{"totals","series","by","filters"}`"""
    by = [name for name in given.pop("by", "").split(",") if name]
    filters = Filters.read(given)
    with log.reader() as reader:
        figures = analytics(reader, filters, by)
    return JSONResponse({**figures, "by": by, "filters": given}, headers=NO_STORE)


def get_status(log: AccessLog, given: Given) -> Response:
    """What `AccessLog.status` tells."""
    return JSONResponse(log.status(), headers=NO_STORE)


def as_ndjson(page: Page) -> bytes:
    """One JSON object a line."""
    return b"".join(msgspec.json.encode(row) + b"\n" for row in page.rows)


def as_csv(page: Page, columns: list[str]) -> str:
    """As RFC 4180 has it, with a line of names first; what is unknown is empty, losses are one text."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(columns)
    for row in page.rows:
        writer.writerow([cell(row[name]) for name in columns])
    return written.getvalue()


def cell(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(value)
    return str(value).lower() if isinstance(value, bool) else value


def number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise QueryError(f"{name} must be a whole number.")
    return int(value)


def refused(failure: Failure) -> Response:
    headers: Mapping[str, str] = NO_STORE | {"x-ccproxy-error": failure.code}
    return Response(utility.body(failure, ""), failure.status, headers, "application/json")
