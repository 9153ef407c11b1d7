"""Turns on a WebSocket, frame by frame; the frames are those of the Responses WebSocket mode."""

import json
from typing import Any

import pytest
from mitmproxy.test import taddons, tflow
from mitmproxy.websocket import WebSocketMessage
from wsproto.frame_protocol import Opcode

from ccproxy.addons.exchanges import begin
from ccproxy.addons.quota import Quotas
from ccproxy.addons.recorder import Recorder
from ccproxy.addons.sockets import Sockets
from ccproxy.exchange import Exchange
from ccproxy.quota.windows import Quota

USAGE = {"input_tokens": 5, "output_tokens": 3}


class Socket:
    """A socket of the ChatGPT plan's backend, under our eyes."""

    def __init__(self, path: str = "/codex/responses") -> None:
        self.flow = tflow.twebsocketflow()
        assert self.flow.websocket
        self.flow.websocket.messages.clear()
        self.exchange = Exchange("reverse", "GET", path, "responses")
        self.exchange.policy, self.exchange.backend, self.exchange.client = "attach", "codex", "codex/1"
        begin(self.flow, self.exchange)
        self.recorder, self.quota = Recorder(), Quota()
        self.sockets = Sockets(self.recorder, Quotas(self.quota))

    def frame(self, value: dict[str, Any] | str | bytes, *, client: bool = False) -> None:
        data = (
            value
            if isinstance(value, bytes)
            else (value if isinstance(value, str) else json.dumps(value)).encode()
        )
        assert self.flow.websocket
        kind = Opcode.BINARY if isinstance(value, bytes) else Opcode.TEXT
        self.flow.websocket.messages.append(WebSocketMessage(kind, client, data))
        with taddons.context(self.sockets):
            self.sockets.websocket_message(self.flow)

    def create(self, model: str = "gpt-6.1-sol", **more: Any) -> None:
        self.frame({"type": "response.create", "model": model, "input": [], **more}, client=True)

    def tell(self, kind: str, **more: Any) -> None:
        self.frame({"type": kind, **more})

    def complete(self, model: str, **more: Any) -> None:
        self.tell(
            "response.completed", response={"model": model, "status": "completed", "usage": USAGE}, **more
        )


def test_each_turn_is_recorded_with_its_usage() -> None:
    socket = Socket()
    for model in ("one", "two"):
        socket.create(model)
        socket.tell("response.created", response={"model": model})
        socket.tell("response.output_text.delta", delta="hi")
        socket.complete(model)
    first, second = socket.recorder.finished
    assert (first.method, first.path, first.client, first.model_requested) == (
        "WS",
        "/codex/responses",
        "codex/1",
        "one",
    )
    assert (second.model_served, second.usage.input, second.usage.output) == ("two", 5, 3)
    assert second.first_byte is not None
    assert second.ended is not None


def test_lanes_are_told_apart() -> None:
    socket = Socket()
    socket.create("a", stream_id="1")
    socket.create("b", stream_id="2")
    socket.complete("b", stream_id="2")
    assert [turn.model_requested for turn in socket.recorder.finished] == ["b"]
    socket.complete("a", stream_id="1")
    assert [turn.model_requested for turn in socket.recorder.finished] == ["b", "a"]


def test_an_error_ends_a_turn() -> None:
    socket = Socket()
    socket.create()
    socket.tell("error", status=429, error={"type": "usage_limit_reached", "message": "later"})
    (turn,) = socket.recorder.finished
    assert turn.error


@pytest.mark.parametrize(("by_client", "error"), [(True, "client_disconnected"), (False, "upstream_cut")])
def test_a_socket_that_closes_in_the_middle_of_a_turn(by_client: bool, error: str) -> None:
    socket = Socket()
    socket.create()
    assert socket.flow.websocket
    socket.flow.websocket.closed_by_client = by_client
    socket.sockets.websocket_end(socket.flow)
    socket.sockets.websocket_end(socket.flow)
    assert [turn.error for turn in socket.recorder.finished] == [error]


def test_the_plans_windows_are_read() -> None:
    socket = Socket()
    window = {"used_percent": 42, "window_minutes": 300, "reset_at": 1795374000}
    socket.tell("codex.rate_limits", plan_type="plus", rate_limits={"primary": window})
    windows = socket.quota.as_json()["codex"]["windows"]
    assert (windows[0]["name"], windows[0]["used"]) == ("5h", 0.42)


@pytest.mark.parametrize(
    "frame", ["no json", "[]", b"\x00\xff", '{"type":1}', '{"type":"response.completed"}']
)
def test_what_cannot_be_read_is_passed_over(frame: str | bytes) -> None:
    socket = Socket()
    socket.frame(frame, client=True)
    socket.frame(frame)
    assert not socket.recorder.finished


def test_sockets_that_are_not_ours_are_left_alone() -> None:
    socket = Socket("/somewhere")
    socket.create()
    socket.complete("x")
    assert not socket.recorder.finished


def test_frames_are_not_kept_when_nobody_looks() -> None:
    socket = Socket()
    for _ in range(5):
        socket.create()
    assert socket.flow.websocket
    assert len(socket.flow.websocket.messages) == 1
