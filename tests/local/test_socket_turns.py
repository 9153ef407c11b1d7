"""A turn against upstreams that no simulator plays. The socket itself is tested in test_socket.py."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from ccproxy.local import socket_turns
from ccproxy.local.socket_turns import Refused, Turns
from ccproxy.simulator.server import running

ENDED = b'data: {"type":"response.completed","response":{"id":"resp_1","output":[]}}\n\n'


def event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def done(index: int, item: dict[str, Any]) -> bytes:
    return event({"type": "response.output_item.done", "output_index": index, "item": item})


def stream(*pieces: bytes, open_end: bool = False) -> Response:
    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece
        if open_end:
            await asyncio.Event().wait()

    return StreamingResponse(body(), media_type="text/event-stream")


async def answer(request: Request) -> Response:
    """What the input asks for."""
    match (await request.json())["input"]:
        case "detail":
            return JSONResponse({"detail": "Unsupported parameter: x"}, 400)
        case "own fields":
            return JSONResponse({"error": {"type": "usage_limit_reached", "resets_at": 5}}, 429)
        case "html":
            return Response("<html>", 503, media_type="text/html")
        case "elsewhere":
            return Response(status_code=307, headers={"location": "/other"})
        case "odd":
            odd = b': hi\r\n\r\ndata: nonsense\r\n\r\ndata: [1]\r\n\r\ndata: {"type":[]}\r\n\r\n'
            return stream(odd, b'data: {"type":\r\ndata: "odd"}\r\n\r\ndata: [DONE]\r\n\r\n')
        case "more after the end":
            return stream(ENDED, b'data: {"type":"response.created"}\n\n')
        case "open end":
            return stream(ENDED, open_end=True)
        case "nested error":
            return stream(b'data: {"type":"error","error":{"type":"overloaded","message":"Later."}}\n\n')
        case "flat error":
            return stream(b'data: {"type":"error","code":"slow_down","message":"Slow down."}\n\n')
        case "no output":
            return stream(done(1, {"type": "function_call"}), done(0, {"role": "assistant"}), ENDED)
        case list() as items:
            return stream(event({"type": "asked", "items": items}), ENDED)
    return JSONResponse({"object": "response"})


@pytest.fixture
async def turns() -> AsyncIterator[Turns]:
    async with (
        running(Starlette(routes=[Route("/r", answer, methods=["POST"])])) as base,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        yield Turns(client, f"{base}/r", httpx.Headers(), 10**6)


async def ask(turns: Turns, given: Any, pause: float = 0, **more: Any) -> list[dict[str, Any]]:
    """The frames of a turn, for a client that takes each one after a pause."""
    frames: list[dict[str, Any]] = []

    async def say(text: str) -> None:
        await asyncio.sleep(pause)
        frames.append(json.loads(text))

    message = {"type": "response.create", "input": given} | more
    await asyncio.wait_for(turns.create(message, {}, say), 5)
    return frames


async def error_of(turns: Turns, given: str) -> tuple[int, dict[str, Any]]:
    (said,) = await ask(turns, given)
    assert said["type"] == "error"
    return said["status"], said["error"]


async def test_errors_of_any_shape(turns: Turns) -> None:
    status, error = await error_of(turns, "detail")
    assert (status, error["message"], error["type"]) == (
        400,
        "Unsupported parameter: x",
        "invalid_request_error",
    )
    assert await error_of(turns, "own fields") == (429, {"type": "usage_limit_reached", "resets_at": 5})
    status, error = await error_of(turns, "html")
    assert (status, "<html>" in error["message"]) == (503, False)
    assert (await error_of(turns, "elsewhere"))[0] == 307
    assert (await error_of(turns, "not a stream"))[0] == 502


async def test_errors_inside_a_stream_get_the_shape_of_a_socket(turns: Turns) -> None:
    assert await error_of(turns, "nested error") == (502, {"type": "overloaded", "message": "Later."})
    status, error = await error_of(turns, "flat error")
    assert status in (503, 529)
    assert (error["code"], error["message"], error["type"]) == ("slow_down", "Slow down.", "server_error")


async def test_what_is_no_event_is_left_out(turns: Turns) -> None:
    assert [said["type"] for said in await ask(turns, "odd")] == ["odd", "error"]


async def test_nothing_follows_the_end(turns: Turns) -> None:
    assert [said["type"] for said in await ask(turns, "more after the end")] == ["response.completed"]


async def test_an_answer_that_does_not_close_does_not_hold_up_the_next(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_turns, "REST_SECONDS", 0.05)
    assert [said["type"] for said in await ask(turns, "open end")] == ["response.completed"]


async def test_a_client_that_takes_its_time_gets_the_end(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_turns, "REST_SECONDS", 0.05)
    assert [said["type"] for said in await ask(turns, "open end", pause=0.2)] == ["response.completed"]


async def test_output_that_only_its_items_told(turns: Turns) -> None:
    await ask(turns, "no output")
    asked = (await ask(turns, "on", previous_response_id="resp_1"))[0]["items"]
    assert asked[1:3] == [{"role": "assistant"}, {"type": "function_call"}]
    assert [item.get("role") for item in asked] == ["user", "assistant", None, "user"]


async def test_what_cannot_be_asked(turns: Turns) -> None:
    with pytest.raises(Refused) as raised:
        await ask(turns, "x", previous_response_id="resp_" + "x" * 10_000)
    error = raised.value.event["error"]
    assert error["code"] == "previous_response_not_found"
    assert len(error["message"]) < 200
