"""Just enough of the ChatGPT backend, on loopback, for one run of the Codex CLI: it takes the first request.

Checked 2026-11-22 with Codex CLI 0.45, 0.98, 0.144 and 0.169: of the answer they need the finished item and
`response.completed`; the model catalogue may be empty, and whatever else they ask for may be missing.
"""

import asyncio
import contextlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from ccproxy.conversation.parts import JsonObject
from ccproxy.formats.decompress import whole

LIMIT = 16 * 1024**2
"""Bytes that a request may have, compressed or not."""

_MESSAGE = {
    "id": "msg_0",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "ok", "annotations": []}],
}
_ANSWER: list[JsonObject] = [
    {"type": "response.created", "response": {"id": "resp_0", "status": "in_progress", "output": []}},
    {"type": "response.output_item.done", "output_index": 0, "item": _MESSAGE},
    {"type": "response.completed", "response": {"id": "resp_0", "status": "completed", "output": [_MESSAGE]}},
]


@dataclass(frozen=True, slots=True)
class CaptureServer:
    """A running server: `url` has no final slash, `request` is the body of the first POST to …/responses."""

    url: str
    request: asyncio.Future[JsonObject]


@contextlib.asynccontextmanager
async def capture_server(token: str) -> AsyncIterator[CaptureServer]:
    """Serves on a port of the system's choice whoever has the token: nobody else can plant a prompt."""
    request = asyncio.get_running_loop().create_future()
    listening = socket.create_server(("127.0.0.1", 0))
    host, port = listening.getsockname()
    server = _Server(
        uvicorn.Config(
            _app(token, request),
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="wsproto",
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield CaptureServer(f"http://{host}:{port}", request)
    finally:
        server.should_exit = server.force_exit = True
        await asyncio.wait([serving])
        listening.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the business of whoever runs the loop."""
        yield

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().serve(sockets)
        finally:
            # cancelled together with the whole loop, it would leave its sockets open
            for server in getattr(self, "servers", []):
                server.close()
            for connection in list(self.server_state.connections):
                if connection.transport:
                    connection.transport.close()


def _app(token: str, taken: asyncio.Future[JsonObject]) -> Starlette:
    async def responses(request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return JSONResponse({"detail": "Unauthorized"}, 401)
        try:
            body = await _read(request)
        except ValueError as problem:
            return JSONResponse({"detail": str(problem)}, 400)
        if not taken.done():
            taken.set_result(body)
        stream = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in _ANSWER)
        return Response(stream, media_type="text/event-stream")

    async def models(request: Request) -> Response:
        return JSONResponse({"models": []})

    return Starlette(
        routes=[
            Route("/backend-api/codex/responses", responses, methods=["POST"]),
            WebSocketRoute("/backend-api/codex/responses", _refuse),
            Route("/backend-api/codex/models", models),
        ]
    )


async def _refuse(websocket: WebSocket) -> None:
    """With this status the CLI goes over to HTTP at once; others it tries again."""
    await websocket.send_denial_response(Response("Upgrade Required", 426))


async def _read(request: Request) -> JsonObject:
    """The body as decoded JSON. Raises ValueError."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > LIMIT:
            raise ValueError("The body is too large.")
    plain = whole(bytes(data), request.headers.get("content-encoding", ""), LIMIT)
    return msgspec.json.decode(plain, type=JsonObject)
