"""The load: what is asked of a contender, and how long each answer took."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from time import perf_counter

from .client import Answer, AnswerError, Connection
from .messages import REPLY_TEXT, StreamShape, request_body

CLIENT_HEADERS = {
    "content-type": "application/json",
    "accept": "application/json",
    "user-agent": "ccproxy-bench/1.0",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "fine-grained-tool-streaming-2025-05-14",
    "x-api-key": "dummy",
    "x-app": "cli",
    "x-stainless-lang": "js",
    "x-stainless-retry-count": "0",
    "x-stainless-timeout": "600",
}
"""What a real client sends with each request, with a dummy key."""


@dataclass(frozen=True)
class Target:
    """Where a contender takes Messages requests."""

    port: int
    path: str
    headers: Mapping[str, str]

    def request(self, body: bytes) -> bytes:
        headers = {"host": f"127.0.0.1:{self.port}", **CLIENT_HEADERS, **self.headers}
        headers["content-length"] = str(len(body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {self.path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def check_reply(answer: Answer) -> None:
    """Raises AnswerError unless this is the canned reply."""
    if answer.status != 200 or REPLY_TEXT.encode() not in answer.body:
        raise AnswerError(f"status {answer.status}: {answer.body[:300]!r}")


def check_stream(answer: Answer, shape: StreamShape) -> None:
    """Raises AnswerError unless every event of the canned stream came through."""
    deltas = answer.body.count(b"event: content_block_delta\n")
    if answer.status != 200 or deltas != shape.deltas or b"event: message_stop\n" not in answer.body:
        raise AnswerError(
            f"status {answer.status}, {deltas} of {shape.deltas} deltas: {answer.body[-300:]!r}"
        )


async def replies(target: Target, body_size: int, count: int) -> list[Answer]:
    """Plain requests one after the other on one connection."""
    request = target.request(request_body(body_size))
    connection = Connection(target.port)
    answers = []
    try:
        for _ in range(count):
            answers.append(await connection.request(request))
            check_reply(answers[-1])
    finally:
        connection.close()
    return answers


async def streams(target: Target, shape: StreamShape, count: int) -> list[Answer]:
    """Streamed requests one after the other on one connection."""
    request = target.request(request_body(1000, shape))
    connection = Connection(target.port)
    answers = []
    try:
        for _ in range(count):
            answers.append(await connection.request(request))
            check_stream(answers[-1], shape)
    finally:
        connection.close()
    return answers


async def throughput(target: Target, connections: int, seconds: float) -> tuple[int, float]:
    """As many plain requests as go through in `seconds`: how many, and the seconds they really took."""
    request = target.request(request_body(1000))
    started = perf_counter()
    counts = await _in_parallel(
        target, connections, lambda connection: _until(connection, request, started + seconds)
    )
    return sum(counts), perf_counter() - started


async def soak(target: Target, connections: int, count: int) -> None:
    """`count` requests, every tenth of them a short stream."""
    shape = StreamShape(deltas=20, burst=5, pause_ms=1)
    plain = target.request(request_body(1000))
    streamed = target.request(request_body(1000, shape))
    numbers = iter(range(count))

    async def work(connection: Connection) -> None:
        for number in numbers:
            if number % 10 == 9:
                check_stream(await connection.request(streamed), shape)
            else:
                check_reply(await connection.request(plain))

    await _in_parallel(target, connections, work)


async def _until(connection: Connection, request: bytes, deadline: float) -> int:
    count = 0
    while perf_counter() < deadline:
        check_reply(await connection.request(request))
        count += 1
    return count


async def _in_parallel[T](
    target: Target, connections: int, work: Callable[[Connection], Coroutine[None, None, T]]
) -> list[T]:
    opened = [Connection(target.port) for _ in range(connections)]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work(connection)) for connection in opened]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    finally:
        for connection in opened:
            connection.close()
    return [task.result() for task in tasks]
