import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from ccproxy.cli import permission_client
from ccproxy.cli.permission_client import Client, NotTakenError, ahead_of_us
from ccproxy.cli.permission_queue import Changed, Connected, Lost, Update
from ccproxy.cli.running import NoAnswerError
from tests.conftest import Proxies
from tests.support.asking import request
from tests.support.permission_server import PermissionServer, permission_server
from tests.support.processes import free_port
from tests.support.upstreams import SSE_HEAD, Behaviour, chunk, read_request, reply, upstream

Updates = AsyncGenerator[Update]


@pytest.fixture
def server() -> Iterator[PermissionServer]:
    with permission_server() as started:
        yield started


@pytest.fixture
async def client(server: PermissionServer) -> AsyncIterator[Client]:
    async with Client(server.url, None) as made:
        yield made


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permission_client, "RETRY", 0.05)
    monkeypatch.setattr(permission_client, "SILENCE", 0.2)


async def following(updates: Updates) -> Update:
    return await asyncio.wait_for(anext(updates), 10)


async def asked(server: PermissionServer, command: str = "ls") -> None:
    await asyncio.to_thread(server.ask, "Bash", {"command": command})


async def test_what_waits_comes_first_and_then_what_happens(server: PermissionServer, client: Client) -> None:
    await asked(server, "one")
    updates = client.watch()
    first = await following(updates)
    assert isinstance(first, Connected)
    assert [each.input for each in first.requests] == [{"command": "one"}]
    # the stream repeats what is pending
    assert await following(updates) == Changed(first.requests[0])
    await asked(server, "two")
    second = await following(updates)
    assert isinstance(second, Changed)
    assert second.request.input == {"command": "two"}
    taken = await client.respond(second.request.id, {"allowed": False, "message": "half \ud800 a pair"})
    assert (taken.status, taken.decision["message"]) == ("denied", "half \ud800 a pair")
    assert await following(updates) == Changed(taken)
    await updates.aclose()


async def test_an_answer_that_comes_too_late(server: PermissionServer, client: Client) -> None:
    await asked(server)
    (pending,) = server.pending()
    await client.respond(pending.id, {"allowed": True})
    with pytest.raises(NotTakenError, match="allowed already") as second:
        await client.respond(pending.id, {"allowed": False})
    with pytest.raises(NotTakenError, match="There is no permission") as unknown:
        await client.respond("perm_of_nobody", {"allowed": True})
    assert [(caught.value.status, caught.value.too_late) for caught in (second, unknown)] == [
        (409, True),
        (404, True),
    ]


async def test_an_answer_that_the_server_does_not_understand(
    server: PermissionServer, client: Client
) -> None:
    await asked(server)
    with pytest.raises(NotTakenError, match="must be true or false") as caught:
        await client.respond(server.pending()[0].id, {})
    assert (caught.value.status, caught.value.too_late) == (400, False)


async def test_an_answer_that_reaches_nobody() -> None:
    async with Client(f"http://127.0.0.1:{free_port()}", None) as client:
        with pytest.raises(NotTakenError, match="does not answer") as caught:
            await client.respond("x", {"allowed": True})
    assert (caught.value.status, caught.value.too_late) == (None, False)


async def test_the_connection_is_made_again(server: PermissionServer, client: Client, quick: None) -> None:
    updates = client.watch()
    assert isinstance(await following(updates), Connected)
    await asyncio.to_thread(server.stop)
    lost = await following(updates)
    assert isinstance(lost, Lost)
    assert isinstance(await following(updates), Lost)
    await asyncio.to_thread(server.start)
    await asked(server, "after")
    while isinstance(again := await following(updates), Lost):
        pass
    assert isinstance(again, Connected)
    await updates.aclose()


async def test_an_id_cannot_lead_elsewhere(client: Client) -> None:
    with pytest.raises(NotTakenError) as caught:
        await client.respond("../permissions/x?y#z", {"allowed": True})
    assert caught.value.status == 404


