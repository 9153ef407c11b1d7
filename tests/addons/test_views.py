"""The views, asked as mitmproxy asks them."""

from pathlib import Path

import pytest
from mitmproxy import contentviews, http
from mitmproxy.contentviews import Metadata
from mitmproxy.contentviews._registry import ContentviewRegistry
from mitmproxy.test import taddons, tflow
from mitmproxy.websocket import WebSocketMessage
from wsproto.frame_protocol import Opcode

from ccproxy.addons.notes import TIMES
from ccproxy.addons.views import CHOSEN, Conversation, Timing
from tests.inspector.golden_cases import HERE

JSON = "application/json"
EVENTS = "text/event-stream"
CASES = (
    ("anthropic", "/v1/messages?beta=true"),
    ("chat", "/v1/chat/completions"),
    ("responses", "/backend-api/codex/responses"),
)


@pytest.fixture
def registry() -> ContentviewRegistry:
    """mitmproxy's own views and ours, for this test alone."""
    found = ContentviewRegistry()
    for view in contentviews.registry.values():
        found.register(view)
    found.register(Conversation())
    found.register(Timing())
    return found


def flow_of(path: str, request: bytes = b"{}", answer: bytes = b"{}", kind: str = JSON) -> http.HTTPFlow:
    flow = tflow.tflow(resp=True)
    flow.request.path, flow.request.content = path, request
    flow.request.headers["content-type"] = JSON
    assert flow.response
    flow.response.headers["content-type"] = kind
    flow.response.content = answer
    return flow


def pretty(
    flow: http.HTTPFlow, part: object, registry: ContentviewRegistry, name: str = "auto"
) -> tuple[str | None, str]:
    with taddons.context():
        result = contentviews.prettify_message(part, flow, name, registry)  # type: ignore[arg-type]
    return result.view_name, result.text


@pytest.mark.parametrize(("wire", "path"), CASES)
@pytest.mark.parametrize(
    ("file", "kind"), [("answer.json", JSON), ("error.json", JSON), ("stream.sse", EVENTS)]
)
def test_it_is_chosen_for_what_it_knows(
    wire: str, path: str, file: str, kind: str, registry: ContentviewRegistry
) -> None:
    folder: Path = HERE / wire
    flow = flow_of(path, (folder / "request.json").read_bytes(), (folder / file).read_bytes(), kind)
    flow.request.encode("gzip")
    for part, name in ((flow.request, "request.json"), (flow.response, file)):
        expected = (folder / f"{name}.txt").read_text().removesuffix("\n")
        assert pretty(flow, part, registry) == ("Conversation", expected)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/messages", b'{"data": 1}'),
        ("/v1/models", b'{"object": "list", "data": []}'),
        ("/elsewhere", (HERE / "anthropic" / "request.json").read_bytes()),
        ("/v1/messages", b""),
    ],
)
def test_it_is_not_chosen_for_anything_else(path: str, body: bytes, registry: ContentviewRegistry) -> None:
    flow = flow_of(path, body, body)
    for part in (flow.request, flow.response):
        assert pretty(flow, part, registry)[0] != "Conversation"


def test_who_asks_for_it_gets_it_anywhere(registry: ContentviewRegistry) -> None:
    request = (HERE / "chat" / "request.json").read_bytes()
    flow = flow_of("/elsewhere", request, b"what is this")
    assert pretty(flow, flow.request, registry, "conversation")[1].startswith("Chat Completions request")
    assert pretty(flow, flow.response, registry, "conversation")[1] == "what is this"


def test_a_body_without_a_flow() -> None:
    body = (HERE / "chat" / "request.json").read_bytes()
    assert Conversation().render_priority(body, Metadata()) < 0
    assert Conversation().prettify(b"x", Metadata()) == "x"


def test_the_frames_of_a_socket(registry: ContentviewRegistry) -> None:
    flow = tflow.twebsocketflow()
    assert flow.websocket
    said = (
        (True, b'{"type":"response.create","model":"m","input":"Hi"}'),
        (False, b'{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"Hey"}'),
        (False, b'{"type":"response.completed","response":{"id":"r","status":"completed","output":[]}}'),
        (True, b"something else"),
    )
    flow.websocket.messages = [WebSocketMessage(Opcode.TEXT, client, text) for client, text in said]
    shown = [pretty(flow, message, registry) for message in flow.websocket.messages]
    assert [name == "Conversation" for name, _ in shown] == [True, True, True, False]
    assert "\n  Hi" in shown[0][1]
    assert shown[2][1] == "Responses answer (r)\n\nAssistant\n  Hey\n\nEnded: completed"


def test_no_view_of_mitmproxys_is_preferred(registry: ContentviewRegistry) -> None:
    folder = HERE / "anthropic"
    flow = flow_of("/v1/messages", (folder / "request.json").read_bytes())
    metadata = Metadata(flow=flow, http_message=flow.request, content_type=JSON)
    others = [view for name, view in registry.items() if name != "conversation"]
    assert max(view.render_priority(flow.request.content or b"", metadata) for view in others) < CHOSEN


def test_times_are_shown_to_who_asks(registry: ContentviewRegistry) -> None:
    flow = flow_of("/v1/messages")
    flow.metadata[TIMES] = {"sent": 0.004, "ended": 1.5}
    assert pretty(flow, flow.request, registry, "timing") == (
        "Timing",
        "Sent          at 4 ms\nEnded         at 1.50 s",
    )
    assert pretty(flow, flow.request, registry)[0] != "Timing"


def test_times_of_a_flow_that_did_not_go_through_us(registry: ContentviewRegistry) -> None:
    flow = flow_of("/v1/messages")
    assert flow.response
    flow.request.timestamp_start, flow.request.timestamp_end = 100.0, 100.01
    flow.response.timestamp_start, flow.response.timestamp_end = 100.5, None
    assert (
        pretty(flow, flow.request, registry, "timing")[1] == "Sent          at 10 ms\nFirst byte    at 0.50 s"
    )
    flow.response = None
    assert pretty(flow, flow.request, registry, "timing")[1] == "Sent          at 10 ms"
