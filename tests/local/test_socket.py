import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from ccproxy.local.socket import HEADERS_HEADER, URL_HEADER, bridge, bridge_headers
from ccproxy.simulator.app import create_app
from ccproxy.simulator.oauth.claims import AUTH_CLAIM, read_claims
from ccproxy.simulator.oauth.control import plain_grant
from ccproxy.simulator.server import running
from ccproxy.simulator.state import Simulator

KEY = [("authorization", "Bearer sk-test")]
ENDS = ("response.completed", "response.incomplete", "response.failed", "error", "response.steer.failed")
TOOL = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}

type Open = Callable[..., AbstractAsyncContextManager[ClientConnection]]


@pytest.fixture
def sim() -> Simulator:
    return Simulator()


@pytest.fixture
async def upstream(sim: Simulator) -> AsyncIterator[str]:
    async with running(create_app(sim)) as base:
        yield base


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """The base URL of a bridge."""
    async with running(Starlette(routes=[WebSocketRoute("/v1/responses", bridge())])) as base:
        yield f"{base}/v1"


@pytest.fixture
def opened(upstream: str, address: str) -> Open:
    """Opens a socket that is answered by this URL, usually the simulator's public API."""

    def to(
        url: str = "", headers: list[tuple[str, str]] = KEY
    ) -> AbstractAsyncContextManager[ClientConnection]:
        sent = bridge_headers(url or f"{upstream}/openai/v1/responses", headers)
        return connect(address.replace("http", "ws") + "/responses", additional_headers=sent, proxy=None)

    return to


@pytest.fixture
async def socket(opened: Open) -> AsyncIterator[ClientConnection]:
    async with opened() as found:
        yield found


async def send(socket: ClientConnection, text: Any, **more: Any) -> None:
    message = {"type": "response.create", "model": "gpt-5", "input": text, "store": False}
    await socket.send(json.dumps(message | more))


async def hear(socket: ClientConnection) -> dict[str, Any]:
    event = json.loads(await asyncio.wait_for(socket.recv(), 5))
    assert isinstance(event, dict)
    return event


async def listen(socket: ClientConnection) -> list[dict[str, Any]]:
    """Everything up to a terminal event."""
    found = [await hear(socket)]
    while found[-1]["type"] not in ENDS:
        found.append(await hear(socket))
    return found


async def ask(socket: ClientConnection, text: Any, **more: Any) -> list[dict[str, Any]]:
    await send(socket, text, **more)
    return await listen(socket)


async def error_of(socket: ClientConnection, text: Any, **more: Any) -> dict[str, Any]:
    event = (await ask(socket, text, **more))[-1]
    assert event["type"] == "error"
    return event


def spoken(events: list[dict[str, Any]]) -> str:
    return "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")


def inputs(sim: Simulator) -> list[Any]:
    """What the upstream was asked, oldest first."""
    return [entry.body_json["input"] for entry in sim.ledger]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(3):
        while not condition():  # noqa: ASYNC110 - somebody else's state
            await asyncio.sleep(0.01)


# --- turns -------------------------------------------------------------------------------------------


async def test_each_event_is_a_frame(sim: Simulator, socket: ClientConnection) -> None:
    found = await ask(socket, "hello", stream=False, background=True)

    assert [event["type"] for event in found][:2] == ["response.created", "response.in_progress"]
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    assert spoken(found) == "hello"
    asked = next(iter(sim.ledger))
    assert asked.body_json == {"model": "gpt-5", "input": "hello", "store": False, "stream": True}
    assert (asked.header("authorization"), asked.header("accept")) == ("Bearer sk-test", "text/event-stream")
    assert asked.header("content-type") == "application/json"
    assert not any(name.startswith(("x-ccproxy", "sec-")) for name, _ in asked.headers)


async def test_a_turn_goes_on_from_another(sim: Simulator, socket: ClientConnection) -> None:
    first = (await ask(socket, "one"))[-1]["response"]
    events = await ask(socket, "two", previous_response_id=first["id"])

    assert {e["response"]["previous_response_id"] for e in events if "response" in e} == {first["id"]}
    assert [item["role"] for item in inputs(sim)[1]] == ["user", "assistant", "user"]
    assert "previous_response_id" not in list(sim.ledger)[1].body_json
    # from the same one again, and from the newest without anything new
    await ask(socket, "other", previous_response_id=first["id"])
    assert inputs(sim)[2][:2] == inputs(sim)[1][:2]
    last = events[-1]["response"]["id"]
    await socket.send(json.dumps({"type": "response.create", "model": "gpt-5", "previous_response_id": last}))
    assert (await listen(socket))[-1]["type"] == "response.completed"
    assert len(inputs(sim)[3]) == 4


