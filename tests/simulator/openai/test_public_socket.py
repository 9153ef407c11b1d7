import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from openai import AsyncOpenAI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from ccproxy.simulator.state import Simulator

HEADERS = {"authorization": "Bearer sk-test"}


@pytest.fixture
async def socket(url: str) -> AsyncIterator[ClientConnection]:
    address = url.replace("http://", "ws://") + "/responses"
    async with connect(address, additional_headers=HEADERS) as opened:
        yield opened


async def ask(socket: ClientConnection, text: str, **more: Any) -> list[dict[str, Any]]:
    """Sends a request and reads up to its terminal event."""
    message = {"type": "response.create", "model": "gpt-5", "input": text, "store": False} | more
    await socket.send(json.dumps(message))
    return await listen(socket)


async def listen(socket: ClientConnection) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    ends = ("response.completed", "response.incomplete", "response.failed", "error", "response.steer.failed")
    while not found or found[-1]["type"] not in ends:
        found.append(json.loads(await asyncio.wait_for(socket.recv(), 5)))
    return found


async def test_the_sdk_talks(sdk: AsyncOpenAI) -> None:
    async with sdk.responses.connect() as connection:
        await connection.response.create(model="gpt-5", input="hello", store=False)
        async for event in connection:
            if event.type == "response.completed":
                assert event.response.output_text == "hello"
                break


async def test_a_connection_remembers_what_nobody_stores(socket: ClientConnection) -> None:
    first = (await ask(socket, "one"))[-1]["response"]
    second = (await ask(socket, "two", previous_response_id=first["id"]))[-1]["response"]

    assert second["usage"]["input_tokens"] > first["usage"]["input_tokens"]
    assert second["previous_response_id"] == first["id"]


async def test_another_connection_does_not(socket: ClientConnection, url: str) -> None:
    first = (await ask(socket, "one"))[-1]["response"]
    async with connect(url.replace("http", "ws") + "/responses", additional_headers=HEADERS) as other:
        error = (await ask(other, "two", previous_response_id=first["id"]))[-1]

    assert error["status"] == 400
    assert error["error"]["code"] == "previous_response_not_found"


async def test_a_warm_up_says_nothing_and_can_be_built_on(socket: ClientConnection) -> None:
    warm = await ask(socket, "", input=[], instructions="be kind", generate=False)
    first = await ask(socket, "hello", previous_response_id=warm[-1]["response"]["id"])

    assert [event["type"].rpartition(".")[2] for event in warm] == ["created", "in_progress", "completed"]
    assert first[-1]["response"]["output"][0]["content"][0]["text"] == "hello"


async def test_lanes_are_named_in_every_event(socket: ClientConnection) -> None:
    found = await ask(socket, "hello", stream_id="lane-1")

    assert {event["stream_id"] for event in found} == {"lane-1"}


async def test_a_refusal_leaves_the_connection_open(socket: ClientConnection) -> None:
    refused = await ask(socket, "hello", temperature=0.5)
    assert refused[-1]["error"]["code"] == "unsupported_parameter"

    assert (await ask(socket, "hello"))[-1]["type"] == "response.completed"


@pytest.mark.parametrize("message", ["{", "[]", '{"type": "response.sing"}', "{}"])
async def test_what_cannot_be_read(socket: ClientConnection, message: str) -> None:
    await socket.send(message)

    assert (await listen(socket))[-1]["status"] == 400


async def test_bytes_end_the_connection(socket: ClientConnection) -> None:
    await socket.send(b"{}")
    with pytest.raises(ConnectionClosed) as raised:
        await socket.recv()

    assert raised.value.rcvd is not None
    assert raised.value.rcvd.code == 1003


async def test_steering_comes_too_late(socket: ClientConnection) -> None:
    done = (await ask(socket, "hello"))[-1]["response"]["id"]
    codes = []
    for response_id in (done, "resp_other"):
        await socket.send(
            json.dumps({"type": "response.steer", "previous_response_id": response_id, "input": "x"})
        )
        codes.append((await listen(socket))[-1]["error"]["code"])

    assert codes == ["response_already_completed", "response_not_found"]


@pytest.mark.parametrize(
    ("key", "status"),
    [({}, 401), ({"authorization": "Bearer sk-invalid"}, 401), ({"authorization": "Bearer quota"}, 429)],
)
async def test_the_upgrade_needs_a_key(url: str, key: dict[str, str], status: int) -> None:
    with pytest.raises(InvalidStatus) as raised:
        await connect(url.replace("http", "ws") + "/responses", additional_headers=key)

    assert raised.value.response.status_code == status
    assert b'"error"' in (raised.value.response.body or b"")


async def test_faults(sim: Simulator, socket: ClientConnection) -> None:
    limited = (await ask(socket, "sim:error 429 rate_limit_exceeded 2"))[-1]
    assert (limited["type"], limited["status"]) == ("error", 429)
    assert limited["error"]["code"] == "rate_limit_exceeded"
    assert limited["headers"] == {"retry-after": "2"}

    failed = await ask(socket, "sim:error200 2")
    assert [event["type"] for event in failed][-1] == "response.failed"
    assert len(failed) == 3

    await socket.send(json.dumps({"type": "response.create", "model": "gpt-5", "input": "sim:cut 1"}))
    assert json.loads(await socket.recv())["type"] == "response.created"
    with pytest.raises(ConnectionClosed):
        await socket.recv()
    assert next(iter(sim.ledger)).outcome == "cut"


async def test_an_old_connection_is_ended(socket: ClientConnection) -> None:
    error = (await ask(socket, "sim:error 400 websocket_connection_limit_reached"))[-1]["error"]
    assert error["code"] == "websocket_connection_limit_reached"

    with pytest.raises(ConnectionClosed):
        await socket.recv()


async def test_the_ledger_has_every_message(sim: Simulator, socket: ClientConnection) -> None:
    await ask(socket, "one")
    await ask(socket, "two")
    entry = next(iter(sim.ledger))

    assert entry.websocket
    assert [json.loads(message)["input"] for message in entry.messages] == ["one", "two"]
