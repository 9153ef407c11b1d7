"""Cases 23 to 30: streams end once, stay alive, stop when nobody listens, and lose no byte."""

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.conversation.parts import JsonObject, Wire
from tests.conformance import samples
from tests.conformance.translating import (
    CLAUDE,
    GPT,
    PAIRS,
    WIRES,
    asking,
    chunk,
    chunks,
    completed,
    created,
    hello,
    message_end,
    message_item,
    message_start,
    read,
    sent,
    sse,
    streamed,
    text_block,
    told,
    usage_chunk,
)
from tests.conftest import Behind
from tests.support import upstreams
from tests.support.processes import Proxy, Simulator
from tests.support.upstreams import SSE_HEAD, Behaviour

ROUTES: dict[tuple[Wire, Wire], str] = {
    ("chat", "anthropic"): "/api/v1/chat/completions",
    ("responses", "anthropic"): "/api/v1/responses",
    ("anthropic", "responses"): "/openai/v1/messages",
}
"""The routes on which a stream is translated."""


@pytest.mark.parametrize("upstream", ["chat", "responses"])
def test_case_23_usage_is_right_at_the_end_and_never_guessed(upstream: Wire) -> None:
    """What is not known at the start is 0 there; the last `message_delta` has the provider's own figures."""
    events = told(asking("anthropic", upstream, stream=True), samples.TEXT[upstream])
    first = events[0]["message"]["usage"]
    assert (first["input_tokens"], first["output_tokens"]) == (0, 0)
    last = next(event for event in events if event["type"] == "message_delta")
    assert (last["usage"]["input_tokens"], last["usage"]["output_tokens"]) == (3, 9)


def test_case_23_usage_is_cumulative() -> None:
    """Figures that come again replace those before, they are not added up."""
    raw = sse(
        message_start(input_tokens=10),
        {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 5}},
        *message_end("end_turn", output_tokens=7),
    )
    events = told(asking("chat", "anthropic", stream=True, stream_options={"include_usage": True}), raw)
    assert events[-2]["usage"]["total_tokens"] == 17


TEXT_ITEM = message_item(0, "Hello")
ENDS_WELL: dict[str, tuple[Wire, bytes]] = {
    "usage after the reason": (
        "chat",
        chunks(
            chunk(content="Hello"), chunk("stop"), usage_chunk(prompt_tokens=3, completion_tokens=9), "[DONE]"
        ),
    ),
    "no [DONE]": ("chat", chunks(chunk(content="Hello"), chunk("stop"))),
    "no reason": ("chat", chunks(chunk(content="Hello"), "[DONE]")),
    "everything twice": (
        "chat",
        chunks(chunk(content="Hello"), chunk("stop"), chunk("stop"), *["[DONE]"] * 2),
    ),
    "no done events": ("responses", sse(created(), *TEXT_ITEM[:2], completed())),
    "completed twice": ("responses", sse(created(), *TEXT_ITEM, completed(), completed())),
    "completed and [DONE]": ("responses", sse(created(), *TEXT_ITEM, completed()) + chunks("[DONE]")),
    "stopped twice": (
        "anthropic",
        sse(message_start(), *text_block(0, "Hello"), *message_end(), {"type": "message_stop"}),
    ),
    "no block stop": ("anthropic", sse(message_start(), *text_block(0, "Hello")[:2], *message_end())),
}
BREAKS_OFF: dict[str, tuple[Wire, bytes]] = {
    "nothing": ("chat", b""),
    "chat, amid a text": ("chat", chunks(chunk(content="Hello"))),
    "chat, amid an event": ("chat", chunks(chunk(content="Hello")) + b'data: {"choices":[{"fini'),
    "responses, amid a text": ("responses", sse(created(), *TEXT_ITEM[:2])),
    "responses, failed": (
        "responses",
        sse(created(), completed("failed", error={"code": "server_error", "message": "no"})),
    ),
    "anthropic, amid a text": ("anthropic", sse(message_start(), *text_block(0, "Hello")[:2])),
    "anthropic, error": (
        "anthropic",
        sse(message_start(), {"type": "error", "error": {"type": "overloaded_error", "message": "x"}}),
    ),
}
SUCCESS = ("message_stop", "[DONE]", "response.completed")
FAILURE = ("error", "response.failed")