async def test_no_server() -> None:
    address = f"http://127.0.0.1:{free_port()}"
    async with Client(address, None) as client:
        with pytest.raises(NoAnswerError, match=f"No ccproxy answers at {address}: start it with `ccproxy`"):
            await following(client.watch())


@pytest.mark.parametrize(
    ("token", "words"),
    [(None, "asks for its token: set"), ("wrong", "does not take the token that you have")],
)
async def test_the_token(proxies: Proxies, token: str | None, words: str) -> None:
    proxy = await asyncio.to_thread(proxies.get, settings={"SECURITY__AUTH_TOKEN": "t0ken"})
    async with Client(proxy.url, token) as client:
        with pytest.raises(NoAnswerError, match=words) as caught:
            await following(client.watch())
    assert "SECURITY__AUTH_TOKEN" in str(caught.value)


def always(answer: bytes) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(answer)

    return behave


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply(200, {}), "is no ccproxy that knows permissions"),
        (reply(404, {"detail": "Not Found"}), "is no ccproxy that knows permissions"),
        (reply(200, b"hello"), "is no ccproxy that knows permissions"),
        (
            reply(403, {"error": {"type": "permission_error", "message": "Not\x1b[m you."}}),
            r": Not\\x1b\[m you\.",
        ),
        (reply(503, {"error": {"type": "api_error", "message": "It is stopping."}}), "^It is stopping."),
    ],
)
async def test_somebody_else_answers(answer: bytes, words: str) -> None:
    with upstream(always(answer)) as other:
        async with Client(f"http://127.0.0.1:{other.port}", None) as client:
            with pytest.raises(NoAnswerError, match=words):
                await following(client.watch())


class Scripted:
    """The stream sends what it is given, and then nothing; the list is always the same."""

    def __init__(self, *events: tuple[str, Any]) -> None:
        self.events = events
        self.lists = 0

    def __call__(self, connection: socket.socket) -> None:
        while (asked := read_request(connection)).startswith(b"GET /permissions "):
            self.lists += 1
            connection.sendall(reply(200, {"permissions": []}))
        if asked:
            sent = b"".join(
                f"event: {name}\ndata: {json.dumps(data)}\n\n".encode() for name, data in self.events
            )
            connection.sendall(SSE_HEAD + (chunk(sent) if sent else b""))
            connection.recv(1)


async def test_pings_are_no_news_and_what_is_unknown_makes_it_read_again() -> None:
    script = Scripted(("ping", {}), ("reset", {}), ("permission_request", request().raw))
    with upstream(script) as other:
        async with Client(f"http://127.0.0.1:{other.port}", None) as client:
            updates = client.watch()
            kinds = [type(await following(updates)) for _ in range(3)]
            await updates.aclose()
    assert kinds == [Connected, Connected, Changed]
    assert script.lists == 2


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ((), "The proxy is silent."),
        ((("permission_request", 1),), "The proxy says things that cannot be read."),
    ],
)
async def test_a_stream_that_is_given_up(quick: None, events: Any, reason: str) -> None:
    with upstream(Scripted(*events)) as other:
        async with Client(f"http://127.0.0.1:{other.port}", None) as client:
            updates = client.watch()
            assert isinstance(await following(updates), Connected)
            assert await following(updates) == Lost(reason, 0.05)
            assert isinstance(await following(updates), Connected)
            await updates.aclose()


def test_the_clock_of_the_server() -> None:
    def ahead(date: str) -> timedelta:
        return ahead_of_us(httpx.Headers({"date": date}))

    now = datetime.now(UTC)
    assert ahead(format_datetime(now, usegmt=True)) == timedelta()
    assert abs(
        ahead(format_datetime(now + timedelta(hours=1), usegmt=True)) - timedelta(hours=1)
    ) < timedelta(seconds=5)
    assert ahead("yesterday") == ahead_of_us(httpx.Headers()) == timedelta()
