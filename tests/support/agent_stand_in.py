"""`ccproxy serve` with a stand-in for what the local app does for Claude Code: run it with serve's arguments.

It says back what it was sent, and does what the last user message says: `sleep S` first, `status N`, `cut`.
An idle limit of one second for mitmproxy's connections is set besides, for tests of patience, and what keeps
a WebSocket within the usual limit of minutes happens faster, too.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from unittest.mock import patch

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ccproxy.addons import listeners
from ccproxy.cli.root import app as program
from ccproxy.local.app import SecretGuard, make_app

COST = 0.0123
EVENTS = "text/event-stream"
MODEL = {"type": "model", "id": "claude-x", "display_name": "X", "created_at": "2026-01-01T00:00:00Z"}
asked: list[str] = []
"""The last texts of the requests to Claude Code, for `GET /permissions`."""


def told(request: Request, body: bytes) -> dict[str, Any]:
    """What came: the path, the headers, and the body as it was."""
    return {"path": request.url.path, "headers": dict(request.headers), "body": body.decode()}


def message(text: str) -> dict[str, Any]:
    usage = {"input_tokens": 7, "output_tokens": 5, "total_cost_usd": COST}
    ending = {"stop_reason": "end_turn", "stop_sequence": None, "usage": usage}
    content = [{"type": "text", "text": text}]
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": content,
    } | ending


def events(text: str) -> list[dict[str, Any]]:
    whole = message(text)
    delta = {"type": "text_delta", "text": text}
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    return [
        {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": whole["usage"]},
        {"type": "message_stop"},
    ]


def written(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


async def messages(request: Request) -> Response:
    body = await request.body()
    value = json.loads(body)
    content = value["messages"][-1]["content"]
    text = content if isinstance(content, str) else content[-1]["text"]
    asked.append(text)
    word, _, what = text.partition(" ")
    if word == "sleep" and not value.get("stream"):
        await asyncio.sleep(float(what))
    if word == "status":
        error = {"type": "overloaded_error", "message": "Later."}
        headers = {"x-ccproxy-error": "of_the_app", "retry-after": "0"}
        return JSONResponse({"type": "error", "error": error}, int(what), headers)
    if not value.get("stream"):
        return JSONResponse(message(json.dumps(told(request, body))))

    async def stream() -> AsyncIterator[bytes]:
        for event in events(json.dumps(told(request, body))):
            if word == "cut" and event["type"] == "message_delta":
                raise OSError("cut")
            yield written(event)
            if word == "sleep" and event["type"] == "content_block_start":
                await asyncio.sleep(float(what))

    return StreamingResponse(stream(), media_type=EVENTS)


async def models(request: Request) -> Response:
    if request.url.path.endswith("/claude-x"):
        return JSONResponse(MODEL)
    return JSONResponse({"data": [MODEL], "has_more": False, "first_id": "claude-x", "last_id": "claude-x"})


async def after_a_while(request: Request) -> Response:
    """Says after `?sleep=` seconds what came; first as a stream, if that is what the client reads."""
    body, seconds = await request.body(), float(request.query_params.get("sleep", 0))

    async def stream() -> AsyncIterator[bytes]:
        yield b": hello\n\n"
        await asyncio.sleep(seconds)
        yield written({"type": "message", **told(request, body)})
        if "for_ever" in request.query_params:
            await asyncio.sleep(600)

    if EVENTS in request.headers.get("accept", ""):
        return StreamingResponse(stream(), media_type=EVENTS)
    await asyncio.sleep(seconds)
    return JSONResponse(told(request, body) | {"method": request.method})


async def permissions(request: Request) -> Response:
    return JSONResponse({"asked": asked})


ROUTES: list[BaseRoute] = [
    Route("/_agent/v1/messages", messages, methods=["POST"]),
    Route("/_agent/v1/models", models),
    Route("/_agent/v1/models/{id}", models),
    Route("/mcp", after_a_while, methods=["GET", "POST", "DELETE"]),
    Route("/mcp/permission/check", after_a_while, methods=["POST"]),
    Route("/permissions", permissions),
    Route("/permissions/stream", after_a_while),
    Route("/permissions/{id}", after_a_while),
    Route("/permissions/{id}/respond", after_a_while, methods=["POST"]),
]
PREFIXES = ("/_agent", "/mcp", "/permissions")


class StandIn:
    """The local app, with our routes in front of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.ours = Starlette(routes=ROUTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.ours if scope.get("path", "").startswith(PREFIXES) else self.app
        await app(scope, receive, send)


def main() -> None:
    options = listeners.options

    def stand_in(*arguments: Any, **named: Any) -> ASGIApp:
        guard = make_app(*arguments, **named)
        assert isinstance(guard, SecretGuard)
        return SecretGuard(StandIn(guard.app), guard.secret.decode())

    def impatient(*arguments: Any) -> dict[str, object]:
        return {**options(*arguments), "tcp_timeout": 1}

    with (
        patch("ccproxy.addons.chain.make_app", stand_in),
        patch("ccproxy.addons.listeners.options", impatient),
        patch("ccproxy.addons.master.options", impatient),
        patch("ccproxy.local.server.uvicorn.Config", partial(uvicorn.Config, ws_ping_interval=0.3)),
    ):
        program(["serve", *sys.argv[1:]])


if __name__ == "__main__":
    main()
