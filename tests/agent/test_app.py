"""The app over sockets, with a program that plays Claude Code. The real one: tests/scenarios/test_sdk.py."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from ccproxy.agent import worker
from ccproxy.conversation.parts import JsonObject
from tests.agent.test_agent import serving_agent
from tests.agent.test_turn import streamed
from tests.support.fake_claude import requests, turn

PATH = "/_agent/v1/messages"


def body(steps: Sequence[JsonObject], **more: Any) -> JsonObject:
    """A request that makes the program play these steps."""
    [block] = turn(*steps, ends=False)
    return {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": block["text"]}], **more}


def saying(text: str) -> list[JsonObject]:
    return [{"say": line} for line in streamed(text)]


def client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, trust_env=False, timeout=20)


async def test_a_message(tmp_path: Path) -> None:
    async with serving_agent(tmp_path) as (_, url), client(url) as http:
        answer = await http.post(PATH, json=body(saying("hello")))
    assert answer.status_code == 200
    assert answer.json()["content"] == [{"type": "text", "text": "hello"}]


async def test_a_stream_with_pings_while_nothing_is_said(tmp_path: Path) -> None:
    steps = [*saying("hello")[:3], {"sleep": 0.5}, *saying("hello")[3:]]
    async with serving_agent(tmp_path, **{"retries.keepalive_seconds": 0.1}) as (_, url), client(url) as http:
        answer = await http.post(PATH, json=body(steps, stream=True))
    assert answer.headers["content-type"].startswith("text/event-stream")
    kinds = [json.loads(line[6:])["type"] for line in answer.text.splitlines() if line.startswith("data: ")]
    assert kinds.count("ping") >= 2
    assert [kinds[0], kinds[-1]] == ["message_start", "message_stop"]


async def test_an_error_of_the_api_has_its_status(tmp_path: Path) -> None:
    result = {
        "type": "result",
        "subtype": "success",
        "is_error": True,
        "api_error_status": 429,
        "result": "x",
    }
    async with serving_agent(tmp_path) as (_, url), client(url) as http:
        for stream in (False, True):
            answer = await http.post(PATH, json=body([{"say": result}], stream=stream))
            assert (answer.status_code, answer.json()["error"]["type"]) == (429, "rate_limit_error")


async def test_a_process_that_dies_in_the_middle(tmp_path: Path) -> None:
    steps = [*saying("hello")[:3], {"exit": 1}]
    async with serving_agent(tmp_path) as (_, url), client(url) as http:
        whole = await http.post(PATH, json=body(steps))
        streamed_answer = await http.post(PATH, json=body(steps, stream=True))
    assert whole.status_code == 503
    assert whole.headers["x-ccproxy-error"] == "claude_unavailable"
    assert streamed_answer.status_code == 200
    assert "event: error" in streamed_answer.text
    assert "message_stop" not in streamed_answer.text


@pytest.mark.parametrize("stream", [False, True])
async def test_whoever_leaves_interrupts(tmp_path: Path, stream: bool) -> None:
    ended = {"type": "result", "subtype": "error_during_execution", "terminal_reason": "aborted_streaming"}
    steps = [*saying("hello")[: 3 if stream else 0], {"interrupts": 1}, {"say": ended}]
    async with serving_agent(tmp_path) as (agent, url), client(url) as http:
        asking = asyncio.create_task(http.post(PATH, json=body(steps, stream=stream)))
        while agent.status()["sessions"]["live"] == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        asking.cancel()
        while agent.status()["sessions"]["busy"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert "interrupt" in [request["subtype"] for request in requests(tmp_path / "cli")]


async def test_whoever_leaves_before_the_first_event_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The response is never begun, and its turn must end all the same."""
    monkeypatch.setattr(worker, "INTERRUPT_SECONDS", 1.0)
    async with serving_agent(tmp_path) as (agent, _):
        asking = body([*saying("hello")[:3], {"sleep": 60}], stream=True)
        received = [{"type": "http.request", "body": json.dumps(asking).encode()}]
        gone = asyncio.Event()

        async def receive() -> Any:
            if received:
                return received.pop()
            if not gone.is_set():
                # the watch of the request is cancelled here, the response's own look comes next
                try:
                    await asyncio.Event().wait()
                finally:
                    gone.set()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            await asyncio.sleep(0)

        scope = {"type": "http", "method": "POST", "path": PATH, "headers": [], "query_string": b""}
        await agent.app(scope, receive, send)
        async with asyncio.timeout(15):
            while agent.status()["sessions"]["busy"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("sent", "path"), [("no json", ""), ("[]", ""), ('{"messages": []}', "messages"), ("{}", "messages")]
)
async def test_what_is_no_request(tmp_path: Path, sent: str, path: str) -> None:
    async with serving_agent(tmp_path) as (_, url), client(url) as http:
        answer = await http.post(PATH, content=sent)
    assert answer.status_code == 400
    assert path in answer.json()["error"]["message"]
    assert answer.headers["x-ccproxy-error"] == "invalid_request"


async def test_models(tmp_path: Path) -> None:
    async with serving_agent(tmp_path) as (_, url), client(url) as http:
        found = (await http.get("/_agent/v1/models")).json()
        assert [model["id"] for model in found["data"]] == ["m"]
        assert (await http.get("/_agent/v1/models/m")).json()["display_name"] == "M"
        assert (await http.get("/_agent/v1/models/other")).status_code == 404


async def test_no_claude(tmp_path: Path) -> None:
    given = {"claude.cli_path": str(tmp_path / "nowhere")}
    async with serving_agent(tmp_path, **given) as (_, url), client(url) as http:
        for answer in (await http.post(PATH, json=body([])), await http.get("/_agent/v1/models")):
            assert answer.status_code == 503
            assert str(tmp_path) not in answer.text
