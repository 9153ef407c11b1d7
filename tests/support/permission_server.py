"""The permission routes, served on a port of their own, with the store at hand."""

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette

from ccproxy.agent.permission_request import Decision, Request
from ccproxy.agent.permissions import Permissions
from ccproxy.local.permissions import permission_routes
from ccproxy.settings.tree import Permissions as PermissionSettings
from tests.support.processes import free_port


class PermissionServer:
    """Can be stopped and started again on its port: then it has forgotten everything."""

    def __init__(self, timeout_seconds: float = 60) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = PermissionSettings(timeout_seconds=timeout_seconds)

    def start(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.run(self._start())
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    async def _start(self) -> None:
        self.store = Permissions(self._settings)
        app = Starlette(routes=permission_routes(self.store))
        config = uvicorn.Config(
            app, port=self.port, log_level="error", lifespan="off", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server._serve())

    def stop(self, *, tells: bool = True) -> None:
        """Unless it `tells`, it is as if the network were gone."""
        self.run(self._stop(tells))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _stop(self, tells: bool) -> None:
        if tells:
            self.store.close()
        self._server.should_exit = True
        self._server.force_exit = not tells
        await self._serving
        # the askers learn that the proxy stops
        await asyncio.sleep(0.05)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        # a moment for the sockets
        await asyncio.sleep(0.05)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def ask(
        self, tool: str, given: Any, session: str | None = "s-1", cwd: str = "/home/me"
    ) -> "Future[Decision]":
        """Somebody asks; returns once the request is pending."""
        before = len(self.store.pending())
        asked = asyncio.run_coroutine_threadsafe(self.store.ask(tool, given, None, session, cwd), self._loop)
        deadline = time.monotonic() + 10
        while len(self.store.pending()) == before and not asked.done():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return asked

    def pending(self) -> list[Request]:
        return self.store.pending()

    def respond(self, id_: str, allowed: bool) -> None:
        """Somebody else answers."""

        async def respond() -> None:
            self.store.respond(id_, allowed)

        self.run(respond())


@contextmanager
def permission_server(timeout_seconds: float = 60) -> Iterator[PermissionServer]:
    server = PermissionServer(timeout_seconds)
    server.start()
    try:
        yield server
    finally:
        server.stop()
