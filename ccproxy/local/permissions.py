"""Permissions over HTTP: what is asked for, as a list and as a stream, who decides, and a plain way to ask.

They are for people and programs that come through the proxy.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from ccproxy import failures
from ccproxy.agent.permission_request import Request, Status, behavior, is_json
from ccproxy.agent.permissions import AlreadyDecided, NothingToRemember, Permissions, UnknownRequest
from ccproxy.conversation.parts import JsonObject
from ccproxy.failures import Failure
from ccproxy.local.refusals import NO_STORE, refused

KEEPALIVE = 15.0
"""Seconds between two signs of life on an answer that waits for a person."""

LONGEST_NAME = 256
"""Characters of a tool's name."""

EVENTS: dict[Status, str] = {
    "pending": "permission_request",
    "allowed": "permission_resolved",
    "denied": "permission_resolved",
    "expired": "permission_expired",
}


class Json(JSONResponse):
    """All in ASCII, because half of a surrogate pair is legal in JSON and not in UTF-8."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content).encode()


class BadBody(Exception):
    """`path` names the key; empty for the whole body."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


def unknown_permission(name: str) -> Failure:
    message = f"There is no permission request {name}, or it was decided a while ago."
    return Failure("unknown_permission", 404, "not_found_error", message)


def permission_decided(request: Request) -> Failure:
    by = request.decision.by if request.decision else ""
    message = f"This request is {request.status} already (by {by}): the first decision holds."
    return Failure("permission_decided", 409, "invalid_request_error", message)


def permission_routes(store: Permissions, keepalive: float = KEEPALIVE) -> list[BaseRoute]:
    """REST, the stream of events, and `POST /mcp/permission/check`; `keepalive` is in seconds."""

    async def get_list(request: HttpRequest) -> Response:
        status = request.query_params.get("status")
        if status not in (None, *EVENTS):
            raise BadBody("status", f"must be one of {', '.join(EVENTS)}")
        found = [entry for entry in (*store.pending(), *store.decided()) if status in (None, entry.status)]
        return Json({"permissions": [entry.as_json() for entry in found]}, headers=NO_STORE)

    async def get_one(request: HttpRequest) -> Response:
        return Json(store.get(request.path_params["id"]).as_json(), headers=NO_STORE)

    async def respond(request: HttpRequest) -> Response:
        answer = read_response(await body_of(request))
        decided = store.respond(request.path_params["id"], **answer)
        return Json(decided.as_json(), headers=NO_STORE)

    async def stream(request: HttpRequest) -> Response:
        return EventSourceResponse(
            events(store),
            headers=NO_STORE,
            sep="\n",
            ping=keepalive,
            ping_message_factory=lambda: ServerSentEvent("{}", event="ping", sep="\n"),
        )

    async def check(request: HttpRequest) -> Response:
        question = read_question(await body_of(request))

        async def ask() -> JsonObject:
            return behavior(await store.ask(**question), question["input"])

        content = kept_alive(ask, keepalive)
        return StreamingResponse(content, media_type="application/json", headers=NO_STORE)

    return [
        Route("/permissions", answering(get_list)),
        Route("/permissions/stream", stream),
        Route("/permissions/{id}", answering(get_one)),
        Route("/permissions/{id}/respond", answering(respond), methods=["POST"]),
        Route("/mcp/permission/check", answering(check), methods=["POST"]),
    ]


async def events(store: Permissions) -> AsyncIterator[ServerSentEvent]:
    """What is pending, then what happens."""
    reader = store.subscribe()
    try:
        async for request in reader:
            data = json.dumps(request.as_json())
            yield ServerSentEvent(data, event=EVENTS[request.status], sep="\n")
    finally:
        store.unsubscribe(reader)


async def kept_alive(ask: Callable[[], Awaitable[JsonObject]], keepalive: float) -> AsyncIterator[bytes]:
    """Blanks, which mean nothing before JSON, until the answer is there."""
    asking = asyncio.ensure_future(ask())
    try:
        while not (await asyncio.wait({asking}, timeout=keepalive))[0]:
            yield b" "
        yield json.dumps(asking.result()).encode()
    finally:
        asking.cancel()


def answering(
    handler: Callable[[HttpRequest], Awaitable[Response]],
) -> Callable[[HttpRequest], Awaitable[Response]]:
    """The handler, with its errors as the utility routes say them."""

    async def answer(request: HttpRequest) -> Response:
        try:
            return await handler(request)
        except BadBody as problem:
            failure = failures.invalid_request(problem.path, str(problem))
        except UnknownRequest as problem:
            failure = unknown_permission(str(problem))
        except AlreadyDecided as problem:
            failure = permission_decided(problem.request)
        except NothingToRemember:
            message = "needs a request with a session_id, and no updated_input"
            failure = failures.invalid_request("remember", message)
        return refused(failure)

    return answer


async def body_of(request: HttpRequest) -> JsonObject:
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or not is_json(body):
        raise BadBody("", "The body is not a JSON object.")
    return body


def read_response(body: JsonObject) -> dict[str, Any]:
    """The arguments of `Permissions.respond` without the id. Raises BadBody."""
    unknown = sorted(body.keys() - {"allowed", "message", "updated_input", "remember"})
    if unknown:
        raise BadBody(unknown[0], "is not known here; there are allowed, message, updated_input, remember")
    if not isinstance(body.get("allowed"), bool):
        raise BadBody("allowed", "must be true or false")
    updated = body.get("updated_input")
    if updated is not None and not (isinstance(updated, dict) and body["allowed"]):
        raise BadBody("updated_input", "must be an object, and goes with allowed: true")
    if body.get("remember") not in (None, "session"):
        raise BadBody("remember", "must be session")
    return {**body, "message": text_in(body, "message") or None}


def read_question(body: JsonObject) -> dict[str, Any]:
    """The arguments of `Permissions.ask`. Raises BadBody."""
    name = text_in(body, "tool_name")
    if not name or len(name) > LONGEST_NAME:
        raise BadBody("tool_name", "must be the name of a tool")
    if "input" not in body:
        raise BadBody("input", "must say what the tool is to be used with")
    optional = {key: text_in(body, key) for key in ("tool_use_id", "session_id", "cwd")}
    return {"tool_name": name, "input": body["input"], **optional}


def text_in(body: JsonObject, key: str) -> str | None:
    value = body.get(key)
    if value is not None and not isinstance(value, str):
        raise BadBody(key, "must be a text")
    return value
