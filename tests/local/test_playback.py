"""Recorded answers over a real port."""

import time

import httpx
import pytest
from starlette.applications import Starlette

from ccproxy.local.playback import PLAY, playback_route
from ccproxy.records.cassette import Recorded
from tests.support.serving import serving

EVENTS = {"content-type": "text/event-stream; charset=utf-8", "request-id": "req_1"}
ERROR = Recorded("chat", "/", 429, [(0.3, '{"error": 1}')], {}, {}, {"content-type": "application/json"})


def stream(seconds: float) -> Recorded:
    """Two events; the second comes after so many seconds."""
    return Recorded("chat", "/", 200, [(0.0, "data: ä\n\n"), (seconds, "data: b\n\n")], {}, {}, EVENTS)


def app(*recorded: Recorded, in_time: bool) -> Starlette:
    return Starlette(routes=[playback_route(recorded, in_time=in_time)])


@pytest.mark.parametrize("in_time", [False, True])
async def test_the_same_bytes(in_time: bool) -> None:
    recorded = [stream(0.3), ERROR] if in_time else [stream(60), ERROR]
    async with (
        serving(app(*recorded, in_time=in_time)) as url,
        httpx.AsyncClient(trust_env=False, timeout=30) as client,
    ):
        for number, one in enumerate(recorded, 1):
            began = time.monotonic()
            answer = await client.post(f"{url}{PLAY}/{number}", content=b"x" * 100_000)
            assert time.monotonic() - began >= 0.3 or not in_time
            assert (answer.status_code, answer.content) == (one.status, one.body.encode())
            for name, value in one.answer_headers.items():
                assert answer.headers[name] == value


async def test_a_stream_comes_in_pieces() -> None:
    """The first event does not wait for the second."""
    async with (
        serving(app(stream(0.5), in_time=True)) as url,
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("POST", f"{url}{PLAY}/1") as answer,
    ):
        assert await anext(answer.aiter_raw()) == "data: ä\n\n".encode()
