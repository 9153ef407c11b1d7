"""Rows from a server's routes or from the file, over real sockets and with real locks."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import duckdb
import pytest

from ccproxy.cli.access_logs_source import Asked, opened, pages
from ccproxy.cli.running import NoAnswerError
from ccproxy.records.filters import QueryError
from ccproxy.records.store import AccessLog
from ccproxy.settings import Settings
from tests.records.rows import row, until
from tests.support.processes import free_port, started

ASKED = Asked({}, ["request_id", "status"], "started_at", None)


def settings(path: Path, port: int | None = None) -> Settings:
    return Settings.model_validate(
        {"server": {"port": port or free_port()}, "observability": {"duckdb_path": str(path)}}
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A log with three rows that nobody has open."""
    log = AccessLog(tmp_path / "access.duckdb")
    log.start()
    for number in range(3):
        log.put(row(request_id=f"{number}", status=200 + number))
    until(lambda: log.status()["written"] == 3)
    log.close()
    return log.path


def found(settings: Settings, asked: Asked = ASKED, url: str | None = None) -> list[dict[str, Any]]:
    with opened(settings, url) as ask:
        return [row for page in pages(asked, ask) for row in page]


@contextmanager
def answering(status: int, body: object, headers: dict[str, str] | None = None) -> Iterator[int]:
    """Somebody on a port who always says the same."""

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_the_file_when_no_server_runs(file: Path) -> None:
    before = file.read_bytes()
    assert found(settings(file)) == [{"request_id": f"{n}", "status": 200 + n} for n in range(3)]
    filtered = Asked({"status": "201", "since": "2026-01-01T00:00:00Z"}, ["request_id"], "-started_at", 5)
    assert found(settings(file), filtered) == [{"request_id": "1"}]
    assert file.read_bytes() == before


@pytest.mark.parametrize("body", [b"hello", b"[1]", b"{}", b"1"])
def test_the_file_when_somebody_else_has_the_port(file: Path, body: bytes) -> None:
    with answering(200, body) as port:
        assert len(found(settings(file, port))) == 3


def test_as_many_as_are_wanted() -> None:
    asked: list[dict[str, str]] = []

    def ask(given: dict[str, str]) -> tuple[list[dict[str, Any]], str | None]:
        asked.append(given)
        return [{}] * int(given["limit"]), f"after-{len(asked)}"

    assert [len(page) for page in pages(Asked({"model": "x"}, [], "status", 25_000), ask)] == [
        10_000,
        10_000,
        5_000,
    ]
    assert [one.get("cursor") for one in asked] == [None, "after-1", "after-2"]
    assert all((one["model"], one["order"]) == ("x", "status") for one in asked)


def test_no_server_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(NoAnswerError, match=r"No ccproxy answers at .*: set observability\.logs = true"):
        found(settings(tmp_path / "none.duckdb"))


def test_a_named_server_that_is_not_there(file: Path) -> None:
    for url in (f"http://127.0.0.1:{free_port()}", "http://[::1", "nonsense"):
        with pytest.raises(NoAnswerError, match=r"No ccproxy answers|no address"):
            found(settings(file), url=url)


def test_a_server_whose_log_is_off_says_so(file: Path) -> None:
    body = {"error": {"type": "log_off", "message": "The access log is off."}}
    with answering(404, body, {"x-ccproxy-error": "log_off"}) as port:
        with pytest.raises(NoAnswerError, match=r"The access log is off\."):
            found(settings(file, port))


def test_a_file_that_another_process_has(file: Path) -> None:
    code = (
        f"import duckdb, time; c = duckdb.connect({str(file)!r}); print('open', flush=True); time.sleep(60)"
    )
    with started([sys.executable, "-c", code], file.parent) as process:
        process.wait_for("open")
        with pytest.raises(NoAnswerError, match=r"Another process has .* name its port with --port\."):
            found(settings(file))


def test_a_file_that_is_no_log(tmp_path: Path) -> None:
    notes, other = tmp_path / "notes.duckdb", tmp_path / "other.duckdb"
    notes.write_text("my notes of the day")
    with pytest.raises(NoAnswerError, match="is no DuckDB database"):
        found(settings(notes))
    duckdb.connect(other).close()
    with pytest.raises(NoAnswerError, match="a database of something else"):
        found(settings(other))


def test_a_question_that_the_file_cannot_answer(file: Path) -> None:
    for asked in (Asked({}, ["statsu"], "started_at", 1), Asked({"status": "9xx"}, [], "started_at", 1)):
        with pytest.raises(QueryError):
            found(settings(file), asked)
