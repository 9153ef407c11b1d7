"""The views, asked as mitmproxy asks them."""

from pathlib import Path

import pytest
from mitmproxy import contentviews, http
from mitmproxy.contentviews import Metadata
from mitmproxy.contentviews._registry import ContentviewRegistry
from mitmproxy.test import taddons, tflow
from mitmproxy.websocket import WebSocketMessage
from wsproto.frame_protocol import Opcode

from ccproxy.addons.notes import PACE, TIMES
from ccproxy.addons.views import CHOSEN, Conversation, Prompt, Timing, Translation
from ccproxy.inspector.translation import CHANGES, SAID, UNCHANGED_ANSWER, UNCHANGED_REQUEST
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
    found.register(Translation())
    found.register(Prompt())
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


def test_a_whole_socket(registry: ContentviewRegistry) -> None:
    """What is said on it stands where it was opened; there is no body there."""
    flow = tflow.twebsocketflow()
    assert flow.websocket
    assert flow.response
    assert pretty(flow, flow.response, registry)[0] != "Conversation"
    assert pretty(flow, flow.response, registry, "timing")[1] == "No turns."
    flow.request.timestamp_start = 100.0
    said = (
        (True, b'{"type":"response.create","model":"m","input":"Hi"}'),
        (False, b'{"type":"response.completed","response":{"id":"r","output":[]}}'),
        (True, b'{"type":"response.create","model":"m","input":"More"}'),
    )
    flow.websocket.messages = [
        WebSocketMessage(Opcode.TEXT, client, text, 101.0 + number)
        for number, (client, text) in enumerate(said)
    ]
    name, text = pretty(flow, flow.response, registry)
    assert name == "Conversation"
    first, second = text.split("Turn 2\n")
    assert first.startswith("Turn 1\n  Responses request to m\n")
    assert first.rstrip().endswith("\n    Hi\n\n  Responses answer (r)")
    assert second.endswith("    More")
    for part in (flow.response, flow.websocket.messages[0]):
        assert pretty(flow, part, registry, "timing")[1] == (
            "Turn 1        at 1.00 s, first event 1.00 s, ended 1.00 s\nTurn 2        at 3.00 s, not ended"
        )
        assert pretty(flow, part, registry, "translation")[1].startswith("Nothing was changed")
    assert pretty(flow, flow.request, registry)[0] != "Conversation"


def test_a_translation_is_shown_to_who_asks(registry: ContentviewRegistry) -> None:
    folder = HERE / "anthropic"
    request, answer = ((folder / name).read_bytes() for name in ("request.json", "answer.json"))
    flow = flow_of("/v1/messages", request, answer)
    for part in (flow.request, flow.response):
        assert pretty(flow, part, registry, "translation")[1].startswith("Nothing is noted")
    flow.metadata[TIMES] = {}
    assert pretty(flow, flow.request, registry, "translation")[1] == UNCHANGED_REQUEST
    assert pretty(flow, flow.response, registry, "translation")[1] == UNCHANGED_ANSWER
    flow.metadata[CHANGES] = {"formats": ["anthropic"] * 2, "differs": [SAID], "sent": True}
    flow.metadata[SAID] = request.replace(b"careful", b"careless")
    flow.request.host, flow.request.path = "example.org", "/elsewhere"
    told = pretty(flow, flow.request, registry, "translation")[1]
    assert "\n-   You are a careless engineer.\n+   You are a careful engineer.\n" in told
    assert ", at example.org\n" in told
    assert pretty(flow, flow.request, registry)[0] != "Translation"


def test_what_is_no_conversation_has_no_translation(registry: ContentviewRegistry) -> None:
    flow = flow_of("/v1/models")
    flow.metadata[TIMES] = {}
    assert pretty(flow, flow.response, registry, "translation")[1].startswith("This is no conversation")


def test_no_view_of_mitmproxys_is_preferred(registry: ContentviewRegistry) -> None:
    folder = HERE / "anthropic"
    flow = flow_of("/v1/messages", (folder / "request.json").read_bytes())
    metadata = Metadata(flow=flow, http_message=flow.request, content_type=JSON)
    others = [view for name, view in registry.items() if name != "conversation"]
    assert max(view.render_priority(flow.request.content or b"", metadata) for view in others) < CHOSEN


def test_times_are_shown_to_who_asks(registry: ContentviewRegistry) -> None:
    flow = flow_of("/v1/messages")
    flow.metadata[TIMES], flow.metadata[PACE] = {"sent": 0.004, "ended": 1.5}, {"speed": 20.0}
    assert pretty(flow, flow.request, registry, "timing") == (
        "Timing",
        "Sent          at 4 ms\nEnded         at 1.50 s\nSpeed         20 tokens/s",
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


@pytest.mark.parametrize(("wire", "path"), CASES)
def test_a_prompt_is_edited(wire: str, path: str, registry: ContentviewRegistry) -> None:
    folder = HERE / wire
    flow = flow_of(path, (folder / "request.json").read_bytes(), (folder / "answer.json").read_bytes())
    flow.request.encode("gzip")
    for part in (flow.request, flow.response):
        assert part
        name, shown = pretty(flow, part, registry, "prompt")
        assert name == "Prompt"
        assert shown.endswith("\n=== end ===\n")
        before = part.content
        with taddons.context():
            metadata = Metadata(flow=flow, http_message=part)
            assert Prompt().reencode(shown, metadata) == before
            heading = shown.index(" ===\n") + len(" ===\n")
            part.content = Prompt().reencode(f"{shown[:heading]}NEW {shown[heading:]}", metadata)
        assert part.content.replace(b"NEW ", b"", 1) == before
        assert part.headers["content-length"] == str(len(part.raw_content or b""))


def test_a_frame_is_edited_and_what_is_no_json_is_not(registry: ContentviewRegistry) -> None:
    flow = tflow.twebsocketflow()
    assert flow.websocket
    frame = flow.websocket.messages[0]
    frame.content = b'{"type":"response.create","model":"m","input":"Hi"}'
    shown = pretty(flow, frame, registry, "prompt")[1]
    metadata = Metadata(flow=flow, websocket_message=frame)
    edited = Prompt().reencode(shown.replace("\nHi\n", "\nHo\n"), metadata)
    assert edited == frame.content.replace(b"Hi", b"Ho")
    stream = (HERE / "anthropic" / "stream.sse").read_bytes()
    told = flow_of("/v1/messages", stream, stream, EVENTS)
    for part in (told.request, told.response):
        said = pretty(told, part, registry, "prompt")[1]
        assert said == "This is no request and no whole answer of a conversation."
        with pytest.raises(ValueError, match="no request and no whole answer"):
            Prompt().reencode(said, Metadata(flow=told, http_message=part))
    with pytest.raises(ValueError, match="no content"):
        Prompt().reencode("", Metadata())
