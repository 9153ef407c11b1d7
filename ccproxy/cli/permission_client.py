"""The permission routes of a running server, and a stream of them that comes back by itself."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Self
from urllib.parse import quote

import httpx

from ccproxy.cli.permission_queue import Changed, Connected, Lost, Update
from ccproxy.cli.permission_request import Request, read_request
from ccproxy.cli.permission_text import in_one_line, plain
from ccproxy.cli.running import NoAnswerError, headers
from ccproxy.conversation.parts import JsonObject
from ccproxy.formats.sse import Reader

RETRY = 1.0
"""Seconds between two attempts to reach the server again: it is near, and somebody waits."""

SILENCE = 40.0
"""The stream has a ping every 15 seconds; when two are missing, nobody is there."""

PATIENCE = 10.0
"""Seconds for everything else."""

CLOCKS_AGREE = timedelta(seconds=2)
"""A `Date` header has whole seconds."""

EVENTS = ("permission_request", "permission_resolved", "permission_expired")


class NotTakenError(Exception):
    """The server did not take an answer: 404 or 409 if it is too late, None if it could not be reached."""

    def __init__(self, status: int | None, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def too_late(self) -> bool:
        return self.status in (404, 409)


class Client:
    """One server. Use it as `async with`."""

    def __init__(self, address: str, token: str | None) -> None:
        self.address = address
        self._token = token
        self._http: httpx.AsyncClient

    async def __aenter__(self) -> Self:
        self._http = httpx.AsyncClient(headers=headers(self._token), timeout=PATIENCE, trust_env=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def watch(self) -> AsyncGenerator[Update]:
        """Everything that happens, without end; a connection that is lost is made again.

        Raises NoAnswerError if there is none at first, or if the server wants nothing of us: its text says
        what to do.
        """
        reached = False
        while True:
            reason = "The proxy has closed the connection."
            try:
                async with aclosing(self._connection()) as updates:
                    async for update in updates:
                        reached = True
                        yield update
            except (httpx.HTTPError, httpx.InvalidURL) as problem:
                if not reached:
                    raise NoAnswerError(
                        f"No ccproxy answers at {self.address}: start it with `ccproxy`, "
                        "or name another with --host and --port."
                    ) from None
                silent = isinstance(problem, httpx.ReadTimeout)
                reason = f"The proxy {'is silent' if silent else 'does not answer'}."
            except _UnwellError as problem:
                if not reached:
                    raise NoAnswerError(str(problem)) from None
                reason = str(problem)
            yield Lost(reason, RETRY)
            await asyncio.sleep(RETRY)

    async def _connection(self) -> AsyncGenerator[Update]:
        """One connection: first all requests, then what changes."""
        reader = Reader()
        timeout = httpx.Timeout(PATIENCE, read=SILENCE)
        async with self._http.stream("GET", f"{self.address}/permissions/stream", timeout=timeout) as stream:
            if not stream.headers.get("content-type", "").startswith("text/event-stream"):
                await stream.aread()
                self._refuse(stream)
            # the stream is open by now: nothing can fall between the list and the events
            ahead = ahead_of_us(stream.headers)
            yield Connected(await self._everything(), ahead)
            async for chunk in stream.aiter_bytes():
                for event in reader.feed(chunk):
                    if event.name in EVENTS:
                        yield Changed(_request(event.data))
                    elif event.name != "ping":
                        # such as: events were left out
                        yield Connected(await self._everything(), ahead)

    async def _everything(self) -> tuple[Request, ...]:
        answer = await self._http.get(f"{self.address}/permissions")
        found = _json(answer).get("permissions")
        if answer.status_code != 200 or not isinstance(found, list):
            self._refuse(answer)
        return tuple(_request(json.dumps(each)) for each in found or ())

    def _refuse(self, answer: httpx.Response) -> None:
        """Raises what an answer that is not the one hoped for means."""
        told = message_in(answer)
        if answer.status_code == 401:
            was = "does not take the token that you have" if self._token else "asks for its token"
            raise NoAnswerError(
                f"{self.address} {was}: set security.auth_token (SECURITY__AUTH_TOKEN) "
                "to the one that the server was started with."
            )
        if told and answer.status_code >= 500:
            raise _UnwellError(told)
        if told:
            raise NoAnswerError(f"{self.address}: {told}")
        raise NoAnswerError(
            f"What answers at {self.address} is no ccproxy that knows permissions: "
            "name another with --host and --port."
        )

    async def respond(self, id_: str, answer: JsonObject) -> Request:
        """Send the answer of a person; returns the request as it is now. Raises NotTakenError."""
        try:
            got = await self._http.post(
                f"{self.address}/permissions/{quote(id_, safe='')}/respond",
                # in ASCII: a text may hold half a surrogate pair, which UTF-8 has no bytes for
                content=json.dumps(answer),
                headers={"content-type": "application/json"},
            )
        except httpx.HTTPError:
            raise NotTakenError(None, "the proxy does not answer") from None
        if got.status_code != 200:
            told = message_in(got) or f"the proxy answered with status {got.status_code}"
            raise NotTakenError(got.status_code, told)
        try:
            return read_request(got.json())
        except ValueError:
            raise NotTakenError(200, "the proxy answered with something else") from None


class _UnwellError(Exception):
    """The server is there and cannot serve at the moment."""


def _request(data: str) -> Request:
    try:
        return read_request(json.loads(data))
    except ValueError:
        raise _UnwellError("The proxy says things that cannot be read.") from None


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def message_in(answer: httpx.Response) -> str:
    """What an error of ccproxy's says; empty for one of somebody else."""
    error = _json(answer).get("error")
    message = error.get("message") if isinstance(error, dict) else None
    # whoever answers there, it goes to a terminal
    return plain(in_one_line(message)) if isinstance(message, str) else ""


def ahead_of_us(headers: httpx.Headers) -> timedelta:
    """How much the server's clock is ahead of ours, where that matters."""
    try:
        theirs = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return timedelta()
    ahead = theirs - datetime.now(UTC)
    return ahead if abs(ahead) > CLOCKS_AGREE else timedelta()
