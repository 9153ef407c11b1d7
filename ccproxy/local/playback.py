"""Plays recorded answers: as fast as they are read, or in the time that they took."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ccproxy.records.cassette import Recorded

PLAY = "/_replay"
"""Below it, every recorded answer by its number in the file, from 1."""


def playback_route(recorded: Sequence[Recorded], *, in_time: bool) -> Route:
    """The route; `in_time` gives every piece its own seconds after the request."""

    async def play(request: Request) -> Response:
        began = time.monotonic()
        async for _ in request.stream():
            pass
        one = recorded[request.path_params["number"] - 1]
        if one.answer_headers.get("content-type", "").startswith("text/event-stream"):
            timed = played(one, began if in_time else None)
            return StreamingResponse(timed, one.status, one.answer_headers)
        if in_time and one.answer:
            await until(began + one.answer[-1][0])
        return Response(one.body, one.status, one.answer_headers)

    return Route(f"{PLAY}/{{number:int}}", play, methods=["GET", "POST"])


async def played(one: Recorded, began: float | None) -> AsyncIterator[str]:
    """The pieces of a stream, at once or in the seconds after `began`."""
    for seconds, text in one.answer:
        if began is not None:
            await until(began + seconds)
        yield text


async def until(when: float) -> None:
    """Sleep to a moment of the monotonic clock."""
    await asyncio.sleep(max(0.0, when - time.monotonic()))
