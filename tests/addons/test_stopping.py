"""Which answers are held until they are whole, and what becomes of a flow that somebody kills."""

import asyncio
import gzip
from collections.abc import Iterator
from typing import Any

import pytest
from mitmproxy import http
from mitmproxy.addons import intercept
from mitmproxy.test import taddons, tflow

from ccproxy import failures
from ccproxy.addons.exchanges import begin
from ccproxy.addons.filters import Filters
from ccproxy.addons.notes import TIMES, Notes
from ccproxy.addons.recorder import Recorder
from ccproxy.addons.stopping import Stopping, hold_back, let_through, wants_whole
from ccproxy.exchange import Exchange


@pytest.fixture
def context() -> Iterator[taddons.context]:
    with taddons.context(Filters(), intercept.Intercept()) as made:
        yield made
        made.options.update(intercept=None)
        made.master.addons.clear()


def flow_of_ours(**parts: bool) -> tuple[http.HTTPFlow, Exchange]:
    flow = tflow.tflow(**parts)  # type: ignore[arg-type]
    exchange = Exchange("reverse", "POST", "/v1/messages", client_format="anthropic", policy="attach")
    begin(flow, exchange)
    return flow, exchange


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("~tool Bash", True),
        ("!~tool Bash", True),
        ("~tokens 1000", True),
        ("~bs secret", True),
        ("~b secret", True),
        ("~b secret & ~tool Bash", True),
        ("~b content & ~tool Bash", True),
        ("!~b content & ~tool Bash", False),
        ("~s", True),
        ("~s & ~d address", True),
        ("~q | ~tool Bash", True),
        ("~tool Bash & (~d address | ~d other)", True),
        ("~tool Bash & ~d elsewhere", False),
        ("~q & ~tool Bash", False),
        ("!~s", False),
        ("~m GET", False),
        ("~q", False),
        ("~all", False),
    ],
)
def test_only_what_the_filter_may_match_is_held(
    context: taddons.context, expression: str, expected: bool
) -> None:
    flow, _ = flow_of_ours(resp=True)
    assert not wants_whole(flow), "without a filter nothing is"
    context.options.update(intercept=expression)
    assert wants_whole(flow) is expected
    flow.is_replay = "request"
    assert not wants_whole(flow)
    flow.is_replay = None
    context.options.update(intercept_active=False)
    assert not wants_whole(flow)


def test_a_tool_without_intercept() -> None:
    with taddons.context():
        assert not wants_whole(flow_of_ours(resp=True)[0])


def test_what_would_have_streamed_comes_in_one_piece() -> None:
    flow, exchange = flow_of_ours(resp=True)
    response: Any = flow.response
    exchange.cookies = [("set-cookie", "a=1")]
    response.headers["set-cookie"] = "[sealed]"
    response.raw_content = gzip.compress(b"x")
    response.stream = lambda data: [data, b"!"] if data else [b"."]
    through = hold_back(response, exchange)
    assert response.stream is False
    assert (exchange.cookies, "set-cookie" in response.headers) == ([], False)
    let_through(response, through)
    assert response.raw_content == gzip.compress(b"x") + b"!."
    response.raw_content = b""
    let_through(response, through)
    assert response.raw_content == b"."


@pytest.mark.parametrize("hook", ["request", "response"])
async def test_a_kill_is_an_error_for_the_client(hook: str) -> None:
    flow, exchange = flow_of_ours(resp=hook == "response")
    stopping = Stopping()
    with taddons.context():
        flow.intercept()
        waiting = asyncio.create_task(getattr(stopping, hook)(flow))
        await asyncio.sleep(0)
        assert not waiting.done()
        flow.kill()
        await asyncio.wait_for(waiting, 5)
        assert (exchange.failure, flow.error, flow.live) == (failures.killed(), None, True)
        assert flow.response
        assert flow.response.status_code == 403
        assert flow.response.json()["error"]["type"] == "permission_error"
        assert flow.response.headers["x-should-retry"] == "false"
        flow.intercept()
        await asyncio.wait_for(stopping.response(flow), 5)
        assert not flow.intercepted


@pytest.mark.parametrize(("kill", "status", "mark"), [(True, 403, ":x:"), (False, 200, "")])
async def test_what_somebody_stops_is_recorded_once_it_is_decided(kill: bool, status: int, mark: str) -> None:
    """In the order of a script: mitmproxy's Intercept comes after our recorder and notes."""
    recorder, notes, intercepts = Recorder(), Notes(), intercept.Intercept()
    flow, exchange = flow_of_ours(resp=True)
    with taddons.context(recorder, notes, intercepts, stopping := Stopping()) as context:
        context.options.update(intercept="~s")
        recorder.requestheaders(flow)
        recorder.response(flow)
        await notes.response(flow)
        intercepts.response(flow)
        waiting = asyncio.create_task(stopping.response(flow))
        await asyncio.sleep(0)
        assert list(recorder.under_way.values()) == [exchange]
        assert not recorder.finished
        flow.kill() if kill else flow.resume()
        await asyncio.wait_for(waiting, 5)
        context.options.update(intercept=None)
    assert (list(recorder.finished), len(recorder.under_way)) == ([exchange], 0)
    assert (exchange.status, exchange.error, flow.marked) == (status, "killed" if kill else None, mark)
    assert "ended" in flow.metadata[TIMES]


async def test_a_killed_frame_is_dropped() -> None:
    flow = tflow.twebsocketflow()
    begin(flow, Exchange("reverse", "GET", "/v1/responses"))
    with taddons.context():
        flow.intercept()
        waiting = asyncio.create_task(Stopping().websocket_message(flow))
        await asyncio.sleep(0)
        flow.kill()
        await asyncio.wait_for(waiting, 5)
    assert flow.websocket
    assert flow.websocket.messages[-1].dropped
    assert flow.error is None


async def test_who_resumes_changes_nothing() -> None:
    flow, exchange = flow_of_ours(resp=True)
    before = flow.response
    with taddons.context():
        flow.intercept()
        waiting = asyncio.create_task(Stopping().response(flow))
        await asyncio.sleep(0)
        flow.resume()
        await asyncio.wait_for(waiting, 5)
        stranger = tflow.tflow(resp=True)
        stranger.intercept()
        await asyncio.wait_for(Stopping().response(stranger), 5)
    assert (exchange.failure, flow.response) == (None, before)
    assert stranger.intercepted, "this is mitmproxy's business alone"