def endings(events: list[Any]) -> list[tuple[int, str]]:
    """The terminal events, with how many follow each."""
    found = []
    for index, event in enumerate(events):
        kind = event if isinstance(event, str) else event.get("type") or ("error" if "error" in event else "")
        if kind in (*SUCCESS, *FAILURE):
            found.append((len(events) - index - 1, kind))
    return found


def with_clients(cases: dict[str, tuple[Wire, bytes]]) -> list[Any]:
    return [
        pytest.param(client, name, id=f"{name}, {client}")
        for name, (wire, _) in cases.items()
        for client in WIRES
        if client != wire
    ]


@pytest.mark.parametrize(("client", "name"), with_clients(ENDS_WELL))
def test_case_24_a_whole_stream_ends_once(client: Wire, name: str) -> None:
    """However the provider ends its stream, the client gets exactly one end, after everything is closed."""
    wire, raw = ENDS_WELL[name]
    events = told(asking(client, wire, stream=True), raw)
    [(following, kind)] = endings(events)
    assert (following, kind) == (0, SUCCESS[WIRES.index(client)])
    if client == "anthropic":
        kinds = [event["type"] for event in events]
        assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 1


@pytest.mark.parametrize(("client", "name"), with_clients(BREAKS_OFF))
def test_case_24_a_broken_stream_is_never_a_success(client: Wire, name: str) -> None:
    """A stream that breaks off ends with one error, and with nothing that looks like an end."""
    wire, raw = BREAKS_OFF[name]
    [(following, kind)] = endings(told(asking(client, wire, stream=True), raw))
    assert following == 0
    assert kind in FAILURE
    assert asking(client, wire).collect(raw).__class__.__name__ == "Failed"


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
@pytest.mark.parametrize("style", ["as it is", "CRLF", "CR", "no space", "BOM"])
def test_case_25_a_stream_cut_at_every_byte(client: Wire, upstream: Wire, style: str) -> None:
    """Pieces of any size, inside characters and line ends, make the same stream."""
    raw = samples.TEXT[upstream]
    expected = streamed(asking(client, upstream, stream=True), raw)
    match style:
        case "CRLF":
            raw = raw.replace(b"\n", b"\r\n")
        case "CR":
            raw = raw.replace(b"\n", b"\r")
        case "no space":
            raw = raw.replace(b"data: ", b"data:").replace(b"event: ", b"event:")
        case "BOM":
            raw = b"\xef\xbb\xbf" + raw
    for cut in range(len(raw)):
        translator = asking(client, upstream, stream=True).stream()
        pieces = [*translator.feed(raw[:cut]), *translator.feed(raw[cut:]), *translator.end()]
        assert b"".join(pieces) == expected
    assert "👋" in expected.decode() or "\\ud83d" in expected.decode()


@given(st.lists(st.integers(1, 40), max_size=60), st.sampled_from(sorted(samples.ALL)))
def test_case_25_a_stream_in_pieces_of_any_size(sizes: list[int], name: str) -> None:
    """The same for every sample, in random pieces."""
    raw = samples.ALL[name]["chat"]
    translator = asking("anthropic", "chat", stream=True).stream()
    pieces, at = list[bytes](), 0
    for size in [*sizes, len(raw)]:
        pieces += translator.feed(raw[at : at + size])
        at += size
    pieces += translator.end()
    assert b"".join(pieces) == streamed(asking("anthropic", "chat", stream=True), raw)


# --- over sockets


