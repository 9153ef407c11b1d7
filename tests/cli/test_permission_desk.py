import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from ccproxy.cli.permission_client import Client
from ccproxy.cli.permission_desk import SETTLE, Desk
from ccproxy.cli.permission_request import allow, deny
from ccproxy.cli.running import NoAnswerError
from tests.support.permission_server import PermissionServer, permission_server
from tests.support.processes import free_port


@pytest.fixture
def server() -> Iterator[PermissionServer]:
    with permission_server() as started:
        yield started


@pytest.fixture
async def desk(server: PermissionServer) -> AsyncIterator[Desk]:
    async with Client(server.url, None) as client:
        made = Desk(client)
        await made.open()
        yield made
        await made.close()


async def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_an_answer_goes_out_and_is_told(server: PermissionServer, desk: Desk) -> None:
    changes: list[str | None] = []
    rung: list[int] = []
    desk.changed = lambda: changes.append(desk.queue.shown)
    desk.arrived = lambda: rung.append(1)
    asked = await asyncio.to_thread(server.ask, "Bash", {"command": "ls"})
    await until(lambda: desk.queue.current is not None)
    request = desk.queue.current
    assert request
    await desk.answer(request, allow(request))
    assert asked.result(5).allowed
    assert (changes[0], changes[-1], rung) == (request.id, None, [1])
    assert [notice.text for notice in desk.queue.notices] == ["Allowed: Bash: ls"]


async def test_a_request_settles(server: PermissionServer, desk: Desk) -> None:
    for command in ("one", "two"):
        await asyncio.to_thread(server.ask, "Bash", {"command": command})
    await until(lambda: len(desk.queue.waiting) == 2)
    first = desk.queue.current
    assert first
    assert not desk.settled()
    await asyncio.sleep(SETTLE + 0.05)
    assert desk.settled()
    await desk.answer(first, deny())
    assert not desk.settled()
    # who looks for one has seen it
    desk.move(1)
    assert desk.settled()


async def test_an_answer_that_came_too_late(server: PermissionServer, desk: Desk) -> None:
    await asyncio.to_thread(server.ask, "Bash", {"command": "ls"})
    await until(lambda: desk.queue.current is not None)
    request = desk.queue.current
    assert request
    desk.queue.sending(request)
    await asyncio.to_thread(server.respond, request.id, False)
    await desk.answer(request, allow(request))
    assert desk.queue.current is None
    assert desk.queue.notices[-1].text == "Too late, it was decided before or has expired: Bash: ls"


async def test_an_answer_that_was_not_sent(server: PermissionServer, desk: Desk) -> None:
    await asyncio.to_thread(server.ask, "Bash", {"command": "ls"})
    await until(lambda: desk.queue.current is not None)
    request = desk.queue.current
    assert request
    desk.client.address = f"http://127.0.0.1:{free_port()}"
    await desk.answer(request, allow(request))
    assert desk.queue.current == request
    assert not desk.queue.is_sending(request)
    assert desk.queue.notices[-1].text == "Not sent (the proxy does not answer): Bash: ls"


async def test_no_server() -> None:
    async with Client(f"http://127.0.0.1:{free_port()}", None) as client:
        desk = Desk(client)
        with pytest.raises(NoAnswerError):
            await desk.open()
        await desk.close()
