"""REST, the stream and the plain way to ask, over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from ccproxy.agent.permission_request import Decision, Request
from ccproxy.agent.permissions import Permissions
from ccproxy.formats.sse import Reader
from ccproxy.local.permissions import permission_routes
from ccproxy.settings.tree import Permissions as PermissionSettings
from tests.support.serving import serving

LS = {"tool_name": "Bash", "input": {"command": "ls"}}


def make(timeout: float = 30, allow: list[str] | None = None) -> Permissions:
    return Permissions(PermissionSettings(timeout_seconds=timeout, allow=allow or []))


@asynccontextmanager
async def served(store: Permissions, keepalive: float = 15) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(Starlette(routes=permission_routes(store, keepalive))) as url:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as client:
            yield client


async def begin(store: Permissions, *arguments: Any) -> tuple[asyncio.Task[Decision], Request]:
    before = {request.id for request in store.pending()}
    task = asyncio.create_task(store.ask(*arguments))
    return task, await pending(store, before)


async def pending(store: Permissions, besides: Collection[str] = ()) -> Request:
    for _ in range(500):
        if fresh := [request for request in store.pending() if request.id not in besides]:
            return fresh[0]
        await asyncio.sleep(0.01)
    raise AssertionError("nothing is asked")


async def test_a_person_decides() -> None:
    store = make()
    async with served(store) as client:
        task, request = await begin(store, "Bash", {"command": "ls \ud800"}, "toolu_1", "s1", "/w")
        (shown,) = (await client.get("/permissions")).json()["permissions"]
        assert shown == request.as_json()
        assert (shown["status"], shown["input"]) == ("pending", {"command": "ls \ud800"})
        assert (await client.get(f"/permissions/{request.id}")).json() == shown
        body = {"allowed": True, "message": "", "updated_input": {"command": "pwd"}}
        answer = await client.post(f"/permissions/{request.id}/respond", json=body)
        assert (answer.status_code, answer.json()["status"]) == (200, "allowed")
        assert answer.headers["cache-control"] == "no-store"
        decision = answer.json()["decision"]
        assert decision == {
            "allowed": True,
            "by": "person",
            "updated_input": {"command": "pwd"},
            "at": decision["at"],
        }
        assert (await task).updated_input == {"command": "pwd"}
        late = await client.post(f"/permissions/{request.id}/respond", json={"allowed": False})
        assert late.status_code == 409
        assert late.json()["error"]["type"] == late.headers["x-ccproxy-error"] == "permission_decided"
        assert "allowed" in late.json()["error"]["message"]


async def test_the_list_has_what_waits_first() -> None:
    store = make(allow=["Read"])
    async with served(store) as client:
        await store.ask("Read", {"file_path": "/x"})
        tasks = [(await begin(store, "Bash", {"command": str(number)}))[0] for number in range(2)]

        async def tools(query: str) -> list[tuple[str, Any]]:
            entries = (await client.get(f"/permissions{query}")).json()["permissions"]
            return [(entry["tool_name"], entry["input"].get("command")) for entry in entries]

        assert await tools("") == [("Bash", "0"), ("Bash", "1"), ("Read", None)]
        assert await tools("?status=allowed") == [("Read", None)]
        assert await tools("?status=pending") == [("Bash", "0"), ("Bash", "1")]
        assert (await client.get("/permissions?status=x")).status_code == 400
        store.close()
        assert [(await task).allowed for task in tasks] == [False, False]


async def test_an_unknown_request() -> None:
    async with served(make()) as client:
        for answer in (
            await client.get("/permissions/perm_x"),
            await client.post("/permissions/perm_x/respond", json={"allowed": True}),
        ):
            assert answer.status_code == 404
            assert answer.json()["error"]["type"] == "unknown_permission"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{", "not a JSON object"),
        ("[]", "not a JSON object"),
        ('{"allowed": NaN}', "not a JSON object"),
        ("[" * 100_000, "not a JSON object"),
        ("{}", "allowed"),
        ('{"allowed": "yes"}', "allowed"),
        ('{"allowed": true, "allow": true}', "allow: "),
        ('{"allowed": true, "message": 3}', "message"),
        ('{"allowed": true, "updated_input": "ls"}', "updated_input"),
        ('{"allowed": false, "updated_input": {}}', "updated_input"),
        ('{"allowed": true, "remember": "always"}', "remember"),
        ('{"allowed": true, "remember": "session"}', "remember"),
    ],
)
async def test_an_answer_that_is_none_decides_nothing(body: str, says: str) -> None:
    store = make()
    async with served(store) as client:
        task, request = await begin(store, "Bash", {"command": "ls"})
        answer = await client.post(f"/permissions/{request.id}/respond", content=body)
        assert (answer.status_code, answer.json()["error"]["type"][:7]) == (400, "invalid")
        assert says in answer.json()["error"]["message"]
        assert request.status == "pending"
        store.respond(request.id, False)
        await task


class Stream:
    """A connection to the stream; `next` is its next event as (name, data)."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.events = self.read()

    async def read(self) -> AsyncIterator[tuple[str, Any]]:
        reader = Reader()
        async for chunk in self.answer.aiter_bytes():
            for event in reader.feed(chunk):
                yield event.name, json.loads(event.data)

    async def next(self) -> tuple[str, Any]:
        return await asyncio.wait_for(anext(self.events), 10)


