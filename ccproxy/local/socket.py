"""A WebSocket that speaks Responses (API reference and SDK 3.54.0, read 2026-11-22), answered over HTTP.

The proxy's router sends the upgrade here and says in two request headers which of the proxy's own routes
answers; so a turn over the WebSocket takes the same way as one over HTTP.
"""

import asyncio
import base64
import binascii
import contextlib
import json
import ssl
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping

import httpx
import msgspec
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.local.socket_turns import Refused, Turns
from ccproxy.translation import parse

URL_HEADER = "x-ccproxy-bridge-url"
"""Where to POST a turn: the address of an HTTP route for Responses."""

HEADERS_HEADER = "x-ccproxy-bridge-headers"
"""What to send there: base64 of a JSON array of name and value pairs."""

LIFETIME = 3600.0
"""Seconds that a connection may live, as long as OpenAI's."""

MOST_BYTES = 128 * 2**20
"""Bytes of conversations that are remembered for one connection."""

GOING_AWAY = 1001
SENT_BY_US = {
    "accept": "text/event-stream",
    "accept-encoding": "identity",
    "content-type": "application/json",
}
NOT_SENT = ("host", "connection", "content-length", "content-encoding", "transfer-encoding")
"""Headers that say how the body is carried, which is between us and the route."""


def bridge_headers(url: str, headers: list[tuple[str, str]]) -> dict[str, str]:
    """The two request headers for `bridge`."""
    return {URL_HEADER: url, HEADERS_HEADER: base64.b64encode(msgspec.json.encode(headers)).decode()}


def bridge(
    lifetime: float = LIFETIME, most_bytes: int = MOST_BYTES
) -> Callable[[WebSocket], Awaitable[None]]:
    """The endpoint of a WebSocket route."""

    async def serve(websocket: WebSocket) -> None:
        try:
            url, headers = _target(websocket.headers)
        except ValueError:
            error = {"type": "invalid_request_error", "message": "Only the proxy itself may connect here."}
            await websocket.send_denial_response(JSONResponse({"error": error}, 400))
            return
        await websocket.accept()
        clock = asyncio.timeout(lifetime)
        try:
            async with clock, _client() as client, asyncio.TaskGroup() as group:
                await _Connection(websocket, Turns(client, url, headers, most_bytes), group).read()
        except* (WebSocketDisconnect, TimeoutError):
            pass  # the client has left, or its time is up; either way its requests have been cancelled
        if clock.expired():
            with contextlib.suppress(WebSocketDisconnect):
                text = f"The connection is older than {lifetime / 60:g} minutes: open a new one."
                limit = Refused(400, "websocket_connection_limit_reached", text)
                await websocket.send_text(json.dumps(limit.event))
                await websocket.close(GOING_AWAY)

    return serve


class _Connection:
    """Reads what the client sends. Each lane (`stream_id`) is first in, first out, beside the others."""

    def __init__(self, websocket: WebSocket, turns: Turns, group: asyncio.TaskGroup) -> None:
        self._socket = websocket
        self._turns = turns
        self._group = group
        # whoever waits for an asyncio lock gets it in the order of asking
        self._lanes: defaultdict[str | None, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def read(self) -> None:
        """For ever. Raises WebSocketDisconnect when the client leaves."""
        while True:
            received = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(received.get("code", 1005))
            try:
                await self._take(_message(received.get("text")))
            except Refused as refused:
                await self._say(json.dumps(refused.event))

    async def _take(self, message: JsonObject) -> None:
        stream_id = message.get("stream_id")
        if not isinstance(stream_id, str | None):
            raise Refused(400, "invalid_type", "must be a string", "stream_id")
        match message.get("type"):
            case "response.create":
                self._group.create_task(self._answer(message, stream_id))
            case "response.steer":
                await self._say(json.dumps(_not_steered(message) | _lane(stream_id)))
            case "response.processed":
                pass  # older Codex clients say so and expect no answer
            case kind:
                raise Refused(400, "invalid_value", f"Unknown message type: {str(kind)[:100]!r}.", "type")

    async def _answer(self, message: JsonObject, stream_id: str | None) -> None:
        async with self._lanes[stream_id]:
            try:
                await self._turns.create(message, _lane(stream_id), self._say)
            except Refused as refused:
                await self._say(json.dumps(refused.event | _lane(stream_id)))

    async def _say(self, text: str) -> None:
        if self._socket.application_state is not WebSocketState.CONNECTED:
            raise WebSocketDisconnect(1006)  # another lane has met the closed connection first
        await self._socket.send_text(text)


def _lane(stream_id: str | None) -> JsonObject:
    return {} if stream_id is None else {"stream_id": stream_id}


def _message(text: str | None) -> JsonObject:
    """A text frame as the JSON object that it has to be. Raises Refused."""
    if text is None:
        raise Refused(400, "invalid_message", "Only text frames are read: send JSON as text.")
    try:
        return parse(text.encode("utf-8", "surrogatepass"))
    except RequestError as problem:
        raise Refused(400, "invalid_json", str(problem)) from None


def _not_steered(message: JsonObject) -> JsonObject:
    """An answer that runs upstream over HTTP cannot be told anything more."""
    return {
        "type": "response.steer.failed",
        "sequence_number": 0,
        "steer": {name: message.get(name) for name in ("previous_response_id", "input")},
        "error": {
            "type": "invalid_request_error",
            "code": "steering_not_supported",
            "message": "A response cannot be steered here: wait for its end, then go on from it.",
        },
    }


def _target(given: Mapping[str, str]) -> tuple[str, httpx.Headers]:
    """Where the turns go, and with which headers. Raises ValueError when the router has not said so."""
    url = given.get(URL_HEADER, "")
    if not url.startswith("http://"):
        raise ValueError(f"no usable {URL_HEADER}")
    try:
        encoded = base64.b64decode(given.get(HEADERS_HEADER, ""), validate=True)
        pairs = msgspec.json.decode(encoded, type=list[tuple[str, str]])
    except (binascii.Error, msgspec.MsgspecError, UnicodeDecodeError):
        raise ValueError(f"no usable {HEADERS_HEADER}") from None
    headers = httpx.Headers(
        [(name.encode(), value.encode()) for name, value in pairs if name.lower() not in NOT_SENT]
    )
    headers.update(SENT_BY_US)
    return url, headers


def _client() -> httpx.AsyncClient:
    """No proxy from the environment and no limit to silence: the proxy that answers watches the clock.

    It speaks plain HTTP on this machine, so there is no one to trust, and no certificates are loaded.
    """
    return httpx.AsyncClient(
        trust_env=False,
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        timeout=httpx.Timeout(None, connect=10),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=10),
    )
