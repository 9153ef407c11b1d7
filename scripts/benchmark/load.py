"""The load: what is asked of a contender, and how long each answer took."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from time import perf_counter

from .canned import FIRST_TEXT, StreamShape
from .client import Answer, Connection
from .dialect import Dialect


@dataclass(frozen=True)
class Target:
    """Where a contender takes the requests of a leg, in which format, with which further headers."""

    port: int
    path: str
    dialect: Dialect
    headers: Mapping[str, str]

    def request(self, size: int, shape: StreamShape | None = None) -> bytes:
        """Head and body of a request whose body has about `size` bytes; streamed when a shape is given."""
        body = self.dialect.request_body(size, shape)
        headers = {"host": f"127.0.0.1:{self.port}", **self.dialect.HEADERS, **self.headers}
        headers["content-length"] = str(len(body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {self.path} HTTP/1.1\r\n{lines}\r\n".encode() + body


async def replies(target: Target, body_size: int, count: int) -> list[Answer]:
    """Plain requests one after the other on one connection."""
    request = target.request(body_size)
    connection = Connection(target.port)
    answers = []
    try:
        for _ in range(count):
            answers.append(await connection.request(request))
            target.dialect.check_reply(answers[-1])
    finally:
        connection.close()
    return answers


async def streams(target: Target, shape: StreamShape, count: int) -> list[Answer]:
    """Streamed requests one after the other on one connection."""
    request = target.request(1000, shape)
    connection = Connection(target.port)
    answers = []
    try:
        for _ in range(count):
            answers.append(await connection.request(request, FIRST_TEXT))
            target.dialect.check_stream(answers[-1], shape)
    finally:
        connection.close()
    return answers


async def throughput(target: Target, connections: int, seconds: float) -> tuple[int, float]:
    """As many plain requests as go through in `seconds`: how many, and the seconds they really took."""
    request = target.request(1000)
    started = perf_counter()

    async def work(connection: Connection) -> int:
        count = 0
        while perf_counter() < started + seconds:
            target.dialect.check_reply(await connection.request(request))
            count += 1
        return count

    counts = await _in_parallel(target, connections, work)
    return sum(counts), perf_counter() - started


async def soak(target: Target, connections: int, count: int) -> None:
    """`count` requests, every tenth of them a short stream."""
    shape = StreamShape(deltas=20, burst=5, pause_ms=1)
    plain = target.request(1000)
    streamed = target.request(1000, shape)
    numbers = iter(range(count))

    async def work(connection: Connection) -> None:
        for number in numbers:
            if number % 10 == 9:
                target.dialect.check_stream(await connection.request(streamed), shape)
            else:
                target.dialect.check_reply(await connection.request(plain))

    await _in_parallel(target, connections, work)


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
