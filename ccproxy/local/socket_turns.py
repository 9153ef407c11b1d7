"""One turn of a Responses WebSocket: the request goes out over HTTP, each event of its answer comes back.

The backend behind the HTTP route need not remember anything: what was said on this socket is kept here, and
a turn that goes on from it is sent with everything before it.
"""

import asyncio
import json
import math
import secrets
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx

from ccproxy.codex.memory import Forgotten, Memory
from ccproxy.conversation.parts import JsonObject
from ccproxy.formats.openai_errors import upstream_error_object
from ccproxy.formats.responses.upstream_errors import decode_error, failure
from ccproxy.formats.sse import Reader

type Say = Callable[[str], Awaitable[None]]
"""Sends one text frame."""

TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed", "error"})
REMEMBERED = frozenset({"response.completed", "response.incomplete"})
SOCKET_ONLY = frozenset({"type", "stream_id", "generate", "background", "stream", "previous_response_id"})
"""Fields of a message that the HTTP request does not get as they are."""

REST_SECONDS = 1.0
"""How long an answer may go on after its last event."""

_HEADERS = ("retry-after", "retry-after-ms", "x-should-retry", "x-request-id", "x-oai-request-id")
_HEADER_FAMILIES = ("x-codex-", "x-ratelimit-", "x-ccproxy-")
"""Headers of an HTTP error that a client is told."""


