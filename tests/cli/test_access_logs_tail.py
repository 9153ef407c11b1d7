"""What `tail` makes of a server, here one of the test's own that can say anything."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from ccproxy.cli import access_logs_tail
from ccproxy.cli.access_logs_source import client
from ccproxy.cli.access_logs_tail import Event, events, tail
from ccproxy.cli.running import NoAnswerError
from tests.support.processes import free_port

OFF = {"error": {"type": "log_off", "message": "The access log is off."}}


def row(name: str) -> dict[str, Any]:
    return {"request_id": name, "started_at": "2026-11-01T12:00:00.000000Z"}


class Script:
    """What `/logs/stream` answers, one connection after the other, and the rows of `/logs/query`."""

    def __init__(self, *streams: tuple[int, str], rows: list[dict[str, Any]] | None = None) -> None:
        self.streams = list(streams)
        self.rows = rows or []
        self.asked: list[str] = []

    @contextmanager
    def served(self) -> Iterator[str]:
        script = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                script.asked.append(self.path)
                if self.path.startswith("/logs/query"):
                    self.say(200, json.dumps({"results": script.rows, "next_cursor": None}))
                else:
                    self.say(*script.streams.pop(0))

            def say(self, status: int, body: str) -> None:
                self.send_response(status)
                if status == 200 and not body.startswith("{"):
                    self.send_header("content-type", "text/event-stream")
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}"
            finally:
                server.shutdown()
                thread.join()


def sse(*told: tuple[str, object]) -> tuple[int, str]:
    return 200, ": hello\n\n" + "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in told)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_logs_tail, "RETRY", 0.01)


def told_by(script: Script) -> tuple[list[Event], str]:
    """Everything up to the refusal with which a script ends."""
    found: list[Event] = []
    with script.served() as url, client(url, None) as http:
        try:
            for event in events(http, {"status": "4xx"}):
                found.append(event)  # noqa: PERF402
        except NoAnswerError as problem:
            return found, str(problem)
    raise AssertionError("it has an end")


def test_a_connection_that_is_lost_is_made_again() -> None:
    script = Script(
        sse(("row", row("a")), ("ping", {}), ("lost", {"rows": 2})),
        (503, "{}"),
        sse(("row", row("b"))),
        (404, json.dumps(OFF)),
    )
    found, problem = told_by(script)
    assert found == [
        ("open", {}),
        ("row", row("a")),
        ("lost", {"rows": 2}),
        ("closed", {}),
        ("open", {}),
        ("row", row("b")),
        ("closed", {}),
    ]
    assert problem.endswith(": The access log is off.")
    assert script.asked == ["/logs/stream?status=4xx"] * 4


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, json.dumps(OFF), "The access log is off."),
        (200, '{"a": 1}', "is no ccproxy with an access log"),
        (503, "{}", "No ccproxy answers at"),
    ],
)
def test_who_has_nothing_to_tell_at_first(status: int, body: str, said: str) -> None:
    found, problem = told_by(Script((status, body)))
    assert found == []
    assert said in problem


def test_nobody_is_there() -> None:
    with pytest.raises(NoAnswerError, match="only a running one has rows to follow"):
        tail(f"http://127.0.0.1:{free_port()}", None, {}, 10, as_json=True)


def test_the_last_rows_first_and_none_twice(capsys: pytest.CaptureFixture[str]) -> None:
    script = Script(
        sse(("row", row("b")), ("row", row("c")), ("lost", {"rows": 7}), ("row", row("d"))),
        (404, json.dumps(OFF)),
        rows=[row("b"), row("a")],
    )
    with script.served() as url, pytest.raises(NoAnswerError):
        tail(url, None, {}, 2, as_json=True)
    shown = capsys.readouterr()
    assert [json.loads(line)["request_id"] for line in shown.out.splitlines()] == list("abcd")
    assert shown.err.splitlines() == [
        "7 rows were left out: they came too fast.",
        "The server has gone; waiting for it to come back.",
    ]
    assert script.asked[1] == "/logs/query?limit=2"