async def test_a_tool_loop_with_reasoning(sim: Simulator, socket: ClientConnection) -> None:
    more = {"tools": [TOOL], "include": ["reasoning.encrypted_content"]}
    first = (await ask(socket, "sim:thinking tool look", **more))[-1]["response"]
    assert [item["type"] for item in first["output"]] == ["reasoning", "function_call"]

    output = {"type": "function_call_output", "call_id": first["output"][1]["call_id"], "output": "a view"}
    second = await ask(socket, [output], previous_response_id=first["id"], **more)
    assert "a view" in spoken(second)
    last = second[-1]["response"]["id"]
    third = await ask(socket, "sim:text good", previous_response_id=last, **more)
    assert spoken(third) == "good"
    assert all("status" not in item for item in inputs(sim)[2])


async def test_the_plan_backend_leaves_the_output_to_the_items(
    sim: Simulator, upstream: str, opened: Open
) -> None:
    token = sim.tokens.issue(plain_grant("codex")).access_token
    claims: Any = read_claims(token)
    account = claims[AUTH_CLAIM]["chatgpt_account_id"]
    headers = [
        ("Authorization", f"Bearer {token}"),
        ("ChatGPT-Account-ID", account),
        ("originator", "test"),
        ("Content-Length", "1"),
        ("Host", "elsewhere"),
    ]
    fields = {"model": "gpt-6.1-sol", "instructions": "", "tools": [TOOL]}
    fields |= {"include": ["reasoning.encrypted_content"]}
    asked = [{"type": "message", "role": "user", "content": "sim:thinking tool look"}]
    async with opened(f"{upstream}/backend-api/codex/responses", headers) as socket:
        first = await ask(socket, asked, **fields)
        assert first[0]["type"] == "codex.rate_limits"
        assert first[-1]["response"]["output"] == []
        call = [event["item"] for event in first if event["type"] == "response.output_item.done"][-1]
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "a view"}
        second = await ask(socket, [output], previous_response_id=first[-1]["response"]["id"], **fields)
        assert "a view" in spoken(second)


async def test_a_warm_up_asks_nobody(sim: Simulator, socket: ClientConnection) -> None:
    fields = {"instructions": "be kind", "tools": [TOOL]}
    warm = await ask(socket, [{"role": "developer", "content": "in verse"}], generate=False, **fields)

    assert [event["type"] for event in warm] == ["response.created", "response.completed"]
    response = warm[-1]["response"]
    assert (response["output"], response["model"], response["tools"]) == ([], "gpt-5", [TOOL])
    assert len(sim.ledger) == 0
    assert spoken(await ask(socket, "hello", previous_response_id=response["id"])) == "hello"
    assert [item["role"] for item in inputs(sim)[0]] == ["developer", "user"]


async def test_a_connection_knows_its_own_responses_only(opened: Open, socket: ClientConnection) -> None:
    first = (await ask(socket, "one"))[-1]["response"]["id"]
    async with opened() as other:
        error = await error_of(other, "two", previous_response_id=first)
    assert (error["status"], error["error"]["code"]) == (400, "previous_response_not_found")
    assert error["error"]["param"] == "previous_response_id"


async def test_an_answer_that_was_cut_short_can_be_gone_on_from(socket: ClientConnection) -> None:
    ended = (await ask(socket, "sim:stop max_tokens"))[-1]
    assert ended["type"] == "response.incomplete"
    again = await ask(socket, "sim:text more", previous_response_id=ended["response"]["id"])
    assert spoken(again) == "more"


# --- lanes -------------------------------------------------------------------------------------------


async def test_lanes(socket: ClientConnection) -> None:
    """One lane is answered in order; another one does not wait for it."""
    await send(socket, "sim:slow 2 0.1", stream_id="a")
    await send(socket, "sim:text second", stream_id="a")
    await send(socket, "sim:text beside", stream_id="b")
    await send(socket, "sim:text without")
    found: list[dict[str, Any]] = []
    while sum(event["type"] == "response.completed" for event in found) < 4:
        found.append(await hear(socket))

    ended = [event for event in found if event["type"] == "response.completed"]
    texts = [(e.get("stream_id"), e["response"]["output"][0]["content"][0]["text"]) for e in ended]
    assert set(texts[:2]) == {("b", "beside"), (None, "without")}
    assert texts[2:] == [("a", "piece 1 piece 2 "), ("a", "second")]
    lane = [event["type"] for event in found if event.get("stream_id") == "a"]
    assert lane.index("response.completed") < lane.index("response.created", 1)


