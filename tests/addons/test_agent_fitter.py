"""The fitter's own judgements; whole ways to Claude Code are in tests/scenarios/test_sdk_routes.py."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import http
from mitmproxy.test import tflow

from ccproxy import failures
from ccproxy.addons.agent_fitter import AgentFitter
from ccproxy.addons.exchanges import begin
from ccproxy.backends.models import Choice
from ccproxy.conversation.parts import Wire
from ccproxy.exchange import Exchange
from ccproxy.settings import load
from ccproxy.translation import translate

CLAUDE = "claude-opus-4-8"
HELLO = [{"role": "user", "content": "hello"}]
NATIVE = {"model": CLAUDE, "max_tokens": 9, "messages": HELLO}


def fitter(folder: Path, losses: str = "warn") -> AgentFitter:
    return AgentFitter(load({"translation.losses": losses}, environ={}, cwd=folder).settings)


def asking(body: Any, wire: Wire | None = "anthropic", **headers: str) -> tuple[http.HTTPFlow, Exchange]:
    """A request as the rewriter leaves it."""
    flow = tflow.tflow()
    flow.request.headers = http.Headers()
    flow.request.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    flow.request.content = body if isinstance(body, bytes) else json.dumps(body).encode()
    exchange = Exchange("reverse", "POST", "/sdk/v1/messages", wire or "anthropic")
    exchange.policy, exchange.backend, exchange.wire = "attach", "sdk", wire
    begin(flow, exchange)
    return flow, exchange


def from_chat(**more: Any) -> tuple[http.HTTPFlow, Exchange]:
    """A Chat Completions request that has been translated."""
    body = json.dumps({"model": CLAUDE, "messages": HELLO, **more}).encode()
    translation = translate(body, "chat", "anthropic", Choice, "1f", 0, "reasoning_content")
    flow, exchange = asking(translation.body, "chat")
    exchange.translation, exchange.losses = translation, translation.losses
    return flow, exchange


def error_of(flow: http.HTTPFlow) -> tuple[int, str]:
    assert flow.response
    return flow.response.status_code, flow.response.headers["x-ccproxy-error"]


def test_what_the_app_is_told(tmp_path: Path) -> None:
    flow, exchange = asking(NATIVE, x_ccproxy_session="theirs", user_agent="a")
    exchange.session, exchange.session_id, exchange.agent_id = "mine", "c-1", "a-2"
    before = flow.request.content
    fitter(tmp_path).request(flow)
    assert dict(flow.request.headers) == {
        "user-agent": "a",
        "content-length": str(len(before or b"")),
        "x-ccproxy-session": "mine",
        "x-ccproxy-session-id": "c-1:a-2",
        "x-ccproxy-format": "anthropic",
        "x-ccproxy-request-id": exchange.id,
    }
    assert flow.request.content == before
    assert exchange.patient
    assert (exchange.losses, exchange.warnings) == ((), "")


def test_what_nobody_said_is_not_told(tmp_path: Path) -> None:
    flow, _ = asking(NATIVE, x_ccproxy_session_id="theirs")
    fitter(tmp_path).request(flow)
    assert [name for name in flow.request.headers if name.startswith("x-")] == [
        "x-ccproxy-format",
        "x-ccproxy-request-id",
    ]


@pytest.mark.parametrize("change", ["backend", "policy", "answered"])
def test_what_is_not_for_claude_code_stays(tmp_path: Path, change: str) -> None:
    flow, exchange = asking(NATIVE, x_ccproxy_session="theirs")
    match change:
        case "backend":
            exchange.backend = "api"
        case "policy":
            exchange.policy = "observe"
        case "answered":
            flow.response = http.Response.make(400)
    fitter(tmp_path).request(flow)
    assert "x-ccproxy-format" not in flow.request.headers
    assert "x-ccproxy-session" in flow.request.headers
    assert not exchange.patient


def test_a_list_of_models_loses_only_lies(tmp_path: Path) -> None:
    flow, exchange = asking(b"", None, x_ccproxy_secret="guessed")
    fitter(tmp_path).request(flow)
    assert not [name for name in flow.request.headers if name.startswith("x-")]
    assert exchange.patient


def test_a_compressed_body_goes_on_plain(tmp_path: Path) -> None:
    flow, _ = asking(b"", content_encoding="gzip")
    flow.request.raw_content = gzip.compress(json.dumps(NATIVE).encode())
    fitter(tmp_path).request(flow)
    assert "content-encoding" not in flow.request.headers
    assert json.loads(flow.request.raw_content) == NATIVE


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    flow, exchange = asking(b"x")
    exchange.unreadable = failures.unsupported_encoding("snappy")
    fitter(tmp_path).request(flow)
    assert error_of(flow) == (415, "unsupported_encoding")
    flow, _ = asking({**NATIVE, "temperature": "warm"})
    fitter(tmp_path).request(flow)
    assert error_of(flow) == (400, "invalid_request")


def test_losses_of_a_native_request(tmp_path: Path) -> None:
    for losses, warnings in (("warn", "temperature,stop_sequences"), ("silent", "")):
        flow, exchange = asking({**NATIVE, "temperature": 0.5, "stop_sequences": ["END"]})
        fitter(tmp_path, losses).request(flow)
        assert exchange.warnings == warnings
        assert [loss.path for loss in exchange.losses] == ["temperature", "stop_sequences"]
        assert "x-ccproxy-format" in flow.request.headers


def test_what_claude_code_said_may_be_said_back(tmp_path: Path) -> None:
    """Its own calls are for people to see, and no loss, however strict the settings are."""
    call = {"type": "mcp_tool_use", "id": "t", "name": "Bash", "server_name": "claude_code", "input": {}}
    result = {"type": "mcp_tool_result", "tool_use_id": "t", "is_error": False, "content": []}
    said = {"role": "assistant", "content": [call, result, {"type": "text", "text": "done"}]}
    flow, exchange = asking({**NATIVE, "messages": [*HELLO, said, *HELLO]})
    fitter(tmp_path, "reject").request(flow)
    assert flow.response is None
    assert exchange.losses == ()


def test_a_loss_is_told_once(tmp_path: Path) -> None:
    """By the name that the client has for it, and after those that the translation has met."""
    flow, exchange = from_chat(temperature=1.5, seed=3, max_completion_tokens=7)
    before = [loss.path for loss in exchange.losses]
    assert "seed" in before
    fitter(tmp_path).request(flow)
    paths = [loss.path for loss in exchange.losses]
    assert paths[: len(before)] == before
    assert sorted(paths) == sorted(set(paths))
    assert {"temperature", "seed", "max_completion_tokens"} <= set(paths)


def test_losses_are_refused_when_they_are_to_be(tmp_path: Path) -> None:
    flow, exchange = from_chat(max_completion_tokens=7)
    assert exchange.losses == ()
    fitter(tmp_path, "reject").request(flow)
    assert error_of(flow) == (400, "translation_loss")
