"""Faults, pauses and compression over real sockets; the Anthropic upstream provides the answers."""

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from ccproxy.simulator.app import create_app
from ccproxy.simulator.ledger import Entry
from ccproxy.simulator.server import running
from ccproxy.simulator.state import Simulator

HEADERS = {"x-api-key": "some-key", "anthropic-version": "2023-06-01"}


def asking(text: str, stream: bool = True) -> dict[str, Any]:
    message = {"role": "user", "content": text}
    return {"model": "claude-sonnet-4-5", "max_tokens": 500, "stream": stream, "messages": [message]}


@pytest.fixture
def sim() -> Simulator:
    return Simulator()


@pytest.fixture
async def url(sim: Simulator) -> AsyncIterator[str]:
    async with running(create_app(sim)) as base_url:
        yield base_url


@pytest.fixture
async def http(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=5) as client:
        yield client


async def raw_answer(url: str, text: str, stream: bool = True) -> bytes:
    """Every byte of the answer, up to the end of the connection."""
    body = json.dumps(asking(text, stream)).encode()
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    lines = [f"{name}: {value}" for name, value in {**HEADERS, "content-length": len(body)}.items()]
    writer.write(
        "\r\n".join(["POST /v1/messages HTTP/1.1", "host: simulator", *lines, "", ""]).encode() + body
    )
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def finished(sim: Simulator) -> Entry:
    """The newest entry, once it is no longer open; two seconds are given."""
    for _ in range(400):
        *_, entry = sim.ledger
        if entry.outcome != "open":
            return entry
        await asyncio.sleep(0.005)
    raise AssertionError("the request is still being answered")


async def moments_of(http: httpx.AsyncClient, text: str, word: str) -> list[float]:
    """When each line of the stream that contains `word` came."""
    async with http.stream("POST", "/v1/messages", json=asking(text)) as answer:
        return [time.monotonic() async for line in answer.aiter_lines() if word in line]


async def test_a_dropped_connection_carries_no_byte(sim: Simulator, url: str) -> None:
    for stream in (True, False):
        assert await raw_answer(url, "sim:drop", stream) == b""
        entry = await finished(sim)
        assert (entry.outcome, entry.status, entry.bytes_sent) == ("cut", None, 0)


async def test_a_stream_is_cut_after_n_events(sim: Simulator, url: str) -> None:
    for count in (0, 1, 4):
        answer = await raw_answer(url, f"sim:cut {count}")
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert body.count(b"event: ") == count
        assert not body.endswith(b"0\r\n\r\n")
        entry = await finished(sim)
        assert (entry.outcome, entry.events_sent, entry.streamed) == ("cut", count, True)


async def test_a_cut_beyond_the_last_event_leaves_the_body_open(url: str) -> None:
    body = await raw_answer(url, "sim:cut 1000")
    assert body.count(b"event: message_stop") == 1
    assert not body.endswith(b"0\r\n\r\n")


async def test_a_plain_answer_is_cut_in_the_middle(sim: Simulator, http: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await http.post("/v1/messages", json=asking("sim:cut", stream=False))
    entry = await finished(sim)
    assert entry.outcome == "cut"
    assert entry.bytes_sent > 0


async def test_a_stream_turns_into_an_error(sim: Simulator, http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/messages", json=asking("sim:error200 2"))
    names = [line[7:] for line in answer.text.splitlines() if line.startswith("event: ")]
    assert (answer.status_code, names) == (200, ["message_start", "content_block_start", "error"])
    assert (await finished(sim)).outcome == "completed"


async def test_silence_for_a_while_then_the_rest(http: httpx.AsyncClient) -> None:
    moments = await moments_of(http, "sim:silence 0.3", "event: ")
    gaps = [after - before for before, after in pairwise(moments)]
    assert gaps.index(max(gaps)) == 4  # after the fifth event
    assert 0.25 < max(gaps) < 1


async def test_pieces_come_one_by_one(http: httpx.AsyncClient) -> None:
    moments = await moments_of(http, "sim:slow 3 0.1", "text_delta")
    assert len(moments) == 3
    assert all(after - before > 0.08 for before, after in pairwise(moments))


async def test_a_slow_plain_answer_takes_the_time_of_all_pieces(http: httpx.AsyncClient) -> None:
    start = time.monotonic()
    answer = await http.post("/v1/messages", json=asking("sim:slow 3 0.1", stream=False))
    assert answer.status_code == 200
    assert time.monotonic() - start > 0.28


@pytest.mark.parametrize("stream", [True, False])
async def test_mute_for_a_while(http: httpx.AsyncClient, stream: bool) -> None:
    start = time.monotonic()
    answer = await http.post("/v1/messages", json=asking("sim:mute 0.2", stream))
    assert answer.status_code == 200
    assert "message" in answer.text
    assert time.monotonic() - start > 0.18


@pytest.mark.parametrize(
    ("text", "stream"),
    [("sim:mute", True), ("sim:mute", False), ("sim:silence", True), ("sim:slow 5 0.5", True)],
)
async def test_a_client_that_leaves_is_noticed_at_once(
    sim: Simulator, http: httpx.AsyncClient, text: str, stream: bool
) -> None:
    with pytest.raises(httpx.ReadTimeout):
        await http.post("/v1/messages", json=asking(text, stream), timeout=0.15)
    left = time.monotonic()
    entry = await finished(sim)
    assert entry.outcome == "aborted"
    assert time.monotonic() - left < 0.1


@pytest.mark.parametrize("text", ["sim:gzip", "sim:gzip unicode", "sim:gzip long 300"])
async def test_a_compressed_stream_is_a_complete_gzip_file(http: httpx.AsyncClient, text: str) -> None:
    plain = (await http.post("/v1/messages", json=asking(text.replace("gzip ", "")))).text
    async with http.stream("POST", "/v1/messages", json=asking(text)) as answer:
        packed = b"".join([piece async for piece in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    unpacked = gzip.decompress(packed).decode()
    assert unpacked.count("event: ") == plain.count("event: ")


async def test_a_compressed_plain_answer(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/messages", json=asking("sim:gzip text hello", stream=False))
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()["content"][0]["text"] == "hello"


async def test_each_event_leaves_at_once(url: str) -> None:
    """No event waits for the next one, compressed or not."""
    for text in ("sim:slow 2 0.5", "sim:gzip slow 2 0.5"):
        start = time.monotonic()
        async with (
            httpx.AsyncClient(base_url=url, headers=HEADERS) as http,
            http.stream("POST", "/v1/messages", json=asking(text)) as answer,
        ):
            await anext(answer.aiter_lines())
            assert time.monotonic() - start < 0.3
