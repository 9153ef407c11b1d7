"""Where the rows come from: the server that runs, which has the file for itself, else the file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ccproxy.cli.permission_client import message_in
from ccproxy.cli.running import NoAnswerError, headers, server_url
from ccproxy.records.filters import Filters
from ccproxy.records.query import MOST_ROWS, NAMES, rows
from ccproxy.records.schema import TABLE
from ccproxy.records.store import CONFIG
from ccproxy.records.store_states import REASONS, state_of
from ccproxy.settings import Settings

PATIENCE = 20.0
"""Seconds to wait for the server, which gives a question ten."""

Row = dict[str, Any]
Ask = Callable[[dict[str, str]], tuple[list[Row], str | None]]
"""Parameters of `/logs/query` to rows, and the cursor of the next ones. Raises NoAnswerError, QueryError."""


@dataclass(frozen=True)
class Asked:
    """What is wanted: no columns are all of them, no limit is every row."""

    filters: dict[str, str]
    columns: list[str]
    order: str
    limit: int | None

    @property
    def names(self) -> list[str]:
        return self.columns or list(NAMES)


def pages(asked: Asked, ask: Ask) -> Iterator[list[Row]]:
    """Rows, as many at a time as one answer has."""
    left, cursor = asked.limit, ""
    while left is None or left > 0:
        size = MOST_ROWS if left is None else min(left, MOST_ROWS)
        more = {"columns": ",".join(asked.columns), "order": asked.order, "limit": str(size)}
        found, following = ask(asked.filters | more | ({"cursor": cursor} if cursor else {}))
        yield found
        if following is None:
            return
        cursor, left = following, None if left is None else left - len(found)


@contextmanager
def opened(settings: Settings, url: str | None) -> Iterator[Ask]:
    """The server at `url` or at the address of the settings; if none is there, the file of the settings."""
    address, token = address_and_token(settings, url)
    with client(address, token) as http:
        if is_there(http):
            yield lambda given: asked_of_server(http, given)
            return
    if url:
        raise NoAnswerError(f"No ccproxy answers at {address}: start it with `ccproxy`.")
    with from_file(settings.observability.duckdb_path, address) as ask:
        yield ask


def address_and_token(settings: Settings, url: str | None) -> tuple[str, str | None]:
    token = settings.security.auth_token
    return url.rstrip("/") if url else server_url(settings), token.get_secret_value() if token else None


def client(address: str, token: str | None) -> httpx.Client:
    """Talks to one server. Raises NoAnswerError for an address that is none."""
    try:
        return httpx.Client(base_url=address, headers=headers(token), timeout=PATIENCE, trust_env=False)
    except httpx.InvalidURL:
        raise NoAnswerError(f"{address} is no address of a server.") from None


def is_there(http: httpx.Client) -> bool:
    """Whether a ccproxy with an access log answers. Raises NoAnswerError for one that does not tell."""
    try:
        answer = http.get("/logs/status")
    except httpx.HTTPError:
        return False
    if "x-ccproxy-error" in answer.headers:
        raise NoAnswerError(f"{http.base_url}: {message_in(answer)}")
    try:
        return "moved_aside" in answer.json()
    except (ValueError, TypeError):
        return False


def asked_of_server(http: httpx.Client, given: dict[str, str]) -> tuple[list[Row], str | None]:
    try:
        answer = http.get("/logs/query", params=given)
        if answer.status_code != 200:
            raise NoAnswerError(message_in(answer) or f"The server answered with {answer.status_code}.")
        found = answer.json()
        return found["results"], found["next_cursor"]
    except (httpx.HTTPError, ValueError, KeyError):
        raise NoAnswerError(f"The server at {http.base_url} has stopped answering.") from None


@contextmanager
def from_file(path: Path, address: str) -> Iterator[Ask]:
    """The file itself, read-only; `address` is where no server answers."""
    import duckdb

    if not path.exists():
        raise NoAnswerError(
            f"No ccproxy answers at {address}, and there is no access log at {path}: "
            "set observability.logs = true and start the proxy with `ccproxy`."
        )
    try:
        with duckdb.connect(path, read_only=True, config=CONFIG) as reader:
            reader.execute(f"SELECT count(*) FROM {TABLE}")  # noqa: S608

            def ask(given: dict[str, str]) -> tuple[list[Row], str | None]:
                filters = dict(given)
                columns = [name for name in filters.pop("columns").split(",") if name] or NAMES
                order, limit = filters.pop("order"), int(filters.pop("limit"))
                cursor = filters.pop("cursor", None)
                page = rows(
                    reader, Filters.read(filters), columns=columns, order=order, limit=limit, cursor=cursor
                )
                return page.rows, page.next_cursor

            yield ask
    except duckdb.CatalogException:
        raise NoAnswerError(
            f"{path} is a database of something else: there is no access log in it."
        ) from None
    except duckdb.Error as problem:
        state = state_of(problem)
        if state == "locked":
            raise NoAnswerError(
                f"Another process has {path} open, and no ccproxy answers at {address}: "
                "name its port with --port."
            ) from None
        raise NoAnswerError(f"{path}: {problem if state == 'failed' else REASONS[state]}") from None
