"""The fitter's own judgements; whole conversations are in tests/scenarios/test_codex_*.py."""

import json
from pathlib import Path
from typing import Any

import pytest
import zstandard
from mitmproxy import http
from mitmproxy.test import tflow

from ccproxy import failures
from ccproxy.addons.exchanges import begin
from ccproxy.addons.fitter import Fitter, from_messages, set_headers
from ccproxy.codex.instructions import Instructions
from ccproxy.codex.memory import Memory
from ccproxy.codex.sessions import Asked, Sessions
from ccproxy.conversation.parts import Wire
from ccproxy.exchange import Exchange
from ccproxy.known_sessions import KnownSessions
from ccproxy.routes import BackendName
from ccproxy.settings import load

GPT = "gpt-5.5"
OUTPUT = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "ok"}]}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def fitter(folder: Path, losses: str = "warn") -> Fitter:
    settings = load({"translation.losses": losses}, environ={}, cwd=folder).settings
    sessions = Sessions(Memory(10**6, 60, 9), KnownSessions(folder / "sessions.json", 60))
    return Fitter(settings, Instructions("none"), sessions, None)


def asking(
    body: Any,
    *,
    path: str = "/codex/responses",
    wire: Wire | None = "responses",
    backend: BackendName = "codex",
    session: str | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[http.HTTPFlow, Exchange]:
    """A request as the rewriter leaves it."""
    flow = tflow.tflow()
    flow.request.headers = http.Headers(
        [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    )
    flow.request.content = body if isinstance(body, bytes) else json.dumps(body).encode()
    exchange = Exchange("reverse", "POST", path, "responses")
    exchange.policy, exchange.backend, exchange.wire, exchange.session = "attach", backend, wire, session
    begin(flow, exchange)
    return flow, exchange


def body_of(flow: http.HTTPFlow) -> Any:
    return json.loads(flow.request.content or b"")


def error_of(flow: http.HTTPFlow) -> tuple[int, str, str]:
    assert flow.response
    error = json.loads(flow.response.content or b"")["error"]
    return flow.response.status_code, flow.response.headers["x-ccproxy-error"], error["message"]


async def test_a_request_is_made_to_fit(folder: Path) -> None:
    flow, exchange = asking({"model": GPT, "input": "hello", "temperature": 0.5})
    await fitter(folder).request(flow)
    body = body_of(flow)
    assert (body["stream"], body["store"], body["instructions"]) == (True, False, "")
    assert body["prompt_cache_key"] == flow.request.headers["session-id"]
    assert "temperature" not in body
    assert exchange.warnings == "temperature"
    assert (exchange.fitted, exchange.peek) == (True, "responses")
    assert exchange.said is not None


@pytest.mark.parametrize("change", ["backend", "policy", "answered", "other"])
async def test_what_is_not_for_the_plan_stays(folder: Path, change: str) -> None:
    flow, exchange = asking({"model": GPT})
    match change:
        case "backend":
            exchange.backend = "openai"
        case "policy":
            exchange.policy = "observe"
        case "answered":
            flow.response = http.Response.make(400)
        case "other":
            exchange.wire = None
    before = flow.request.content
    await fitter(folder).request(flow)
    assert flow.request.content == before
    assert not exchange.fitted


@pytest.mark.parametrize(
    "headers", [{"originator": "codex_cli_rs"}, {"user-agent": "codex_vscode/0.169.0 (Mac OS 15; arm64)"}]
)
async def test_codex_itself_stays(folder: Path, headers: dict[str, str]) -> None:
    """Even when we cannot read it."""
    flow, exchange = asking(b"\x00 no JSON", headers={"session_id": "s", **headers})
    exchange.unreadable = failures.broken_encoding("zstd")
    before = dict(flow.request.headers)
    await fitter(folder).request(flow)
    assert flow.request.content == b"\x00 no JSON"
    assert dict(flow.request.headers) == before
    assert flow.response is None
    assert not exchange.fitted


async def test_codex_in_another_format_does_not(folder: Path) -> None:
    """The backend would not know it."""
    codex = {"originator": "codex_cli_rs"}
    flow, exchange = asking({"model": GPT, "input": "hello"}, wire="chat", headers=codex)
    await fitter(folder).request(flow)
    assert exchange.fitted


async def test_a_compressed_request(folder: Path) -> None:
    flow, _ = asking({})
    flow.request.headers["content-encoding"] = "zstd"
    flow.request.raw_content = zstandard.compress(json.dumps({"model": GPT, "input": "hello"}).encode())
    await fitter(folder).request(flow)
    assert "content-encoding" not in flow.request.headers
    assert json.loads(flow.request.raw_content or b"")["model"] == GPT


async def test_what_cannot_be_read_is_refused(folder: Path) -> None:
    flow, exchange = asking(b"x")
    exchange.unreadable = failures.unsupported_encoding("snappy")
    await fitter(folder).request(flow)
    assert error_of(flow)[:2] == (415, "unsupported_encoding")


async def test_refusals_name_the_field(folder: Path) -> None:
    stage = fitter(folder)
    for body, code, word in (
        ({"model": GPT, "input": 3}, "invalid_request", "input"),
        ({"model": GPT, "input": "x", "conversation": "conv_1"}, "invalid_request", "conversation"),
        (
            {"model": GPT, "input": "x", "previous_response_id": "resp_x"},
            "previous_response_not_found",
            "resp_x",
        ),
    ):
        flow, exchange = asking(body)
        await stage.request(flow)
        status, found, text = error_of(flow)
        assert (status, found) == (400, code)
        assert word in text
        assert exchange.said is None


async def test_losses_are_refused_when_they_are_to_be(folder: Path) -> None:
    flow, _ = asking({"model": GPT, "input": "x", "max_output_tokens": 5}, wire="anthropic")
    await fitter(folder, "reject").request(flow)
    status, code, text = error_of(flow)
    assert (status, code) == (400, "translation_loss")
    assert text.startswith("max_tokens: ")


async def test_losses_without_a_word(folder: Path) -> None:
    flow, exchange = asking({"model": GPT, "input": "x", "temperature": 0.5})
    await fitter(folder, "silent").request(flow)
    assert (exchange.warnings, len(exchange.losses)) == ("", 1)


async def test_a_session_goes_on_with_its_turn_state(folder: Path) -> None:
    stage = fitter(folder)
    flow, exchange = asking({"model": GPT, "input": "one"}, session="mine")
    await stage.request(flow)
    assert exchange.said
    flow.response = http.Response.make(200, b"", http.Headers(x_codex_turn_state="ts_1"))
    call = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
    exchange.said({"id": "resp_1", "output": [call]})
    result = {"type": "function_call_output", "call_id": "call_1", "output": "done"}
    flow, _ = asking({"model": GPT, "input": [result]}, session="mine")
    await stage.request(flow)
    assert [item["type"] for item in body_of(flow)["input"]] == [
        "message",
        "function_call",
        "function_call_output",
    ]
    assert flow.request.headers["x-codex-turn-state"] == "ts_1"
    assert flow.request.headers["session-id"] == body_of(flow)["prompt_cache_key"] == "mine"


async def test_the_session_of_claude_code(folder: Path) -> None:
    """Its header is off by now, with all that means nothing to OpenAI."""
    flow, exchange = asking({"model": GPT, "input": "x"}, wire="anthropic")
    exchange.session_id = "of-claude-code"
    await fitter(folder).request(flow)
    assert flow.request.headers["session-id"] == body_of(flow)["prompt_cache_key"] == "of-claude-code"


async def test_tokens_are_not_counted(folder: Path) -> None:
    flow, exchange = asking({"model": GPT}, path="/codex/v1/messages/count_tokens?beta=true", wire=None)
    exchange.client_format = "anthropic"
    await fitter(folder).request(flow)
    status, code, text = error_of(flow)
    assert (status, code) == (404, "unknown_route")
    assert "POST /codex/v1/messages/count_tokens." in text


def test_headers_that_go_up() -> None:
    headers = http.Headers(
        Session_Id="old",
        Thread_Id="old",
        Content_Encoding="zstd",
        User_Agent="curl/8",
        Originator="somebody",
        Traceparent="t",
    )
    headers["session_id"] = headers["conversation_id"] = "old"
    set_headers(headers, Asked("mine", [], "ts_1"), "key")
    assert headers["user-agent"].startswith("ccproxy/")
    del headers["user-agent"]
    assert {name.lower(): value for name, value in headers.items()} == {
        "accept": "text/event-stream",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "originator": "ccproxy",
        "session-id": "key",
        "traceparent": "t",
        "x-codex-turn-state": "ts_1",
    }


def test_messages_where_input_belongs() -> None:
    """The client reads Responses, so it may go on as a client of Responses does."""
    body, losses = from_messages(
        {
            "model": GPT,
            "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hello"}],
            "stream": True,
            "previous_response_id": "resp_1",
            "seed": 3,
        }
    )
    assert body["instructions"] == "Be kind."
    assert [item["role"] for item in body["input"]] == ["user"]
    assert (body["stream"], body["previous_response_id"], body["store"]) == (True, "resp_1", None)
    assert [loss.path for loss in losses] == ["seed"]