def body_for(client: Wire, upstream_wire: Wire) -> JsonObject:
    model = CLAUDE if upstream_wire == "anthropic" else GPT
    limit = {"max_output_tokens" if client == "responses" else "max_tokens": 100}
    return {"model": model, "stream": True, **limit, **hello(client)}


HIDDEN: dict[Wire, bytes] = {
    "anthropic": sse(
        {"type": "content_block_start", "index": 7, "content_block": {"type": "server_tool_use", "id": "s"}}
    ),
    "responses": sse({"type": "response.file_search_call.searching", "output_index": 7}),
}
"""What a provider may say at length without a word for the client."""

BEGINNING = {"anthropic": sse(message_start()), "responses": sse(created())}
REST = {
    "anthropic": sse(*text_block(0, "done"), *message_end()),
    "responses": sse(*message_item(0, "done"), completed()),
}
PING = {"anthropic": b"event: ping\n", "chat": b": ping\n", "responses": b": keep-alive\n"}


def slow(wire: Wire, *, talks: bool) -> Behaviour:
    """An upstream that begins, has nothing to say to the client for 1.2 s, and ends well."""

    def behave(connection: socket.socket) -> None:
        upstreams.read_request(connection)
        connection.sendall(SSE_HEAD + upstreams.chunk(BEGINNING[wire]))
        for _ in range(12):
            time.sleep(0.1)
            if talks:
                connection.sendall(upstreams.chunk(HIDDEN[wire]))
        connection.sendall(upstreams.chunk(REST[wire]) + b"0\r\n\r\n")

    return behave


@pytest.mark.parametrize("talks", [False, True], ids=["silent", "talks of other things"])
@pytest.mark.parametrize(("client", "wire"), ROUTES)
def test_case_26_a_silent_stream_gets_signs_of_life(
    behind: Behind, client: Wire, wire: Wire, *, talks: bool
) -> None:
    """A client that hears nothing gets pings, also when the provider talks of what the client cannot see."""
    proxy = behind.proxy(slow(wire, talks=talks), RETRIES__KEEPALIVE_SECONDS="0.3")
    url = proxy.url + ROUTES[client, wire]
    answer = httpx.post(url, json=body_for(client, wire), trust_env=False).content
    assert 2 <= answer.count(PING[client]) <= 5
    assert b"done" in answer
    assert endings(without_pings(answer)) == [(0, SUCCESS[WIRES.index(client)])]


def without_pings(raw: bytes) -> list[Any]:
    return [event for event in read(raw) if event == "[DONE]" or event.get("type") != "ping"]


@pytest.mark.parametrize(("client", "wire"), ROUTES)
def test_case_27_pings_do_not_hide_a_dead_upstream(behind: Behind, client: Wire, wire: Wire) -> None:
    """After the idle timeout pings stop, the stream ends with an error, and the upstream is let go."""

    def dies(connection: socket.socket) -> None:
        upstreams.read_request(connection)
        connection.sendall(SSE_HEAD + upstreams.chunk(BEGINNING[wire]))
        connection.recv(1)

    settings = {"RETRIES__KEEPALIVE_SECONDS": "0.2", "RETRIES__IDLE_TIMEOUT_SECONDS": "1"}
    proxy = behind.proxy(dies, **settings)
    begun = time.monotonic()
    url = proxy.url + ROUTES[client, wire]
    answer = httpx.post(url, json=body_for(client, wire), trust_env=False).content
    assert time.monotonic() - begun < 3
    assert answer.count(PING[client]) >= 2
    [(following, kind)] = endings(without_pings(answer))
    assert (following, kind in FAILURE) == (0, True)
    assert answer.rfind(PING[client]) < answer.find(b"silent for 1 s")
    assert behind.server.closed.wait(3)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("application/x-ndjson", "/api/v1/messages/batches/b/results"),
        ("text/event-stream", "/api/v1/messages"),
        ("text/event-stream; charset=utf-8", "/openai/v1/responses"),
        ("text/event-stream", "/api/v1/chat/completions"),
        ("application/octet-stream", "/openai/v1/files/f/content"),
    ],
)
def test_case_28_what_streams_is_not_held_back(behind: Behind, kind: str, path: str) -> None:
    """The client has the first piece while the provider has not sent the second."""
    released = threading.Event()

    def behave(connection: socket.socket) -> None:
        upstreams.read_request(connection)
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + upstreams.chunk(BEGINNING["anthropic"]))
        assert released.wait(10)
        connection.sendall(upstreams.chunk(REST["anthropic"]) + b"0\r\n\r\n")

    body = body_for("chat" if "chat" in path else "anthropic", "anthropic")
    proxy = behind.proxy(behave, RETRIES__KEEPALIVE_SECONDS="60")
    with httpx.stream("POST", proxy.url + path, json=body, trust_env=False, timeout=8) as answer:
        pieces = answer.iter_raw()
        assert next(pieces)
        released.set()
        assert b"done" in b"".join(pieces)


