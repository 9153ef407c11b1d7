"""A login server of one's own, for answers that the simulator does not give."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Provider:
    """Gives what is queued, then the same answer to every request; `paths` has others for some paths.

    Keeps what it was sent.
    """

    url: str = ""
    answer: bytes = b""
    queue: list[bytes] = field(default_factory=list)
    paths: dict[str, bytes] = field(default_factory=dict)
    requests: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            ]
            self.requests.append(head + await reader.readexactly(lengths[0] if lengths else 0))
            usual = self.paths.get(head.split(b" ")[1].decode(), self.answer)
            writer.write(self.queue.pop(0) if self.queue else usual)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def provider(answer: bytes = b"") -> AsyncIterator[Provider]:
    one = Provider(answer=answer)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield one
    finally:
        server.close()


def http(
    status: int, content: object, headers: Mapping[str, str] | None = None, kind: str = "application/json"
) -> bytes:
    """An answer; `content` that is no bytes is sent as JSON."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    lines = [f"HTTP/1.1 {status} X", f"content-type: {kind}", f"content-length: {len(body)}"]
    lines += ["connection: close", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    return "\r\n".join([*lines, "", ""]).encode() + body