async def test_errors_name_their_lane(socket: ClientConnection) -> None:
    for fields in ({"temperature": 0.5}, {"previous_response_id": "resp_x"}, {"input": 1}):
        assert (await error_of(socket, "hello", **{"stream_id": "a"} | fields))["stream_id"] == "a"
    assert (await error_of(socket, "sim:cut 2", stream_id="a"))["stream_id"] == "a"
    warm = await ask(socket, [], generate=False, stream_id="a")
    assert {event["stream_id"] for event in warm} == {"a"}


# --- what goes wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message", ["{", "[]", "", b"{}", '{"type": "response.sing"}', "{}", '{"type": [], "stream_id": null}']
)
async def test_what_cannot_be_read(socket: ClientConnection, message: str | bytes) -> None:
    await socket.send(message)
    event = await hear(socket)
    assert (event["type"], event["status"]) == ("error", 400)
    assert event["error"]["type"] == "invalid_request_error"

    assert spoken(await ask(socket, "hello")) == "hello"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": 5}, "input"),
        ({"input": [[]]}, "input"),
        ({"input": ["x"]}, "input"),
        ({"previous_response_id": 5}, "previous_response_id"),
        ({"stream_id": 5}, "stream_id"),
    ],
)
async def test_wrong_types(socket: ClientConnection, fields: dict[str, Any], param: str) -> None:
    error = await error_of(socket, "hello", **fields)
    assert (error["status"], error["error"]["param"]) == (400, param)


async def test_nested_without_end(socket: ClientConnection) -> None:
    for depth in (9_990, 9_995, 9_996, 9_997, 9_998, 100_000):
        nested = "[" * depth + "]" * depth
        for generate in ("true", "false"):
            await socket.send(
                f'{{"type":"response.create","generate":{generate},"input":[{{"x":{nested}}}]}}'
            )
            assert (await listen(socket))[-1]["type"] in ("error", "response.completed")
    assert spoken(await ask(socket, "hello")) == "hello"


async def test_headers_and_texts_in_any_script(sim: Simulator, opened: Open) -> None:
    async with opened(headers=[*KEY, ("x-title", "Gr\u00fc\u00dfe")]) as socket:
        assert (
            spoken(await ask(socket, "\u4e16\u754c \U0001f44b", stream_id="a")) == "\u4e16\u754c \U0001f44b"
        )


async def test_an_http_error(socket: ClientConnection) -> None:
    error = await error_of(socket, "sim:error 429 rate_limit_exceeded 2")

    assert error["status"] == 429
    assert error["error"]["code"] == "rate_limit_exceeded"
    assert error["headers"]["retry-after"] == "2"
    assert error["headers"]["x-request-id"]
    assert "content-type" not in error["headers"]
    assert spoken(await ask(socket, "hello")) == "hello"


async def test_an_error_inside_the_stream(socket: ClientConnection) -> None:
    failed = await ask(socket, "sim:error200 2")
    assert [event["type"] for event in failed][-1] == "response.failed"

    first = await error_of(socket, "sim:error200 0")
    assert first["status"] == 500
    assert first["error"]["code"] == "server_error"
    assert isinstance(first["error"]["type"], str)
    assert "sequence_number" not in first["error"]


async def test_a_stream_that_breaks_off(socket: ClientConnection) -> None:
    found = await ask(socket, "sim:cut 4")
    assert (found[-1]["type"], found[-1]["status"]) == ("error", 502)
    assert len(found) == 5
    broken = found[0]["response"]["id"]
    error = await error_of(socket, "go on", previous_response_id=broken)
    assert error["error"]["code"] == "previous_response_not_found"


async def test_nobody_answers(opened: Open) -> None:
    async with opened("http://127.0.0.1:9/v1/responses") as socket:
        assert (await error_of(socket, "hello"))["status"] == 502


async def test_steering(socket: ClientConnection) -> None:
    steer = {"type": "response.steer", "previous_response_id": "resp_1", "input": "x", "stream_id": "a"}
    await socket.send(json.dumps(steer))
    event = (await listen(socket))[-1]

    assert event["error"]["code"] == "steering_not_supported"
    assert event["steer"] == {"previous_response_id": "resp_1", "input": "x"}
    assert event["stream_id"] == "a"


