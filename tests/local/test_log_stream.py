"""The stream of rows, over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from ccproxy.local.log_stream import log_stream_route
from ccproxy.records.cost import cost
from ccproxy.records.feed import Feed
from ccproxy.records.query import NAMES
from tests.records.rows import row
from tests.support.serving import serving


async def events_of(answer: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    name = ""
    async for line in answer.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


async def listened(feed: Feed) -> None:
    """Until somebody listens."""
    while not feed._listeners:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_rows_as_they_come(feed_url: tuple[Feed, str]) -> None:
    feed, url = feed_url
    async with (
        httpx.AsyncClient(trust_env=False, timeout=10) as client,
        client.stream("GET", f"{url}/logs/stream", params={"status": "4xx"}) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        await listened(feed)
        failed = row(request_id="b", status=429, losses=["x"])
        feed.tell(row(request_id="a", status=200))
        feed.tell(failed)
        events = events_of(answer)
        name, told = await anext(events)
        assert (name, tuple(told)) == ("row", NAMES)
        assert (told["request_id"], told["losses"]) == ("b", ["x"])
        assert told["started_at"] == "2026-11-01T12:00:00.000000Z"
        assert told["cost_usd"] == cost(failed) is not None
        feed.end()
        assert [event async for event in events] == []
    assert not feed._listeners


async def test_a_sign_of_life_and_who_leaves_is_forgotten(feed_url: tuple[Feed, str]) -> None:
    feed, url = feed_url
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        async with client.stream("GET", f"{url}/logs/stream") as answer:
            assert await anext(events_of(answer)) == ("ping", {})
    while feed._listeners:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_a_slow_reader_is_told_what_it_lost(feed_url: tuple[Feed, str]) -> None:
    feed, url = feed_url
    async with (
        httpx.AsyncClient(trust_env=False, timeout=10) as client,
        client.stream("GET", f"{url}/logs/stream") as answer,
    ):
        await listened(feed)
        for number in range(1_200):
            feed.tell(row(request_id=f"{number}"))
        feed.end()
        told = [event async for event in events_of(answer) if event[0] != "ping"]
    assert told[0] == ("lost", {"rows": 200})
    assert [data["request_id"] for _, data in told[1:]] == [f"{number}" for number in range(200, 1_200)]


@pytest.mark.parametrize(
    ("asked", "said"),
    [({"colour": "red"}, "There is no filter 'colour'"), ({"status": "9xx"}, "status must be a number")],
)
async def test_what_cannot_be_asked(asked: dict[str, str], said: str, feed_url: tuple[Feed, str]) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        answer = await client.get(f"{feed_url[1]}/logs/stream", params=asked)
    assert (answer.status_code, answer.json()["error"]["message"].startswith(said)) == (400, True)


async def test_off() -> None:
    async with serving(Starlette(routes=[log_stream_route(None)])) as url:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{url}/logs/stream")
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (404, "log_off")


@pytest.fixture
async def feed_url() -> AsyncIterator[tuple[Feed, str]]:
    feed = Feed()
    async with serving(Starlette(routes=[log_stream_route(feed, keepalive=0.2)])) as url:
        yield feed, url
        feed.end()
