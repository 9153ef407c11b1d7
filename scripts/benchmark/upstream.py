"""The canned Messages API that every contender forwards to, in a process of its own.

Written on `asyncio.Protocol` with prepared bytes, so that it is never the bottleneck. Run as a module
it prints its port and serves until it is ended.
"""

import asyncio
import re
from itertools import cycle, islice

from .canned import StreamShape, reply_body, stream_events

_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:\s*chunked", re.IGNORECASE)
_WANTS_STREAM = re.compile(rb'"stream"\s*:\s*true')
_MESSAGES = re.compile(rb"POST \S*/v1/messages[? ]")

_COMMON_HEADERS = (
    b"request-id: req_benchmark\r\n"
    b"anthropic-organization-id: 00000000-0000-0000-0000-000000000000\r\n"
    b"anthropic-ratelimit-requests-limit: 4000\r\n"
    b"anthropic-ratelimit-requests-remaining: 3999\r\n"
    b"anthropic-ratelimit-requests-reset: 2030-01-01T00:00:00Z\r\n"
)


def _answer(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n" % (status, len(body))
    return head + _COMMON_HEADERS + b"\r\n" + body


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


REPLY = _answer(b"200 OK", reply_body())
EMPTY = _answer(b"200 OK", b"")
NOT_FOUND = _answer(b"404 Not Found", b'{"type":"error","error":{"type":"not_found_error","message":"?"}}')
LENGTH_REQUIRED = _answer(b"411 Length Required", b"")
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
    b"transfer-encoding: chunked\r\n" + _COMMON_HEADERS + b"\r\n"
)


class Upstream(asyncio.Protocol):
    """One client connection; requests are answered in the order they come."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._writable = asyncio.Event()
        self._writable.set()
        self._stream: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._stream:
            self._stream.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._answer_next():
            pass

    def _answer_next(self) -> bool:
        """Answers the first request in the buffer; False when none is complete."""
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return False
        head = bytes(self._buffer[:head_end])
        length = _LENGTH.search(head)
        end = head_end + 4 + (int(length[1]) if length else 0)
        if len(self._buffer) < end:
            return False
        body = bytes(self._buffer[head_end + 4 : end])
        del self._buffer[:end]
        if _CHUNKED.search(head):
            self._transport.write(LENGTH_REQUIRED)
            self._transport.close()
            return False
        if not _MESSAGES.match(head):
            self._transport.write(NOT_FOUND if head.startswith(b"POST") else EMPTY)
        elif _WANTS_STREAM.search(body):
            self._stream = asyncio.ensure_future(self._send_stream(StreamShape.find(body)))
        else:
            self._transport.write(REPLY)
        return True

    async def _send_stream(self, shape: StreamShape) -> None:
        opening, deltas, closing = stream_events(shape)
        chunks = cycle([_chunk(delta) for delta in deltas])
        self._transport.write(STREAM_HEAD + b"".join(map(_chunk, opening)))
        clock = asyncio.get_running_loop().time
        due = clock()
        for sent in range(0, shape.deltas, shape.burst):
            # by the clock, not from the last write: late wake-ups must not add up over a stream
            due += shape.pause_ms / 1000
            await asyncio.sleep(max(due - clock(), 0))
            await self._writable.wait()
            self._transport.write(b"".join(islice(chunks, min(shape.burst, shape.deltas - sent))))
        self._transport.write(b"".join(map(_chunk, closing)) + b"0\r\n\r\n")


async def listen() -> asyncio.Server:
    """An upstream on a free loopback port."""
    return await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0)


async def _serve() -> None:
    server = await listen()
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
