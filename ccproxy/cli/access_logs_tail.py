"""Rows of a running server as they come; a connection that is lost is made again."""

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx

from ccproxy.cli.access_logs_show import console_for_rows, table
from ccproxy.cli.access_logs_source import PATIENCE, Row, asked_of_server, client
from ccproxy.cli.permission_client import message_in
from ccproxy.cli.running import NoAnswerError
from ccproxy.formats.sse import Reader

RETRY = 1.0
"""Seconds between two attempts to reach the server again."""

SILENCE = 40.0
"""The stream has a ping every 15 seconds; when two are missing, nobody is there."""

Event = tuple[str, dict[str, Any]]
"""`open`, `row`, `lost` or `closed`, and what belongs to it."""


def tail(address: str, token: str | None, filters: dict[str, str], lines: int, *, as_json: bool) -> None:
    """Print the last rows, then the next ones without end. Raises NoAnswerError if nobody is there."""
    console = console_for_rows()
    shown: set[tuple[str, str]] = set()
    first = True

    def show(row: Row, *, heads: bool = False) -> None:
        if as_json:
            print(json.dumps(row), flush=True)
        else:
            console.print(table([row], heads=heads))
            console.file.flush()

    with client(address, token) as http:
        for name, data in events(http, filters):
            if name == "open" and first:
                # the stream is open by now: a row is in one of the two, or in both
                before = last(http, filters, lines)
                shown = {key(row) for row in before}
                if not as_json:
                    console.print(table([]))
                for row in before:
                    show(row)
                first = False
            elif name == "row" and key(data) not in shown:
                show(data)
            elif name == "lost":
                print(f"{data['rows']} rows were left out: they came too fast.", file=sys.stderr)
            elif name == "closed":
                print("The server has gone; waiting for it to come back.", file=sys.stderr)


def key(row: Row) -> tuple[str, str]:
    """What tells a row from others: a turn on a WebSocket has the id of its connection."""
    return row["request_id"], row["started_at"]


def last(http: httpx.Client, filters: dict[str, str], lines: int) -> list[Row]:
    if not lines:
        return []
    found, _ = asked_of_server(http, filters | {"limit": str(lines)})
    return found[::-1]


def events(http: httpx.Client, filters: dict[str, str]) -> Iterator[Event]:
    """Without end. Raises NoAnswerError if nobody is there at first, or if the server wants nothing of us."""
    reached = told = False
    while True:
        try:
            for event in connection(http, filters):
                reached, told = True, False
                yield event
        except httpx.HTTPError:
            if not reached:
                raise NoAnswerError(
                    f"No ccproxy answers at {http.base_url}: only a running one has rows to follow. "
                    "Start it with `ccproxy`, or name another with --port or --url."
                ) from None
        if not told:
            yield "closed", {}
            told = True
        time.sleep(RETRY)


def connection(http: httpx.Client, filters: dict[str, str]) -> Iterator[Event]:
    reader = Reader()
    timeout = httpx.Timeout(PATIENCE, read=SILENCE)
    with http.stream("GET", "/logs/stream", params=filters, timeout=timeout) as answer:
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            answer.read()
            if answer.status_code >= 500:
                # it is starting or stopping
                raise httpx.ReadError("")
            said = message_in(answer) or "What answers there is no ccproxy with an access log."
            raise NoAnswerError(f"{http.base_url}: {said}")
        yield "open", {}
        for chunk in answer.iter_bytes():
            for event in reader.feed(chunk):
                if event.name in ("row", "lost"):
                    yield event.name, json.loads(event.data)
