"""Runs the simulator under uvicorn: in its own process (`serve`) or in the running event loop (`running`)."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from ccproxy.simulator.app import create_app
from ccproxy.simulator.delivery import TRANSPORT

type Announce = Callable[[str], None]


def serve(host: str, port: int, announce: Announce) -> None:
    """Serves until SIGINT or SIGTERM. `announce` gets the base URL once connections are accepted.

    Port 0 lets the system choose. Raises OSError when the address cannot be bound. Main thread only.
    """
    server = _Server(create_app(), _listen(host, port), announce)

    def stop(*_: object) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        asyncio.run(server.run_here())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@asynccontextmanager
async def running(app: ASGIApp | None = None, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """A simulator in this event loop for the length of the block; yields its base URL."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = _Server(app or create_app(), _listen(host, port), ready.set_result)
    task = asyncio.create_task(server.run_here())
    try:
        yield await ready
    finally:
        server.should_exit = True
        await task


def _listen(host: str, port: int) -> socket.socket:
    # The protocol must be named: asyncio sets TCP_NODELAY only then, and without it each answer that is
    # written in two parts waits 40 ms for an acknowledgement.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(1024)
    except OSError:
        sock.close()
        raise
    return sock


class _Server(uvicorn.Server):
    """uvicorn on one socket, without its own signal handling, and with a shutdown that waits for nobody."""

    def __init__(self, app: ASGIApp, sock: socket.socket, announce: Announce) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",
                http=_Http,
                ws=_WebSocket,
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                server_header=False,
                timeout_keep_alive=60,
                timeout_graceful_shutdown=1,
            )
        )
        self._sock = sock
        self._announce = announce

    async def run_here(self) -> None:
        await self.serve(sockets=[self._sock])

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = self._sock.getsockname()[:2]
        self._announce(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # An answer may be silent for ever, on purpose: its connection must not hold up the end.
        for connection in list(self.server_state.connections):
            connection.transport.close()
        await super().shutdown(sockets)


class _Http(H11Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app = _with_transport(self.app, transport)


class _WebSocket(WSProtocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app = _with_transport(self.app, transport)


def _with_transport(app: Any, transport: asyncio.Transport) -> Any:
    """`app`, which finds the TCP connection in its scope: ASGI itself has no way to break one."""

    async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[TRANSPORT] = transport
        await app(scope, receive, send)

    return with_transport
