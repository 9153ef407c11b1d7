"""A raw HTTP/1.1 client that costs little and knows when each answer began and ended."""

import asyncio
from dataclasses import dataclass
from time import perf_counter


class AnswerError(Exception):
    """The connection broke, or what came over it is not an HTTP/1.1 answer that we can read."""


@dataclass(frozen=True)
class Answer:
    """One answer. `first_byte`, `first_text` and `whole` are seconds from sending the request to the first
    byte of the body, to the first place in it that holds the mark asked for, and to its end."""

    status: int
    body: bytes
    first_byte: float
    first_text: float
    whole: float


class AnswerReader:
    """Reads one answer from the bytes fed to it: status line, headers, a body by length or in chunks.

    `marked_at` is when the mark came; without one, or if it never comes, the end of the answer.
    """

    def __init__(self, mark: bytes = b"") -> None:
        self._mark = mark
        self._buffer = bytearray()
        self._body: list[bytes] = []
        self._in_body = False
        self._chunked = False
        self._left = 0
        """Bytes still to come of the body, or of the current chunk with its line end."""
        self.status = 0
        self.first_byte_at = 0.0
        self.marked_at = 0.0
        self.keep_alive = True

    @property
    def body(self) -> bytes:
        return b"".join(self._body)

    def feed(self, data: bytes, now: float) -> bool:
        """True when the answer is complete."""
        self._buffer += data
        if not self._in_body and not self._read_head():
            return False
        if self._buffer and not self.first_byte_at:
            self.first_byte_at = now
        pieces = len(self._body)
        done = self._read_chunks() if self._chunked else self._read_length()
        if done and not self.first_byte_at:
            self.first_byte_at = now
        if not self.marked_at and (done or self._has_mark(pieces)):
            self.marked_at = now
        return done

    def _has_mark(self, pieces: int) -> bool:
        """Whether the mark is in what came after the first `pieces`, or began in the last of them."""
        return bool(self._mark) and self._mark in b"".join(self._body[max(pieces - 1, 0) :])

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        status_line, *lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        if not status_line.startswith("HTTP/1.1 "):
            raise AnswerError(f"not HTTP/1.1: {status_line[:60]!r}")
        self.status = int(status_line[9:12])
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.keep_alive = headers.get("connection", "").lower() != "close"
        self._chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        if not self._chunked:
            if "content-length" not in headers:
                raise AnswerError("neither content-length nor chunked")
            self._left = int(headers["content-length"])
        self._in_body = True
        return True

    def _read_length(self) -> bool:
        self._left -= len(self._buffer)
        self._body.append(bytes(self._buffer))
        self._buffer.clear()
        return self._left <= 0

    def _read_chunks(self) -> bool:
        position = 0
        done = False
        while not done:
            line_end = self._buffer.find(b"\r\n", position)
            if line_end < 0:
                break
            size = int(bytes(self._buffer[position:line_end]).partition(b";")[0], 16)
            start = line_end + 2
            if len(self._buffer) < start + size + 2:
                break
            self._body.append(bytes(self._buffer[start : start + size]))
            position = start + size + 2
            done = size == 0
        del self._buffer[:position]
        return done


class Connection(asyncio.Protocol):
    """One keep-alive connection; one request at a time. Opens itself again when the peer closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._reader = AnswerReader()
        self._answered: asyncio.Future[float] | None = None

    async def request(self, data: bytes, mark: bytes = b"") -> Answer:
        """Sends a whole request, head and body, and returns its answer; `mark` is what to look out for."""
        if self._transport is None or self._transport.is_closing():
            loop = asyncio.get_running_loop()
            self._transport, _ = await loop.create_connection(lambda: self, "127.0.0.1", self._port)
        self._reader = reader = AnswerReader(mark)
        self._answered = asyncio.get_running_loop().create_future()
        sent_at = perf_counter()
        self._transport.write(data)
        done_at = await self._answered
        if not reader.keep_alive:
            self.close()
        return Answer(
            reader.status,
            reader.body,
            reader.first_byte_at - sent_at,
            reader.marked_at - sent_at,
            done_at - sent_at,
        )

    def close(self) -> None:
        if self._transport:
            self._transport.close()
            self._transport = None

    def data_received(self, data: bytes) -> None:
        now = perf_counter()
        if self._answered is None or self._answered.done():
            return
        try:
            if self._reader.feed(data, now):
                self._answered.set_result(now)
        except (AnswerError, ValueError) as error:
            self._answered.set_exception(AnswerError(str(error)))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._answered and not self._answered.done():
            self._answered.set_exception(AnswerError(f"connection lost before the answer was whole: {exc}"))
