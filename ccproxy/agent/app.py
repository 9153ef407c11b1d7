"""Claude Code as an upstream: the Messages API on the local app, streaming and not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from ccproxy import failures
from ccproxy.agent.asked import REQUEST, read
from ccproxy.agent.errors import AgentError
from ccproxy.agent.models import Models
from ccproxy.agent.paths import PREFIX
from ccproxy.agent.sessions import Sessions
from ccproxy.agent.turn import Turn
from ccproxy.conversation.events import Failed
from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.failures import Failure
from ccproxy.formats.anthropic import errors
from ccproxy.formats.anthropic.upstream_errors import encode_error, error_event
from ccproxy.formats.sse import written
from ccproxy.translation import parse

PING: JsonObject = {"type": "ping"}

STREAM = {"cache-control": "no-cache", "x-accel-buffering": "no"}


def agent_routes(sessions: Sessions, models: Models, keepalive: float) -> list[BaseRoute]:
    """`POST /_agent/v1/messages` and `GET /_agent/v1/models`.

    A stream that is silent for `keepalive` seconds gets a ping.
    """

    async def post_messages(request: Request) -> Response:
        try:
            body, headers = await request.body(), dict(request.headers)
            # a long conversation takes a while to read
            asked = await asyncio.to_thread(lambda: read(parse(body), headers))
            turn = await sessions.open(asked)
        except RequestError as problem:
            return refusal(request, failures.invalid_request(problem.path, str(problem)))
        except AgentError as problem:
            return refusal(request, problem.failure)
        except ClientDisconnect:
            # nobody is there to read it
            return Response(status_code=400)
        async with leaving_when_gone(request, turn):
            if not asked.stream:
                return await whole(request, turn, keepalive)
            events = turn.events(keepalive)
            first = await anext((event async for event in events if event is not None), None)
        if first is None:
            return error(request, turn)
        return Streamed(turn, stream(request, turn, first, events))

    async def get_models(request: Request) -> Response:
        try:
            found = await models.all()
        except AgentError as problem:
            return refusal(request, problem.failure)
        if wanted := request.path_params.get("id"):
            one = next((model for model in found if model["id"] == wanted), None)
            return JSONResponse(one) if one else refusal(request, failures.unknown_model(wanted))
        ends = {"first_id": found[0]["id"], "last_id": found[-1]["id"]} if found else {}
        return JSONResponse({"data": found, "has_more": False, **ends})

    return [
        Route(f"{PREFIX}/v1/messages", post_messages, methods=["POST"]),
        Route(f"{PREFIX}/v1/models", get_models),
        Route(f"{PREFIX}/v1/models/{{id:path}}", get_models),
    ]


async def whole(request: Request, turn: Turn, keepalive: float) -> Response:
    """The answer as one JSON message."""
    async for _ in turn.events(keepalive):
        pass
    if turn.failure:
        return error(request, turn)
    return Response(msgspec.json.encode(turn.collector.message()), media_type="application/json")


async def stream(
    request: Request, turn: Turn, first: JsonObject, events: AsyncIterator[JsonObject | None]
) -> AsyncIterator[bytes]:
    """The answer as server-sent events."""
    yield as_sent(first)
    async for event in events:
        yield as_sent(event or PING)
    if isinstance(turn.failure, Failure):
        yield errors.event(turn.failure, request_id(request))
    elif turn.failure:
        yield error_event(turn.failure)


class Streamed(StreamingResponse):
    """A reader who leaves ends the turn, also one who leaves before the first event is sent."""

    def __init__(self, turn: Turn, content: AsyncIterator[bytes]) -> None:
        super().__init__(content, headers=STREAM, media_type="text/event-stream")
        self._turn = turn

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._turn.leave()


@contextlib.asynccontextmanager
async def leaving_when_gone(request: Request, turn: Turn) -> AsyncIterator[None]:
    """For the time before a streaming response watches its reader itself."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        turn.leave()

    watching = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        turn.leave()
        raise
    finally:
        watching.cancel()
        await asyncio.wait({watching})


def as_sent(event: JsonObject) -> bytes:
    return written(event["type"], msgspec.json.encode(event).decode())


def error(request: Request, turn: Turn) -> Response:
    """What ended a turn before it said anything."""
    failed = turn.failure or Failed("api_error", "Claude Code gave no answer. Try again.")
    if isinstance(failed, Failure):
        return refusal(request, failed)
    headers = {"retry-after": f"{failed.retry_after:g}"} if failed.retry_after is not None else {}
    return Response(encode_error(failed, request_id(request)), failed.status, headers, "application/json")


def refusal(request: Request, failure: Failure) -> Response:
    """An error of ours."""
    headers = {"x-ccproxy-error": failure.code}
    if failure.retry_after is not None:
        headers["retry-after"] = str(failure.retry_after)
    return Response(errors.body(failure, request_id(request)), failure.status, headers, "application/json")


def request_id(request: Request) -> str:
    """What the proxy calls this request."""
    return request.headers.get(REQUEST, "")