async def test_a_notice_of_older_clients_is_not_answered(socket: ClientConnection) -> None:
    await socket.send(json.dumps({"type": "response.processed", "response_id": "resp_1"}))
    assert (await ask(socket, "hello"))[0]["type"] == "response.created"


@pytest.mark.parametrize("prompt", ["sim:silence", "sim:mute"])
async def test_a_client_that_leaves_stops_its_request(sim: Simulator, opened: Open, prompt: str) -> None:
    async with opened() as socket:
        await send(socket, prompt)
        await send(socket, "sim:text never asked")
        await until(lambda: len(sim.ledger) == 1)
        left = asyncio.get_running_loop().time()
    await until(lambda: next(iter(sim.ledger)).outcome == "aborted")
    assert asyncio.get_running_loop().time() - left < 1
    await asyncio.sleep(0.1)
    assert len(sim.ledger) == 1


async def test_a_client_that_is_cut_off_stops_its_request(sim: Simulator, opened: Open) -> None:
    async with opened() as socket:
        await send(socket, "sim:silence", stream_id="a")
        await send(socket, "sim:slow 100 0.01", stream_id="b")
        await until(lambda: len(sim.ledger) == 2)
        socket.transport.abort()
        await until(lambda: {entry.outcome for entry in sim.ledger} == {"aborted"})


@asynccontextmanager
async def bridged(upstream: str, **options: Any) -> AsyncIterator[ClientConnection]:
    """A socket to a bridge with options of its own."""
    async with running(Starlette(routes=[WebSocketRoute("/", bridge(**options))])) as base:
        sent = bridge_headers(f"{upstream}/openai/v1/responses", KEY)
        async with connect(base.replace("http", "ws"), additional_headers=sent) as socket:
            yield socket


async def test_the_connection_gets_too_old(sim: Simulator, upstream: str) -> None:
    async with bridged(upstream, lifetime=0.3) as socket:
        await send(socket, "sim:silence")
        error = (await listen(socket))[-1]
        assert error["error"]["code"] == "websocket_connection_limit_reached"
        with pytest.raises(ConnectionClosed) as raised:
            await socket.recv()
        assert raised.value.rcvd is not None
        assert raised.value.rcvd.code == 1001
        await until(lambda: next(iter(sim.ledger)).outcome == "aborted")


async def test_memory_has_an_end(upstream: str) -> None:
    async with bridged(upstream, most_bytes=3000) as socket:
        small = (await ask(socket, "one"))[-1]["response"]["id"]
        large = (await ask(socket, "x" * 3000))[-1]["response"]["id"]
        error = await error_of(socket, "on", previous_response_id=large)
        assert error["error"]["code"] == "previous_response_not_found"
        assert spoken(await ask(socket, "two", previous_response_id=small)) == "two"


# --- who may come ------------------------------------------------------------------------------------

GOOD = bridge_headers("http://127.0.0.1:9/v1/responses", KEY)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {URL_HEADER: GOOD[URL_HEADER]},
        GOOD | {URL_HEADER: "https://example.com/"},
        GOOD | {HEADERS_HEADER: "%"},
        GOOD | {HEADERS_HEADER: "bnVsbA=="},
    ],
)
async def test_without_the_router_nobody_gets_in(address: str, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as raised:
        await connect(address.replace("http", "ws") + "/responses", additional_headers=headers)
    assert raised.value.response.status_code == 400


# --- the official client -----------------------------------------------------------------------------


async def test_the_sdk_talks(upstream: str, address: str) -> None:
    route = bridge_headers(f"{upstream}/openai/v1/responses", KEY)
    async with (
        AsyncOpenAI(base_url=address, api_key="unused", max_retries=0) as sdk,
        sdk.responses.connect(extra_headers=route) as connection,
    ):
        previous: list[str] = []
        for text in ("one", "two"):
            more: Any = {"previous_response_id": previous[-1]} if previous else {}
            await connection.response.create(model="gpt-5", input=text, store=False, **more)
            async for event in connection:
                if event.type == "response.completed":
                    assert event.response.output_text == text
                    previous.append(event.response.id)
                    break
        await connection.response.create(model="gpt-5", input="sim:error 503")
        async for event in connection:
            if event.type == "error":
                assert event.status == 503
                assert event.error.message
                break


async def test_the_environment_names_no_proxy_for_it(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert httpx.AsyncClient()._mounts
    async with opened() as socket:
        assert spoken(await ask(socket, "hello")) == "hello"
