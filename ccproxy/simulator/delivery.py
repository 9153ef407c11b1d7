"""Sending an answer, with the faults, pauses and compression its script asks for.

Both answers notice at once when the client goes away (the ledger then says `aborted`). Breaking a connection
needs the transport, which `server.py` puts into the ASGI scope.
"""

import asyncio
import zlib
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ccproxy.simulator.ledger import entry_of
from ccproxy.simulator.script import Cut, Drop, Fault, Script, Silence, StreamError, Text

TRANSPORT = "ccproxy.transport"  # the key in scope["extensions"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a stream as it goes over the wire, and the seconds to wait before it."""

    data: bytes
    pause: float = 0.0


class StreamAnswer(Response):
    """A streamed 200 answer. `error` is the event that takes the place of the rest for `error200`."""

    media_type = "text/event-stream"

    def __init__(
        self, frames: Sequence[Frame], error: bytes, script: Script, headers: Mapping[str, str]
    ) -> None:
        self.status_code = 200
        self.background = None
        self.frames = frames
        self.error = error
        self.script = script
        self.init_headers({**headers, "cache-control": "no-cache", **_encoding(script)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        entry_of(scope).streamed = True
        await while_connected(receive, self._send(scope, send))

    async def _send(self, scope: Scope, send: Send) -> None:
        fault = self.script.fault
        if isinstance(fault, Drop):
            await hang_up(scope)
        if isinstance(fault, Silence) and fault.after is None:
            await _wait(fault.seconds)
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        body = _Body(send, self.script.gzip)
        strikes_at = _strikes_at(fault, len(self.frames))
        for number, frame in enumerate([*self.frames, Frame(b"")]):
            if number == strikes_at:
                match fault:
                    case Cut():
                        await hang_up(scope)
                    case Silence():
                        await _wait(fault.seconds)
                    case StreamError():
                        await body.write(self.error)
                        break
            if frame.pause:
                await asyncio.sleep(frame.pause)
            await body.write(frame.data)
        await body.end()


def _strikes_at(fault: Fault | None, events: int) -> int | None:
    """The number of events that go out before `fault` strikes; None when it does not strike in a stream."""
    match fault:
        case Cut(after=after) | StreamError(after=after):
            return min(after, events)
        case Silence(after=int(after)):
            return min(after, events)
    return None


class _Body:
    """The body of a streamed answer, every piece flushed at once, compressed when `gzip`."""

    def __init__(self, send: Send, gzip: bool) -> None:
        self._send = send
        self._packer = zlib.compressobj(wbits=31) if gzip else None

    async def write(self, data: bytes) -> None:
        if self._packer is not None:
            data = self._packer.compress(data) + self._packer.flush(zlib.Z_SYNC_FLUSH)
        if data:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        rest = self._packer.flush() if self._packer is not None else b""
        await self._send({"type": "http.response.body", "body": rest, "more_body": False})


class JsonAnswer(Response):
    """A complete JSON answer. A cut comes in mid-body; silence and pauses before the headers."""

    media_type = "application/json"

    def __init__(
        self, body: bytes, headers: Mapping[str, str], script: Script | None = None, status: int = 200
    ) -> None:
        self.script = script or Script(())
        body = zlib.compress(body, wbits=31) if self.script.gzip else body
        super().__init__(body, status, {**headers, **_encoding(self.script)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.script.fault is None and not self.script.pause:
            await super().__call__(scope, receive, send)
        else:
            await while_connected(receive, self._send(scope, receive, send))

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> None:
        pieces = sum(len(part.pieces) for part in self.script.parts if isinstance(part, Text))
        await asyncio.sleep(self.script.pause * pieces)
        match self.script.fault:
            case Drop():
                await hang_up(scope)
            case Cut(after=after):
                await send(
                    {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
                )
                part = self.body[: len(self.body) // 2] if after else b""
                await send({"type": "http.response.body", "body": part, "more_body": True})
                await hang_up(scope)
            case Silence(seconds=seconds):
                await _wait(seconds)
        await super().__call__(scope, receive, send)


async def while_connected(receive: Receive, work: Coroutine[Any, Any, None]) -> None:
    """Runs `work` to its end, or until the client has gone away."""

    async def client_gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = [asyncio.ensure_future(work), asyncio.ensure_future(client_gone())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if not tasks[0].cancelled():
        tasks[0].result()


async def hang_up(scope: Scope) -> None:
    """Closes the TCP connection after what was already sent, and waits to be cancelled."""
    entry_of(scope).outcome = "cut"
    scope["extensions"][TRANSPORT].close()
    await asyncio.Event().wait()


async def _wait(seconds: float | None) -> None:
    if seconds is None:
        await asyncio.Event().wait()
    else:
        await asyncio.sleep(seconds)


def _encoding(script: Script) -> dict[str, str]:
    return {"content-encoding": "gzip"} if script.gzip else {}
