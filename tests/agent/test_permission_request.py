import asyncio
from datetime import UTC, datetime

from ccproxy.agent import permission_request
from ccproxy.agent.permission_request import Decision, Request, Subscription

NOON = datetime(2026, 1, 2, 12, 0, 0, 5000, tzinfo=UTC)


def request(name: str = "perm_1", decision: Decision | None = None) -> Request:
    return Request(name, "Bash", {"command": "ls"}, "toolu_1", "s", "/w", NOON, NOON, decision)


def test_the_shape_of_a_request() -> None:
    assert request().as_json() == {
        "id": "perm_1",
        "tool_name": "Bash",
        "input": {"command": "ls"},
        "tool_use_id": "toolu_1",
        "session_id": "s",
        "cwd": "/w",
        "status": "pending",
        "created_at": "2026-01-02T12:00:00.005Z",
        "expires_at": "2026-01-02T12:00:00.005Z",
        "decision": None,
    }


def test_the_shape_of_a_decision() -> None:
    assert Decision(False, "timeout", at=NOON).as_json() == {
        "allowed": False,
        "by": "timeout",
        "at": "2026-01-02T12:00:00.005Z",
    }
    full = Decision(True, "person", "go", {"command": "pwd"}, "session", NOON).as_json()
    assert full == {
        "allowed": True,
        "by": "person",
        "message": "go",
        "updated_input": {"command": "pwd"},
        "remember": "session",
        "at": "2026-01-02T12:00:00.005Z",
    }


def test_the_status_follows_the_decision() -> None:
    assert request(decision=Decision(True, "rule")).status == "allowed"
    assert request(decision=Decision(False, "person")).status == "denied"
    assert request(decision=Decision(False, "timeout")).status == "expired"
    assert request(decision=Decision(False, "gone")).status == "expired"


async def read(reader: Subscription) -> list[tuple[str, str]]:
    return [(entry.id, entry.status) async for entry in reader]


async def test_a_reader_hears_what_is_pending_and_what_comes() -> None:
    reader = Subscription([request("a")])
    reading = asyncio.create_task(read(reader))
    await asyncio.sleep(0)
    reader.tell(request("b"))
    await asyncio.sleep(0)
    reader.tell(request("a", Decision(True, "person")))
    reader.end()
    assert await reading == [("a", "pending"), ("b", "pending"), ("a", "allowed")]


async def test_a_slow_reader_hears_only_how_things_are() -> None:
    reader = Subscription([])
    for number in range(3 * permission_request.MOST_NEWS):
        entry = request(f"perm_{number}")
        reader.tell(entry)
        entry.decision = Decision(True, "person")
        reader.tell(entry)
        if number == 0:
            reader.tell(request("waits"))
    reader.end()
    heard = await read(reader)
    assert len(heard) == permission_request.MOST_NEWS + 1
    assert heard[0] == ("waits", "pending")
    assert heard[-1] == (f"perm_{3 * permission_request.MOST_NEWS - 1}", "allowed")