@asynccontextmanager
async def listening(client: httpx.AsyncClient) -> AsyncIterator[Stream]:
    async with client.stream("GET", "/permissions/stream", headers={"last-event-id": "7"}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer)


async def test_the_stream() -> None:
    store = make()
    async with served(store) as client:
        first, one = await begin(store, "Bash", {"command": "ls \ud800"}, None, "s1")
        async with listening(client) as stream:
            assert await stream.next() == ("permission_request", one.as_json())
            second, two = await begin(store, "Write", {}, None, "s1")
            assert await stream.next() == ("permission_request", two.as_json())
            store.respond(one.id, False)
            assert await stream.next() == ("permission_resolved", one.as_json())
            await first
        async with listening(client) as again:
            # whoever connects anew sees what is still pending
            assert await again.next() == ("permission_request", two.as_json())
            second.cancel()
            name, data = await again.next()
            assert (name, data["id"], data["decision"]["by"]) == ("permission_expired", two.id, "gone")
            store.close()
            with pytest.raises(StopAsyncIteration):
                await again.next()


async def test_a_silent_stream_is_alive() -> None:
    async with served(make(), keepalive=0.05) as client, listening(client) as stream:
        assert [await stream.next() for _ in range(3)] == [("ping", {})] * 3


async def test_a_reader_that_leaves_is_forgotten() -> None:
    store = make()
    async with served(store) as client:
        async with listening(client):
            await asyncio.sleep(0.1)
            assert len(store._readers) == 1
        for _ in range(200):
            await asyncio.sleep(0.01)
            if not store._readers:
                break
        assert not store._readers


async def test_asking_over_plain_http() -> None:
    store = make(allow=["Read"])
    async with served(store, keepalive=0.05) as client:
        read = {"tool_name": "Read", "input": {"file_path": "/x"}}
        at_once = await client.post("/mcp/permission/check", json=read)
        assert at_once.text.lstrip() == '{"behavior": "allow", "updatedInput": {"file_path": "/x"}}'
        known = {"tool_use_id": "toolu_1", "session_id": "s1", "cwd": "/w"}
        asking = asyncio.create_task(client.post("/mcp/permission/check", json={**LS, **known}))
        request = await pending(store)
        assert (request.tool_use_id, request.session_id, request.cwd) == ("toolu_1", "s1", "/w")
        await asyncio.sleep(0.3)
        store.respond(request.id, False, "no")
        answer = await asking
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == {"behavior": "deny", "message": "no"}
        assert answer.text.startswith("   ")


async def test_whoever_asked_over_plain_http_may_leave() -> None:
    store = make()
    async with served(store) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/mcp/permission/check", json=LS, timeout=0.3)
        for _ in range(300):
            await asyncio.sleep(0.01)
            if not store.pending():
                break
        (request,) = store.decided()
        assert (request.status, request.decision and request.decision.by) == ("expired", "gone")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tool_name": "Bash"},
        {"tool_name": "", "input": {}},
        {"tool_name": "x" * 300, "input": {}},
        {"tool_name": 3, "input": {}},
        {**LS, "session_id": 3},
        {**LS, "cwd": ["/"]},
    ],
)
async def test_a_question_that_is_none(body: dict[str, Any]) -> None:
    store = make(allow=["Bash"])
    async with served(store) as client:
        answer = await client.post("/mcp/permission/check", json=body)
        assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request")
        assert store.decided() == []
