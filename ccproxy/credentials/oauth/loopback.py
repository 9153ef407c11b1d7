"""The receiver of a redirect: a door on this machine that is open for one login (RFC 8252, section 7.3)."""

import asyncio
import errno
import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from html import escape
from http import HTTPStatus

from ccproxy.credentials.oauth.callback import Callback, read_query, state_in
from ccproxy.credentials.oauth.constants import Redirect
from ccproxy.credentials.oauth.pkce import same
from ccproxy.credentials.oauth.tokens import LoginError

WAIT = 10 * 60.0
"""Seconds that a person has for a login."""

REQUEST_SECONDS = 10.0
"""Browsers open connections ahead of time and leave them silent."""

REQUEST_LINE = re.compile(rb"([A-Z]{1,10}) (/[!-~]*) HTTP/1\.[01]\r\n")
MOST = 16 * 1024
FREE_PORT_TRIES = 20
TAKEN = (errno.EADDRINUSE, errno.EACCES)

DONE = "The login has come through. Close this page and go back to the terminal."
OTHER = "This belongs to another login, or to none. Open the link that the terminal shows now."

Outcome = Callback | LoginError


class Receiver:
    """Waits for the redirect of one login to `redirect_uri`. Made by `receiver()`."""

    def __init__(self, redirect: Redirect, port: int) -> None:
        self.redirect_uri = redirect.uri(port)
        self._path = redirect.path
        self._state: str | None = None
        self._outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._open: set[asyncio.Task[None]] = set()

    async def callback(self, state: str, *, seconds: float = WAIT) -> Callback:
        """What the redirect with this state brings. Raises LoginError for a refusal, and when time is up."""
        self._state = state
        done, _ = await asyncio.wait([self._outcome], timeout=seconds)
        if not done:
            raise LoginError(
                f"Nobody has finished the login within {seconds / 60:g} minutes: begin again.", code="timeout"
            )
        outcome = self._outcome.result()
        if isinstance(outcome, LoginError):
            raise outcome
        return outcome

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes a connection."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def close(self) -> None:
        """Ends the connections that are still open."""
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer. The login goes on once the page is out, or the browser is gone."""
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                status, text, outcome = self._answer(await reader.readuntil(b"\r\n\r\n"))
            with suppress(OSError):
                writer.write(_page(status, text))
                await writer.drain()
            if outcome is not None and not self._outcome.done():
                self._outcome.set_result(outcome)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    def _answer(self, head: bytes) -> tuple[HTTPStatus, str, Outcome | None]:
        """Status and text of the page, and what the login comes to, if this request decides it."""
        match = REQUEST_LINE.match(head)
        if match is None:
            return HTTPStatus.BAD_REQUEST, "That is no request for a page.", None
        path, _, query = match[2].decode().partition("?")
        if path != self._path:
            return HTTPStatus.NOT_FOUND, "There is nothing here.", None
        if match[1] != b"GET":
            return HTTPStatus.METHOD_NOT_ALLOWED, "Only GET.", None
        state = state_in(query)
        if self._state is None or not same(state, self._state):
            return HTTPStatus.BAD_REQUEST, OTHER, None
        try:
            callback = read_query(query)
        except LoginError as error:
            incomplete = error.code == "incomplete"
            return HTTPStatus.BAD_REQUEST, str(error), None if incomplete else error
        return HTTPStatus.OK, DONE, callback


@asynccontextmanager
async def receiver(redirect: Redirect) -> AsyncIterator[Receiver]:
    """A receiver for the length of the block, on the first of the redirect's ports that is free.

    Raises LoginError when none is.
    """
    sockets = _bind(redirect)
    door = Receiver(redirect, sockets[0].getsockname()[1])
    servers: list[asyncio.Server] = []
    try:
        for sock in sockets:
            servers.append(await asyncio.start_server(door.accept, sock=sock, limit=MOST))  # noqa: PERF401
        yield door
    finally:
        for server in servers:
            server.close()
        for sock in sockets:
            sock.close()
        await door.close()


def _bind(redirect: Redirect) -> list[socket.socket]:
    for port in redirect.ports or (0,) * FREE_PORT_TRIES:
        try:
            return _bind_port(redirect.host, port)
        except OSError as error:
            if error.errno not in TAKEN:
                raise LoginError(f"Port {port} cannot be opened: {error.strerror}", code="no_port") from None
    ports = " and ".join(map(str, redirect.ports))
    what = f"Port {ports} is in use" if len(redirect.ports) == 1 else f"Ports {ports} are in use"
    raise LoginError(
        f"{what if ports else 'No port is free'}, and the login cannot come back elsewhere: end the program "
        "that holds it, perhaps another login, and try again.",
        code="port_in_use",
    )


def _bind_port(host: str, port: int) -> list[socket.socket]:
    """`localhost` is both loopback addresses: whoever held the other one could receive the code."""
    first = _listen(socket.AF_INET, "127.0.0.1", port)
    if host != "localhost":
        return [first]
    try:
        return [first, _listen(socket.AF_INET6, "::1", first.getsockname()[1])]
    except OSError as error:
        if error.errno not in TAKEN:  # this machine has no IPv6
            return [first]
        first.close()
        raise


def _listen(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(16)
    except OSError:
        sock.close()
        raise
    return sock


def _page(status: HTTPStatus, text: str) -> bytes:
    title = "ccproxy"
    body = f"<!doctype html><meta charset=utf-8><title>{title}</title><h1>{title}</h1><p>{escape(text)}</p>"
    content = body.encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "content-type: text/html; charset=utf-8\r\n"
        f"content-length: {len(content)}\r\n"
        "cache-control: no-store\r\n"
        "referrer-policy: no-referrer\r\n"
        "content-security-policy: default-src 'none'\r\n"
        "connection: close\r\n\r\n"
    )
    return head.encode() + content
