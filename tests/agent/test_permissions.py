import asyncio
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ccproxy.agent import permissions
from ccproxy.agent.permission_request import Decision, Request
from ccproxy.agent.permissions import AlreadyDecided, NothingToRemember, Permissions, UnknownRequest
from ccproxy.settings import SettingsError
from ccproxy.settings.tree import Permissions as PermissionSettings


def make(timeout: float = 30, allow: list[str] | None = None, deny: list[str] | None = None) -> Permissions:
    settings = PermissionSettings(timeout_seconds=timeout, allow=allow or [], deny=deny or [])
    return Permissions(settings, home="/home/u")


Asked = asyncio.Task[Decision]


async def begin(store: Permissions, *arguments: Any) -> tuple[Asked, Request]:
    """Ask, and wait until it is pending."""
    before = {request.id for request in store.pending()}
    task = asyncio.create_task(store.ask(*arguments))
    for _ in range(500):
        if fresh := [request for request in store.pending() if request.id not in before]:
            return task, fresh[0]
        await asyncio.sleep(0.002)
    raise AssertionError("it is not asked for")


LS = ("Bash", {"command": "ls"}, "toolu_1", "s1", "/w")


async def test_a_person_allows() -> None:
    store = make()
    task, request = await begin(store, *LS)
    assert (request.status, request.session_id, request.cwd) == ("pending", "s1", "/w")
    assert request.expires_at - request.created_at == timedelta(seconds=30)
    decided = store.respond(request.id, True, updated_input={"command": "pwd"})
    decision = await task
    assert (decision.allowed, decision.by, decision.updated_input) == (True, "person", {"command": "pwd"})
    assert decided is request
    assert (store.pending(), store.decided()) == ([], [request])
    assert store.get(request.id).status == "allowed"


async def test_a_person_denies_with_a_message() -> None:
    store = make()
    task, request = await begin(store, *LS)
    store.respond(request.id, False, "not today")
    decision = await task
    assert (decision.allowed, decision.by, decision.message) == (False, "person", "not today")


async def test_the_first_decision_holds() -> None:
    store = make()
    task, request = await begin(store, *LS)
    store.respond(request.id, False)
    with pytest.raises(AlreadyDecided) as late:
        store.respond(request.id, True)
    assert late.value.request is request
    assert not (await task).allowed
    with pytest.raises(UnknownRequest):
        store.respond("perm_none", True)


async def test_nobody_answers() -> None:
    store = make(timeout=0.05)
    task, request = await begin(store, *LS)
    decision = await task
    assert (decision.allowed, decision.by, request.status) == (False, "timeout", "expired")
    assert "permissions.timeout_seconds" in str(decision.message)
    with pytest.raises(AlreadyDecided):
        store.respond(request.id, True)


async def test_whoever_asked_is_gone() -> None:
    store = make()
    task, request = await begin(store, *LS)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert request.status == "expired"
    assert request.decision
    assert (request.decision.by, store.pending()) == ("gone", [])


async def test_asking_again_joins() -> None:
    store = make()
    first, request = await begin(store, *LS)
    second = asyncio.create_task(store.ask(*LS))
    await asyncio.sleep(0.1)
    assert request.askers == 2
    first.cancel()
    await asyncio.wait([first])
    assert request.status == "pending"
    store.respond(request.id, True)
    assert (await second).allowed
    assert len(store.decided()) == 1


@pytest.mark.parametrize(
    "other",
    [
        ("Bash", {"command": "rm -rf ~"}, "toolu_1", "s1", "/w"),
        ("Write", {"command": "ls"}, "toolu_1", "s1", "/w"),
        ("Bash", {"command": "ls"}, "toolu_2", "s1", "/w"),
        ("Bash", {"command": "ls"}, "toolu_1", "s2", "/w"),
    ],
)
async def test_another_call_does_not_join(other: tuple[Any, ...]) -> None:
    """The answer to one question must not allow what another asks under the same id."""
    store = make()
    first, request = await begin(store, *LS)
    second, another = await begin(store, *other)
    store.respond(request.id, True)
    assert (await first).allowed
    assert another.status == "pending"
    store.respond(another.id, False)
    assert not (await second).allowed


async def test_calls_without_an_id_do_not_join() -> None:
    store = make()
    tasks = [(await begin(store, "Bash", {"command": "ls"}))[0] for _ in range(2)]
    for request in store.pending():
        store.respond(request.id, True)
    assert [(await task).allowed for task in tasks] == [True, True]
    assert len(store.decided()) == 2


async def test_rules_decide_first(tmp_path: Path) -> None:
    store = make(allow=["Read", "Edit(src/**)", "Bash"], deny=["Bash(rm:*)"])
    allowed = await store.ask("Read", {"file_path": "/x"})
    assert (allowed.allowed, allowed.by) == (True, "rule")
    denied = await store.ask("Bash", {"command": "ls; rm x"})
    assert (denied.allowed, denied.by) == (False, "rule")
    assert "Bash(rm:*)" in str(denied.message)
    assert [request.status for request in store.decided()] == ["denied", "allowed"]
    inside = await store.ask("Edit", {"file_path": f"{tmp_path}/src/a"}, cwd=str(tmp_path))
    assert inside.by == "rule"
    (tmp_path / "src").symlink_to("/etc")
    task, request = await begin(store, "Edit", {"file_path": f"{tmp_path}/src/a"}, None, None, str(tmp_path))
    store.respond(request.id, False)
    assert (await task).by == "person"


