"""The access log over HTTP: its rows, its figures, SQL and its state; `log_stream` has rows as they come."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ccproxy import failures
from ccproxy.failures import Failure
from ccproxy.local.refusals import NO_STORE, refused
from ccproxy.records.filters import Filters, QueryError
from ccproxy.records.output import Rows, as_csv, as_ndjson, as_parquet
from ccproxy.records.query import MOST_ROWS, NAMES, analytics, rows, sql
from ccproxy.records.store import AccessLog, UnavailableError
from ccproxy.routes import LOGS_ANALYTICS, LOGS_QUERY, LOGS_SQL, LOGS_STATUS

FORMATS = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
SQL_FORMATS = ("json", "ndjson", "csv")
WRITERS: dict[str, Callable[[Sequence[str], Rows], bytes]] = {
    "ndjson": as_ndjson,
    "csv": as_csv,
    "parquet": as_parquet,
}
CURSOR_HEADER = "x-ccproxy-next-cursor"
TRUNCATED_HEADER = "x-ccproxy-truncated"
"""Where it stands that there is more, when the body has nothing but rows."""

LONGEST_SQL = 100_000
"""Bytes of a question in SQL."""

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
                given = dict(request.query_params)
                if request.method == "POST":
                    given["query"] = await text_of(request)
                # the file is read in a thread; the proxy does not wait for it
                return await run_sync(answer, log, given)
            except QueryError as problem:
                return refused(failures.invalid_request("", str(problem)))
            except UnavailableError as problem:
                return refused(log_unavailable(str(problem)))

        return handle

    return [
        Route(LOGS_QUERY, answering(get_rows)),
        Route(LOGS_ANALYTICS, answering(get_analytics)),
        Route(LOGS_SQL, answering(get_sql), methods=["GET", "POST"]),
        Route(LOGS_STATUS, answering(get_status)),
    ]


def get_rows(log: AccessLog, given: Given) -> Response:
    """`{"results","count","next_cursor","filters"}`, or the rows alone in another format."""
    form = format_in(given, tuple(FORMATS))
    columns = [name for name in given.pop("columns", "").split(",") if name] or list(NAMES)
    order, cursor = given.pop("order", "-started_at"), given.pop("cursor", None)
    limit = number("limit", given.pop("limit", "100"))
    filters = Filters.read(given)
    with log.reader() as reader:
        page = rows(reader, filters, columns=columns, order=order, limit=limit, cursor=cursor)
    if form == "json":
        found = {"results": page.rows, "count": len(page.rows), "next_cursor": page.next_cursor}
        return JSONResponse(found | {"filters": given}, headers=NO_STORE)
    more = {CURSOR_HEADER: page.next_cursor} if page.next_cursor else {}
    return written(form, columns, [list(row.values()) for row in page.rows], more)


def get_sql(log: AccessLog, given: Given) -> Response:
    """`{"columns","rows","count","truncated"}`, or the rows alone in another format."""
    form = format_in(given, SQL_FORMATS)
    limit = number("limit", given.pop("limit", str(MOST_ROWS)))
    text = given.pop("query", "")
    if given:
        raise QueryError(f"There is no {next(iter(given))!r} here: query, limit and format are known.")
    if not text.strip():
        raise QueryError("query must be a SELECT: in the URL, or as the body of a POST.")
    if not 1 <= limit <= MOST_ROWS:
        raise QueryError(f"limit must be from 1 to {MOST_ROWS}.")
    with log.reader() as reader:
        table = sql(reader, text, limit=limit)
    if form == "json":
        found = {"columns": table.columns, "rows": table.rows}
        found |= {"count": len(table.rows), "truncated": table.truncated}
        return JSONResponse(found, headers=NO_STORE)
    return written(form, table.columns, table.rows, {TRUNCATED_HEADER: "true"} if table.truncated else {})


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


def format_in(given: Given, known: Sequence[str]) -> str:
    """The format asked for, which is taken out of what is given."""
    form = given.pop("format", "json")
    if form not in known:
        raise QueryError(f"format must be one of {', '.join(known)}.")
    return form


def written(form: str, columns: Sequence[str], values: Rows, more: Mapping[str, str]) -> Response:
    """Rows alone; `more` are headers."""
    # not `media_type`, which would add a charset to text that has one
    headers = {**NO_STORE, **more, "content-type": FORMATS[form]}
    return Response(WRITERS[form](columns, values), headers=headers)


async def text_of(request: Request) -> str:
    """SQL as the body of a request, whatever type it says it has."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_SQL:
            raise QueryError(f"query may have {LONGEST_SQL} bytes.")
    return body.decode(errors="replace")


def number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise QueryError(f"{name} must be a whole number.")
    return int(value)
