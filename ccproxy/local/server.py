"""Serves the local app on a loopback port of the system's choice, in the proxy's own loop."""

import asyncio
import contextlib
import logging
import socket
import weakref
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from ccproxy.backends.target import Target


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the proxy's business."""
        yield


def _is_news(record: logging.LogRecord) -> bool:
    """A request that ends because the proxy is stopped at once is no failure of the app's."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


class LocalServer:
    """The port is taken when this is made, so that nobody is refused while the app starts.

    `longest_message` is in bytes, for WebSockets.
    """

    def __init__(self, longest_message: int) -> None:
        self._longest_message = longest_message
        # named as TCP, because asyncio switches Nagle's algorithm off only where it reads that
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        # a proxy that fails before it runs never stops what it has not started
        weakref.finalize(self, self._socket.close)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(128)
        host, port = self._socket.getsockname()
        self.target = Target("http", host, port, "")
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self, app: ASGIApp) -> None:
        """Serve from now on."""
        # the bridge asks our own routes, which write their own lines
        logging.getLogger("httpx").setLevel(logging.WARNING)
        logging.getLogger("uvicorn.error").addFilter(_is_news)
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            # the proxy lets go first: no request meets a connection that is just being closed as idle
            timeout_keep_alive=3600,
            ws="wsproto",
            ws_max_size=self._longest_message,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        # where the loop ends first, nobody else does it
        self._task.add_done_callback(lambda _: self._socket.close())

    def stop(self) -> None:
        """Close the port and end every request, within a moment."""
        if self._server:
            # it has to let go of its socket itself, or the loop confuses the next one with the same number
            self._server.should_exit = self._server.force_exit = True
        else:
            self._socket.close()
