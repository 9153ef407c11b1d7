"""What the simulator received, and how each exchange ended: the witness of every test.

`Ledger.record` wraps the whole ASGI app. It takes the body as it came over the wire (before any
decompression), hands the app a copy, and watches what the app sends. An upstream adds what only it knows:
`entry_of(request.scope).usage = {...}`. Requests to the control endpoints under `/_simulator/` are left out.
"""

import base64
import json
from collections import deque
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ccproxy.simulator.encodings import EncodingError, decode

MAX_ENTRIES = 5_000
MAX_BYTES = 256 * 1024 * 1024  # of request bodies kept; the oldest entries go first
MAX_BODY = 64 * 1024 * 1024  # one body is read up to here; what follows is not looked at
CONTROL = "/_simulator/"

type Outcome = Literal["open", "completed", "aborted", "cut"]


@dataclass(slots=True)
class Entry:
    """One request. `outcome`: `completed`, `aborted` (the client went away before the end), `cut` (the
    simulator broke the connection on purpose), `open` while it runs.

    `events_sent` counts the body pieces of the answer, for a WebSocket the messages sent; `messages` are the
    text messages a WebSocket client sent.
    """

    number: int
    method: str
    path: str  # with the query, as received
    headers: list[tuple[str, str]]
    body: bytes = b""
    status: int | None = None
    streamed: bool = False
    usage: dict[str, Any] | None = None
    outcome: Outcome = "open"
    bytes_sent: int = 0
    events_sent: int = 0
    websocket: bool = False
    messages: list[str] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """The values of a header joined by a comma, or None."""
        values = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(values) if values else None

    @property
    def body_json(self) -> Any:
        """The decoded body as JSON, or None when it is not JSON."""
        try:
            return json.loads(decode(self.body, self.header("content-encoding"), MAX_BODY))
        except (EncodingError, ValueError):
            return None

    def as_json(self) -> dict[str, Any]:
        """The shape of `GET /_simulator/requests`; `body` is base64."""
        return {
            "number": self.number,
            "method": self.method,
            "path": self.path,
            "headers": self.headers,
            "body": base64.b64encode(self.body).decode(),
            "body_json": self.body_json,
            "status": self.status,
            "streamed": self.streamed,
            "usage": self.usage,
            "outcome": self.outcome,
            "bytes_sent": self.bytes_sent,
            "events_sent": self.events_sent,
            "websocket": self.websocket,
            "messages": self.messages,
        }


def entry_of(scope: MutableMapping[str, Any]) -> Entry:
    """The entry of the request that is being answered."""
    entry: Entry = scope["simulator.entry"]
    return entry


class Ledger:
    """The newest entries, oldest first; numbers go on counting until `clear`."""

    def __init__(self, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        self._entries: deque[Entry] = deque()
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._bytes = 0
        self._count = 0

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        self._entries.clear()
        self._bytes = self._count = 0

    def record(self, app: ASGIApp) -> ASGIApp:
        """`app`, with every request to it written down here."""

        async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] not in ("http", "websocket") or scope["path"].startswith(CONTROL):
                await app(scope, receive, send)
                return
            entry = scope["simulator.entry"] = self._open(scope)
            try:
                if scope["type"] == "websocket":
                    await app(scope, _noting(entry, receive), _counting(entry, send))
                elif await self._read_body(entry, receive):
                    await app(scope, _replaying(entry.body, receive), _counting(entry, send))
            finally:
                if entry.outcome == "open":
                    entry.outcome = "aborted"

        return recorded

    def _open(self, scope: Scope) -> Entry:
        self._count += 1
        query = scope["query_string"]
        entry = Entry(
            number=self._count,
            method=scope.get("method", "GET"),
            path=(scope["raw_path"] + (b"?" + query if query else b"")).decode("latin-1"),
            headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
            websocket=scope["type"] == "websocket",
        )
        self._entries.append(entry)
        self._trim()
        return entry

    def _trim(self) -> None:
        while len(self._entries) > 1 and (
            len(self._entries) > self._max_entries or self._bytes > self._max_bytes
        ):
            self._bytes -= len(self._entries.popleft().body)

    async def _read_body(self, entry: Entry, receive: Receive) -> bool:
        """Fills `entry.body`; False when the client went away before its end."""
        body = bytearray()
        more = True
        while more and len(body) <= MAX_BODY:
            message = await receive()
            if message["type"] == "http.disconnect":
                return False
            body += message.get("body", b"")
            more = message.get("more_body", False)
        entry.body = bytes(body)
        self._bytes += len(body)
        self._trim()
        return True


def _replaying(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _noting(entry: Entry, receive: Receive) -> Receive:
    async def note() -> Message:
        message = await receive()
        if message["type"] == "websocket.receive" and message.get("text") is not None:
            entry.messages.append(message["text"])
        elif message["type"] == "websocket.disconnect" and entry.outcome == "open":
            # 1000 and 1005: the client closed the socket in good order.
            entry.outcome = "completed" if message.get("code") in (1000, 1005) else "aborted"
        return message

    return note


def _counting(entry: Entry, send: Send) -> Send:
    async def count(message: Message) -> None:
        match message["type"]:
            case "http.response.start":
                entry.status = message["status"]
            case "websocket.accept":
                entry.status = 101
            case "websocket.send":
                text = message.get("text")
                entry.bytes_sent += len(text.encode() if text is not None else message["bytes"])
                entry.events_sent += 1
            case "http.response.body":
                body = message.get("body", b"")
                entry.bytes_sent += len(body)
                entry.events_sent += bool(body)
                if not message.get("more_body", False):
                    entry.outcome = "completed"  # before it is sent: who has read the end may look here
            case "websocket.close":
                entry.outcome = "completed"
        await send(message)

    return count