def leave(marker: str, simulator: Simulator, go: Callable[[JsonObject], None]) -> dict[str, object]:
    """The upstream's own note of a request whose client has left."""
    simulator.clear()
    body: JsonObject = {"model": CLAUDE, "messages": [{"role": "user", "content": marker}]}
    go(body)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and simulator.requests()[0]["outcome"] != "aborted":
        time.sleep(0.05)
    return simulator.requests()[0]


def test_case_29_a_client_leaves_before_the_first_byte(served: Proxy, simulator: Simulator) -> None:
    """The provider is let go although it has not even begun to answer."""

    def go(body: JsonObject) -> None:
        url = f"{served.url}/api/v1/chat/completions"
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(url, json={**body, "stream": True}, timeout=0.5, trust_env=False)

    assert leave("sim:mute", simulator, go)["outcome"] == "aborted"


def test_case_29_a_client_leaves_in_the_middle(served: Proxy, simulator: Simulator) -> None:
    """The provider is let go, and the tokens so far are counted."""

    def go(body: JsonObject) -> None:
        url = f"{served.url}/api/v1/chat/completions"
        with httpx.stream("POST", url, json={**body, "stream": True}, trust_env=False) as answer:
            next(answer.iter_raw())

    assert leave("sim:slow 300 0.05", simulator, go)["outcome"] == "aborted"
    served.process.wait_for(r"chat/completions -> 200 client_disconnected .* \d+ in, \d+ out", 5)


def test_case_29_a_client_leaves_that_wanted_no_stream(behind: Behind) -> None:
    """The provider is let go in the middle of an answer that nobody will read."""
    proxy = behind.proxy(upstreams.silent_inside_json)
    url = f"{proxy.url}/api/v1/chat/completions"
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(url, json={"model": CLAUDE, **hello("chat")}, timeout=0.5, trust_env=False)
    assert behind.server.closed.wait(3)


@pytest.mark.parametrize("client", ["anthropic", "responses"])
def test_case_30_usage_is_always_asked_for(client: Wire) -> None:
    """A Chat upstream tells its tokens in a stream only when it is asked to, so it always is."""
    assert sent(hello(client, stream=True), client, "chat")["stream_options"] == {"include_usage": True}
    assert "stream_options" not in sent(hello(client), client, "chat")


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("wire", ["anthropic", "responses"])
def test_case_30_the_extra_chunk_is_for_who_asked(wire: Wire, *, asked: bool) -> None:
    """Usage is known in any case; a client that did not ask for it does not get a chunk without a choice."""
    more = {"stream_options": {"include_usage": True}} if asked else {}
    events = told(asking("chat", wire, stream=True, **more), samples.TEXT[wire])
    extra = [event for event in events if isinstance(event, dict) and not event["choices"]]
    assert [event["usage"]["total_tokens"] for event in extra] == ([12] if asked else [])
    assert all(("usage" in event) == asked for event in events if isinstance(event, dict))