def test_a_bad_rule_is_an_error_of_the_settings() -> None:
    with pytest.raises(SettingsError, match=r"permissions.deny: 'Write\(x\)' is not a rule"):
        make(deny=["Write(x)"])


async def test_an_answer_for_the_session() -> None:
    store = make(deny=["Bash(rm:*)"])
    task, request = await begin(store, *LS)
    same, twin = await begin(store, "Bash", {"command": "ls", "description": "again"}, "toolu_2", "s1")
    other, foreign = await begin(store, "Bash", {"command": "ls"}, "toolu_3", "s2")
    store.respond(request.id, True, remember="session")
    # it waited for the same answer
    assert ((await task).allowed, (await same).allowed) == (True, True)
    assert (twin.status, foreign.status) == ("allowed", "pending")
    later = await store.ask("Bash", {"command": "ls", "timeout": 5}, "toolu_4", "s1")
    assert (later.allowed, later.by, later.remember) == (True, "person", "session")
    assert not (await store.ask("Bash", {"command": "rm x"}, "toolu_5", "s1")).allowed
    for changed in ({"command": "ls -l"}, {"command": "ls", "dangerouslyDisableSandbox": True}):
        asked, fresh = await begin(store, "Bash", changed, None, "s1")
        store.respond(fresh.id, False)
        assert not (await asked).allowed
    store.respond(foreign.id, False)
    assert not (await other).allowed


async def test_a_tool_that_is_denied_for_the_session() -> None:
    store = make()
    task, request = await begin(store, "Write", {"file_path": "/a"}, None, "s1")
    store.respond(request.id, False, "no files", remember="session")
    await task
    later = await store.ask("Write", {"file_path": "/b"}, None, "s1")
    assert (later.allowed, later.message) == (False, "no files")


async def test_what_cannot_be_remembered() -> None:
    store = make()
    task, request = await begin(store, "Bash", {"command": "ls"})
    with pytest.raises(NothingToRemember):
        store.respond(request.id, True, remember="session")
    assert request.status == "pending"
    store.respond(request.id, True)
    await task
    task, request = await begin(store, *LS)
    with pytest.raises(NothingToRemember):
        store.respond(request.id, True, updated_input={"command": "x"}, remember="session")
    store.respond(request.id, False)
    await task


async def test_a_stream_of_what_happens() -> None:
    store = make(allow=["Read"])
    task, request = await begin(store, *LS)
    reader = store.subscribe()

    async def listen() -> list[tuple[str, str]]:
        return [(entry.tool_name, entry.status) async for entry in reader]

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0.01)
    await store.ask("Read", {"file_path": "/x"})
    store.respond(request.id, False)
    await task
    second, _ = await begin(store, "Write", {})
    await asyncio.sleep(0.01)
    store.close()
    heard = await asyncio.wait_for(listening, 5)
    # a rule's decision is nobody's business
    assert heard == [("Bash", "pending"), ("Bash", "denied"), ("Write", "pending"), ("Write", "expired")]
    assert (await second).by == "gone"
    assert not (await store.ask("Write", {})).allowed
    assert [entry async for entry in store.subscribe()] == []
    store.unsubscribe(reader)


async def test_only_so_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "MOST_PENDING", 1)
    store = make()
    task, request = await begin(store, *LS)
    refused = await store.ask("Write", {})
    assert (refused.allowed, refused.by) == (False, "gone")
    assert "Too many" in str(refused.message)
    store.respond(request.id, True)
    await task


async def test_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "KEPT", 2)
    store = make(allow=["Read"])
    for number in range(3):
        await store.ask("Read", {"file_path": f"/{number}"})
    assert [request.input["file_path"] for request in store.decided()] == ["/2", "/1"]


async def test_what_was_decided_long_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    store = make(allow=["Read"])
    await store.ask("Read", {})
    name = store.decided()[0].id
    monkeypatch.setattr(permissions, "SHOWN", timedelta(0))
    assert store.decided() == []
    with pytest.raises(UnknownRequest):
        store.get(name)


async def test_decisions_are_logged_and_inputs_are_not(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    store = make(allow=["Read"], timeout=0.02)
    await store.ask("Read", {"file_path": "/canary"}, "toolu_1", "s1")
    await store.ask("Ba\nsh", {"command": "canary"}, "toolu_2", "s2", "/canary")
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("ccproxy")]
    assert any("'Read'" in line and "'s1'" in line and "allowed by rule" in line for line in lines)
    assert any("'s2'" in line and "denied by timeout" in line for line in lines)
    assert "canary" not in caplog.text
    assert not any("\n" in line for line in lines)
