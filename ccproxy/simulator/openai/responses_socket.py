"""The WebSocket on the path of `/responses`: one JSON text message per event, state kept per connection.

Messages are answered one after another, so every lane (`stream_id`) is first in, first out.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from ccproxy.simulator.delivery import TRANSPORT
from ccproxy.simulator.ledger import entry_of
from ccproxy.simulator.openai.checking import read_object
from ccproxy.simulator.openai.errors import ApiError
from ccproxy.simulator.openai.responses_run import Answer
from ccproxy.simulator.script import Cut, Drop, Fault, Silence, StreamError

type Create = Callable[[dict[str, Any], bytes], Answer]
"""Answers the fields of a `response.create`; the second argument is the message as it came."""

TOO_OLD = "websocket_connection_limit_reached"
NOT_UTF8_TEXT = 1003


class Broken(Exception):
    """The connection has ended, from either side."""


class ResponsesSocket:
    """One accepted connection. `knows` says whether a response was made here."""

    def __init__(self, websocket: WebSocket, create: Create, knows: Callable[[str], bool]) -> None:
        self._socket = websocket
        self._create = create
        self._knows = knows
        self._inbox: asyncio.Queue[str] = asyncio.Queue()

    async def serve(self) -> None:
        """Until either side ends the connection."""
        tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._work())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception) and not isinstance(error, Broken | WebSocketDisconnect):
                raise error

    async def _read(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if message.get("text") is None:
                await self._socket.close(NOT_UTF8_TEXT, "Only text messages are read")
                return
            await self._inbox.put(message["text"])

    async def _work(self) -> None:
        while True:
            text = await self._inbox.get()
            lane: dict[str, Any] = {}
            try:
                data = read_object(text.encode("utf-8", "surrogatepass"))
                if "stream_id" in data:
                    lane = {"stream_id": data.pop("stream_id")}
                await self._handle(data, text, lane)
            except ApiError as error:
                await self._send(error_message(error) | lane)
                if error.code == TOO_OLD:
                    await self._socket.close()
                    raise Broken from None

    async def _handle(self, data: dict[str, Any], text: str, lane: dict[str, Any]) -> None:
        kind = data.pop("type", None)
        if kind == "response.steer":
            await self._send(self._steer(data) | lane)
        elif kind == "response.create":
            await self._play(self._create(data, text.encode("utf-8", "surrogatepass")), lane)
        else:
            raise ApiError(400, f"Unknown message type: {kind!r}.", param="type", code="invalid_value")

    def _steer(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Too late in any case: a response is finished before the next message is looked at."""
        known = self._knows(str(data.get("previous_response_id")))
        code = "response_already_completed" if known else "response_not_found"
        error = {"type": "invalid_request_error", "code": code, "message": "The response cannot be steered."}
        return {"type": "response.steer.failed", "error": error}

    async def _play(self, answer: Answer, lane: dict[str, Any]) -> None:
        entry_of(self._socket.scope).usage = answer.usage
        fault = answer.script.fault
        if isinstance(fault, Drop):
            self._break()
        for number, event in enumerate(answer.events):
            if number == _strikes_at(fault, len(answer.events)):
                match fault:
                    case Cut():
                        self._break()
                    case Silence():
                        await _silence(fault.seconds)
                    case StreamError():
                        await self._send(answer.failure(number) | lane)
                        return
            await asyncio.sleep(event.pause)
            await self._send(event.data | lane)

    async def _send(self, data: Mapping[str, Any]) -> None:
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        await self._socket.send_text(text)

    def _break(self) -> None:
        entry_of(self._socket.scope).outcome = "cut"
        self._socket.scope["extensions"][TRANSPORT].close()
        raise Broken


def error_message(error: ApiError) -> dict[str, Any]:
    """An error that would have been an HTTP answer, with its status and its headers."""
    message: dict[str, Any] = {"type": "error", "status": error.status, "error": error.error}
    return message | ({"headers": error.headers} if error.headers else {})


def _strikes_at(fault: Fault | None, events: int) -> int | None:
    match fault:
        case Cut(after=after) | StreamError(after=after):
            return min(after, events - 1)
        case Silence(after=after):
            return min(after or 0, events - 1)
    return None


async def _silence(seconds: float | None) -> None:
    if seconds is None:
        await asyncio.Event().wait()
    else:
        await asyncio.sleep(seconds)


async def refuse(websocket: WebSocket, error: ApiError, headers: Mapping[str, str]) -> None:
    """Answers the upgrade with an ordinary HTTP error."""
    raw = [(b"content-type", b"application/json")]
    raw += [(name.encode(), value.encode()) for name, value in {**headers, **error.headers}.items()]
    start = {"type": "websocket.http.response.start", "status": error.status, "headers": raw}
    await websocket.receive()  # the connect message: ASGI wants it taken first
    await websocket.send(start)
    await websocket.send({"type": "websocket.http.response.body", "body": error.body})