class Refused(Exception):
    """A message that is answered with an error event."""

    def __init__(self, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        kind = "invalid_request_error" if status < 500 else "server_error"
        error = {"type": kind, "code": code, "message": message, "param": param}
        self.event: JsonObject = {"type": "error", "status": status, "error": error}


class Turns:
    """The turns of one socket. `most_bytes` bounds what is remembered of them."""

    def __init__(self, client: httpx.AsyncClient, url: str, headers: httpx.Headers, most_bytes: int) -> None:
        self._client = client
        self._url = url
        self._headers = headers
        self._memory = Memory(most_bytes, math.inf, sys.maxsize)

    async def create(self, message: JsonObject, lane: JsonObject, say: Say) -> None:
        """Answer a `response.create`; `lane` is added to every event. Raises Refused."""
        body = {name: value for name, value in message.items() if name not in SOCKET_ONLY}
        previous = message.get("previous_response_id")
        items = self._before(previous) + _items(body.get("input"))
        if previous is not None:
            body["input"] = items
        content = _encoded(body | {"stream": True})
        if message.get("generate") is False:
            await self._prepare(body, previous, items, lane, say)
        else:
            await self._relay(content, previous, items, lane, say)

    def _before(self, previous: object) -> list[JsonObject]:
        if previous is None:
            return []
        if not isinstance(previous, str):
            raise Refused(400, "invalid_type", "must be a string or null", "previous_response_id")
        try:
            return self._memory.before(previous).items
        except Forgotten:
            text = f"Previous response with id '{previous[:64]}' not found on this connection."
            raise Refused(400, "previous_response_not_found", text, "previous_response_id") from None

    async def _prepare(
        self, body: JsonObject, previous: str | None, items: list[JsonObject], lane: JsonObject, say: Say
    ) -> None:
        """A response without output. Nothing is asked of anyone before the turn that goes on from it."""
        response_id = f"resp_{secrets.token_hex(24)}"
        self._memory.keep(response_id, items, None)
        response = _empty_response(response_id, body, previous)
        for number, (kind, status) in enumerate([("created", "in_progress"), ("completed", "completed")]):
            event = {"type": f"response.{kind}", "sequence_number": number}
            await say(json.dumps(event | {"response": response | {"status": status}} | lane))

    async def _relay(
        self, content: bytes, previous: str | None, items: list[JsonObject], lane: JsonObject, say: Say
    ) -> None:
        answer = _Answer(previous)
        try:
            async with (
                asyncio.timeout(None) as rest,
                self._client.stream("POST", self._url, headers=self._headers, content=content) as reply,
            ):
                if reply.status_code != 200:
                    refusal = error_event(reply.status_code, reply.headers, await reply.aread())
                    await say(json.dumps(refusal | lane))
                    return
                async for data in _events(reply):
                    event = None if answer.ended else answer.take(data)
                    if event is None:
                        continue
                    if answer.ended:
                        self._remember(answer, items)
                    await say(json.dumps(event | lane) if lane or answer.changed else data)
                    if answer.ended:
                        rest.reschedule(asyncio.get_running_loop().time() + REST_SECONDS)
        except (httpx.HTTPError, TimeoutError):
            pass  # what counts is whether the answer had ended
        if not answer.ended:
            text = "The answer broke off before its end. Send the request again."
            await say(json.dumps(Refused(502, "upstream_cut", text).event | lane))

    def _remember(self, answer: "_Answer", items: list[JsonObject]) -> None:
        if answer.response_id is not None:
            self._memory.keep(answer.response_id, items + answer.output, None)


class _Answer:
    """What has to be known of a stream while it passes by. `changed`: the newest event is not as it came."""

    def __init__(self, previous: str | None) -> None:
        self.ended = False
        self.changed = False
        self.response_id: str | None = None
        """Set when the response has come to an end from which one can go on; `output` is then whole."""
        self.output: list[JsonObject] = []
        self._previous = previous
        self._done: dict[int, JsonObject] = {}

    def take(self, data: str) -> JsonObject | None:
        """The event for the client, or None for what is no event."""
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            return None
        if not isinstance(event, dict) or not isinstance(event.get("type"), str):
            return None
        self.changed = False
        self.ended = event["type"] in TERMINAL
        match event:
            case {"type": "error"}:
                self.changed = True
                return _socket_error(event)
            case {"type": "response.output_item.done", "output_index": int(index), "item": dict(item)}:
                self._done[index] = item
            case {"type": str(kind), "response": dict(response)}:
                if kind in REMEMBERED:
                    self._finish(response)
                if self._previous is not None:
                    # upstream it was one long request; the client is told what it went on from
                    self.changed = True
                    response["previous_response_id"] = self._previous
        return event

    def _finish(self, response: JsonObject) -> None:
        response_id, output = response.get("id"), response.get("output")
        self.response_id = response_id if isinstance(response_id, str) else None
        # the ChatGPT plan backend leaves the output of the last event empty
        whole = output if isinstance(output, list) else []
        self.output = whole or [item for _, item in sorted(self._done.items())]


def error_event(status: int, headers: httpx.Headers, body: bytes) -> JsonObject:
    """An HTTP error as it looks on a WebSocket: OpenAI's error object stays as it is."""
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    match value:
        case {"error": dict() as error}:
            pass
        case _:
            error = upstream_error_object(decode_error(status, headers, body))
    told = {
        name: value
        for name, value in headers.items()
        if name in _HEADERS or name.startswith(_HEADER_FAMILIES)
    }
    return {"type": "error", "status": status, "error": error} | ({"headers": told} if told else {})


def _socket_error(event: JsonObject) -> JsonObject:
    """A stream says code and message in the event itself, a WebSocket in an object beside a status."""
    said = {name: event.get(name) for name in ("code", "message", "param")}
    error = event["error"] if isinstance(event.get("error"), dict) else said
    failed = failure(error)
    nested = error if "type" in error else upstream_error_object(failed)
    return {"type": "error", "status": failed.status, "error": nested}


def _encoded(body: JsonObject) -> bytes:
    try:
        return json.dumps(body, separators=(",", ":")).encode()
    except RecursionError:
        raise Refused(400, "invalid_json", "The message is nested too deeply.") from None


def _items(given: object) -> list[JsonObject]:
    """The input as items. Raises Refused."""
    if given is None:
        return []
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": given}]}]
    if isinstance(given, list) and all(isinstance(item, dict) for item in given):
        return given
    raise Refused(400, "invalid_type", "must be a string or an array of objects", "input")


def _empty_response(response_id: str, body: JsonObject, previous: str | None) -> JsonObject:
    """The response object with what a client may expect in it (OpenAI SDK 3.54.0, read 2026-11-22)."""
    usage = {
        "input_tokens": 0,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 0,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 0,
    }
    usual = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "metadata": {}}
    asked = ("instructions", "model", "temperature", "top_p", *usual)
    return {
        "id": response_id,
        "object": "response",
        "created_at": int(time.time()),
        "error": None,
        "incomplete_details": None,
        "previous_response_id": previous,
        "output": [],
        "usage": usage,
        **{name: body.get(name, usual.get(name)) for name in asked},
    }


async def _events(reply: httpx.Response) -> AsyncIterator[str]:
    reader = Reader()
    async for chunk in reply.aiter_bytes():
        for event in reader.feed(chunk):
            yield event.data
