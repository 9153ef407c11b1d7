import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.permission_server import PermissionServer, permission_server
from tests.support.talking import Talk, on_pipes


@pytest.fixture
def server() -> Iterator[PermissionServer]:
    with permission_server() as started:
        yield started


def events(talk: Talk) -> list[dict[str, Any]]:
    return [json.loads(line) for line in talk.said.splitlines()]


def answer(talk: Talk, **given: Any) -> None:
    talk.type(f"{json.dumps(given)}\n")


def test_events_and_answers(server: PermissionServer, home: Path) -> None:
    first = server.ask("Bash", {"command": "one\x1b\x9b"})
    with on_pipes(home, "--port", str(server.port), "--json") as talk:
        talk.wait_for("one")
        second = server.ask("Edit", {"file_path": "/x"})
        talk.wait_for("/x")
        one, two = (request.id for request in server.pending())
        answer(talk, id=one, allowed=True, updated_input={"command": "two"})
        answer(talk, id=two, allowed=False, message="no")
        talk.wait_for(r'(?s)(.*"answer"){2}')
        talk.wait_for(r'(?s)(.*"permission_resolved"){2}')
        talk.hang_up()
        assert talk.end() == 0
    assert first.result(5).updated_input == {"command": "two"}
    assert second.result(5).message == "no"
    told = events(talk)
    assert talk.said.replace("\n", "").isprintable()
    assert [event["event"] for event in told[:3]] == ["connected", "permission_request", "permission_request"]
    assert told[0]["address"] == server.url
    assert told[1]["request"]["input"] == {"command": "one\x1b\x9b"}
    answers = [event for event in told if event["event"] == "answer"]
    assert [(event["id"], event["taken"], event["request"]["status"]) for event in answers] == [
        (one, True, "allowed"),
        (two, True, "denied"),
    ]
    resolved = [event["request"]["id"] for event in told if event["event"] == "permission_resolved"]
    assert sorted(resolved) == sorted((one, two))


def test_an_ended_stdin_lists_what_waits(server: PermissionServer, home: Path) -> None:
    server.ask("Bash", {"command": "one"})
    with on_pipes(home, "--port", str(server.port), "--json") as talk:
        talk.hang_up()
        assert talk.end() == 0
    assert [event["event"] for event in events(talk)] == ["connected", "permission_request"]
    assert len(server.pending()) == 1


def test_answers_that_are_not_taken(server: PermissionServer, home: Path) -> None:
    server.ask("Bash", {"command": "one"})
    (pending,) = server.pending()
    with on_pipes(home, "--port", str(server.port), "--json") as talk:
        talk.type("nonsense\n\n[]\n")
        answer(talk, id="nobody", allowed=True)
        answer(talk, id=pending.id)
        answer(talk, id=pending.id, allowed=True)
        answer(talk, id=pending.id, allowed=False)
        talk.hang_up()
        assert talk.end() == 1
    answers = [event for event in events(talk) if event["event"] == "answer"]
    assert [(event["id"], event["taken"], event.get("status")) for event in answers] == [
        (None, False, None),
        (None, False, None),
        ("nobody", False, 404),
        (pending.id, False, 400),
        (pending.id, True, None),
        (pending.id, False, 409),
    ]
    assert [event["message"] for event in answers[:2]] == [
        'Line 1 is not a JSON object with "id" and "allowed".',
        'Line 3 is not a JSON object with "id" and "allowed".',
    ]


def test_the_server_goes_and_comes_back(server: PermissionServer, home: Path) -> None:
    with on_pipes(home, "--port", str(server.port), "--json") as talk:
        talk.wait_for("connected")
        server.ask("Bash", {"command": "one"})
        talk.wait_for("permission_request")
        server.stop()
        talk.wait_for("disconnected")
        server.start()
        talk.wait_for(r'(?s)disconnected.*"connected"')
        server.ask("Bash", {"command": "two"})
        talk.wait_for("two")
        talk.interrupt()
        assert talk.end() == 0
    names = [event["event"] for event in events(talk)]
    # it may learn from the stream that the proxy stops, or afterwards that nobody asks any more
    assert sum(name in ("permission_expired", "permission_gone") for name in names) == 1
    assert names.count("disconnected") == 1


def test_nobody_listens(server: PermissionServer, home: Path) -> None:
    with on_pipes(home, "--port", str(server.port), "--json") as talk:
        talk.wait_for("connected")
        talk.type("x\n")
        talk.wait_for("Line 1")
    assert "Traceback" not in talk.said
