import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from ccproxy.simulator.codex.rules import LITE_ON_SOCKET
from tests.simulator.codex.conftest import message

EXEC = {"type": "custom", "name": "exec"}


@pytest.fixture
def address(base: str) -> str:
    return base.replace("http://", "ws://") + "/backend-api/codex/responses"


@pytest.fixture
async def socket(address: str, headers: dict[str, str]) -> AsyncIterator[ClientConnection]:
    async with connect(address, additional_headers=headers) as opened:
        yield opened


async def ask(socket: ClientConnection, body: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """Sends a request and reads up to its terminal event."""
    await socket.send(json.dumps({"type": "response.create"} | body | more))
    found: list[dict[str, Any]] = []
    while not found or found[-1]["type"] not in ("response.completed", "response.failed", "error"):
        found.append(json.loads(await asyncio.wait_for(socket.recv(), 5)))
    return found


async def test_a_tool_turn_as_the_client_does_it(socket: ClientConnection, body: dict[str, Any]) -> None:
    del body["instructions"]
    lite = {"client_metadata": {LITE_ON_SOCKET: "true"}, "parallel_tool_calls": False, "tool_choice": "auto"}
    tools = {"type": "additional_tools", "role": "developer", "tools": [EXEC]}
    warm = await ask(socket, body, **lite, input=[], generate=False)
    assert [event["type"] for event in warm] == [
        "codex.rate_limits",
        "response.created",
        "response.in_progress",
        "response.completed",
    ]

    before = warm[-1]["response"]["id"]
    first = await ask(socket, body, **lite, input=[tools, message("sim:tool")], previous_response_id=before)
    call = next(event["item"] for event in first if event["type"] == "response.output_item.done")
    assert (call["type"], call["name"]) == ("custom_tool_call", "exec")

    output = [{"type": "input_text", "text": "hello from the simulator"}]
    result = {"type": "custom_tool_call_output", "call_id": call["call_id"], "output": output}
    before = first[-1]["response"]["id"]
    second = await ask(socket, body, **lite, input=[result], previous_response_id=before)
    spoken = next(event["item"] for event in second if event["type"] == "response.output_item.done")
    assert spoken["content"][0]["text"] == "Tool result: hello from the simulator"
    assert second[-1]["response"]["output"] == []


async def test_refusals_are_messages(socket: ClientConnection, body: dict[str, Any]) -> None:
    refused = (await ask(socket, body, max_output_tokens=5))[-1]
    stored = (await ask(socket, body, store=True))[-1]
    unknown = (await ask(socket, body, previous_response_id="resp_1"))[-1]

    assert (refused["status"], refused["error"]["message"]) == (
        400,
        "Unsupported parameter: max_output_tokens",
    )
    assert stored["error"]["message"] == "Store must be set to false"
    assert unknown["error"]["code"] == "previous_response_not_found"


async def test_a_used_up_plan(socket: ClientConnection, body: dict[str, Any]) -> None:
    error = (await ask(socket, body, input=[message("sim:error 429 usage_limit 60")]))[-1]

    assert (error["status"], error["error"]["type"]) == (429, "usage_limit_reached")
    assert error["error"]["resets_in_seconds"] == 60
    assert error["headers"]["x-codex-primary-used-percent"] == "100"


async def test_the_upgrade_carries_the_turn_state(socket: ClientConnection) -> None:
    assert socket.response is not None
    assert socket.response.headers["x-codex-turn-state"]
    assert socket.response.headers["x-codex-primary-used-percent"]


async def test_the_upgrade_needs_a_login(address: str) -> None:
    with pytest.raises(InvalidStatus) as raised:
        await connect(address)

    assert raised.value.response.status_code == 401


async def test_the_upgrade_can_be_refused(base: str, address: str, headers: dict[str, str]) -> None:
    async with httpx.AsyncClient(base_url=base) as client:
        await client.post("/_simulator/codex", json={"websocket": False})
    with pytest.raises(InvalidStatus) as raised:
        await connect(address, additional_headers=headers)

    assert raised.value.response.status_code == 426


async def test_a_cut(socket: ClientConnection, body: dict[str, Any]) -> None:
    asked = {"type": "response.create"} | body | {"input": [message("sim:cut 2")]}
    await socket.send(json.dumps(asked))
    found = [json.loads(text)["type"] async for text in socket_until_closed(socket)]

    assert found == ["codex.rate_limits", "response.created"]


async def socket_until_closed(socket: ClientConnection) -> AsyncIterator[str]:
    while True:
        try:
            yield str(await socket.recv())
        except ConnectionClosed:
            return
