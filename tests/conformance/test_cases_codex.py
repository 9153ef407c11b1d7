"""Cases 37 to 41: what comes with Codex and its format, as far as it holds without its backend."""

import base64
import gzip
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import zstandard

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject, Wire
from tests.conformance.translating import (
    CLAUDE,
    GPT,
    asking,
    block,
    completed,
    created,
    hello,
    item,
    labels,
    message_end,
    message_item,
    message_of,
    message_start,
    sent,
    sse,
    text_block,
    told,
    tool,
    translated,
    whole,
)
from tests.conftest import Proxies
from tests.support.processes import Proxy, Simulator
from tests.support.sockets import port_of, receive_until

HEADERS = {"anthropic-version": "2023-06-01", "content-type": "application/json"}


@pytest.mark.parametrize("client", ["anthropic", "chat"])
def test_case_37_the_format_alone_strips_nothing(client: Wire) -> None:
    """What one backend refuses is no reason to keep it from OpenAI's public API, which takes it."""
    limit = {"anthropic": "max_tokens", "chat": "max_completion_tokens"}[client]
    cache = {"prompt_cache_retention": "24h", "prompt_cache_key": "s"} if client == "chat" else {}
    request = translated({**hello(client), limit: 1234, **cache}, client, "responses")
    body = json.loads(request.body)
    assert body["max_output_tokens"] == 1234
    assert body.get("prompt_cache_key") == cache.get("prompt_cache_key")
    # what it cannot carry is reported, not lost
    assert labels(request) == (["prompt_cache_retention"] if client == "chat" else [])


# --- case 38


PACK: dict[str, Callable[[bytes], bytes]] = {"zstd": zstandard.compress, "gzip": gzip.compress}


def responses_body(text: str, **more: Any) -> bytes:
    return json.dumps({"model": GPT, "input": [{"role": "user", "content": text}], **more}).encode()


def test_case_38_a_compressed_body_passes_untouched(served: Proxy, simulator: Simulator) -> None:
    """On the same format the compressed bytes themselves arrive, with their encoding."""
    simulator.clear()
    body = json.dumps({"model": CLAUDE, "max_tokens": 9, "messages": [{"role": "user", "content": "é"}]})
    packed = gzip.compress(body.encode())
    headers = {**HEADERS, "content-encoding": "gzip"}
    answer = httpx.post(f"{served.url}/api/v1/messages", content=packed, headers=headers)
    assert answer.status_code == 200, answer.text
    [entry] = simulator.requests()
    assert base64.b64decode(str(entry["body"])) == packed
    served.process.wait_for(f"/api/v1/messages -> 200 {CLAUDE}", 5)


@pytest.mark.parametrize("encoding", ["zstd", "gzip", "br", "snappy"])
def test_case_38_what_we_cannot_read_we_do_not_judge(
    served: Proxy, simulator: Simulator, encoding: str
) -> None:
    """A body that is broken, or in an encoding unknown to us, is the provider's to refuse."""
    simulator.clear()
    headers = {**HEADERS, "content-encoding": encoding}
    answer = httpx.post(f"{served.url}/api/v1/messages", content=b"not what it says", headers=headers)
    assert "x-ccproxy-error" not in answer.headers
    [entry] = simulator.requests()
    assert base64.b64decode(str(entry["body"])) == b"not what it says"


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
@pytest.mark.parametrize("stream", [False, True])
def test_case_38_a_compressed_body_is_translated(
    served: Proxy, simulator: Simulator, encoding: str, *, stream: bool
) -> None:
    """What has to be changed is decompressed first, and the client gets the kind of answer it asked for."""
    simulator.clear()
    content = PACK[encoding](responses_body("hello", model=CLAUDE, stream=stream))
    headers = {"content-encoding": encoding, "content-type": "application/json"}
    answer = httpx.post(f"{served.url}/api/v1/responses", content=content, headers=headers)
    assert answer.status_code == 200, answer.text
    assert ("event: response.completed" in answer.text) == stream
    assert "hello" in answer.text
    [entry] = simulator.requests()
    sent_headers: Any = entry["headers"]
    assert "content-encoding" not in dict(sent_headers)
    written: Any = entry["body_json"]
    assert written["model"] == CLAUDE


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
def test_case_38_a_compressed_body_under_another_model(
    proxies: Proxies, simulator: Simulator, encoding: str
) -> None:
    """A model rule holds for a compressed body as for any other."""
    proxy = proxies.get("serve", {"MODELS__RULES": json.dumps([{"match": "my-model", "target": CLAUDE}])})
    body = {"model": "my-model", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]}
    simulator.clear()
    headers = {**HEADERS, "content-encoding": encoding}
    url = f"{proxy.url}/api/v1/messages"
    httpx.post(url, content=PACK[encoding](json.dumps(body).encode()), headers=headers)
    [entry] = simulator.requests()
    raw = base64.b64decode(str(entry["body"]))
    unpacked = zstandard.decompress(raw) if encoding == "zstd" else gzip.decompress(raw)
    assert json.loads(unpacked) == {**body, "model": CLAUDE}


@pytest.mark.parametrize(
    ("encoding", "content", "status", "code"),
    [
        ("zstd", b"not zstd at all", 400, "broken_encoding"),
        ("gzip", b"not gzip at all", 400, "broken_encoding"),
        ("zstd", zstandard.compress(b"{}")[:-3], 400, "invalid_json"),
        ("gzip", gzip.compress(b"not JSON", mtime=0), 400, "invalid_json"),
        ("snappy", b"x", 415, "unsupported_encoding"),
        ("zstd", zstandard.compress(bytes(200_000_000)), 413, "body_too_large"),
        ("gzip", gzip.compress(bytes(100_000_000), mtime=0), 413, "body_too_large"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
def test_case_38_what_has_to_be_read_and_cannot_be(
    served: Proxy, encoding: str, content: bytes, status: int, code: str
) -> None:
    """Broken, unknown and too large are three errors, in the client's format; a bomb costs no memory."""
    headers = {"content-encoding": encoding, "content-type": "application/json"}
    answer = httpx.post(f"{served.url}/api/v1/responses", content=content, headers=headers)
    assert (answer.status_code, answer.headers["x-ccproxy-error"]) == (status, code)
    assert answer.json()["error"]["code"] == code


# --- case 39


RESPONSES = ["/openai/v1/responses", "/api/v1/responses", "/codex/v1/responses", "/codex/a-session/responses"]


def upgrade(proxy: Proxy, path: str, until: bytes) -> tuple[bytes, float]:
    """What comes back for an upgrade up to these bytes, and after how many seconds."""
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port_of(proxy.url)}\r\nConnection: Upgrade\r\n"
        f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    )
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", port_of(proxy.url))) as connection:
        connection.sendall(request.encode())
        return receive_until(connection, until), time.monotonic() - begun


@pytest.mark.parametrize("path", RESPONSES)
def test_case_39_an_upgrade_on_a_responses_path_is_served(proxy: Proxy, path: str) -> None:
    answer, _ = upgrade(proxy, path, b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101 ")
    # the example of RFC 6455, 1.3
    assert b"sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=" in answer.lower()


@pytest.mark.parametrize(
    "path", ["/openai/v1/chat/completions", "/api/v1/messages", "/codex/v1/models", "/x"]
)
def test_case_39_an_upgrade_elsewhere_is_refused_at_once(proxy: Proxy, path: str) -> None:
    check_refused(*upgrade(proxy, path, b"no_websocket"))


@pytest.mark.parametrize("path", RESPONSES)
def test_case_39_switched_off_an_upgrade_is_refused_at_once(proxies: Proxies, path: str) -> None:
    """Where there is no WebSocket the client hears it at once, and goes on over HTTP."""
    proxy = proxies.get("serve", {"CODEX__WEBSOCKET": "off"})
    check_refused(*upgrade(proxy, path, b"no_websocket"))


def check_refused(answer: bytes, seconds: float) -> None:
    assert answer.startswith(b"HTTP/1.1 426 ")
    assert b"x-ccproxy-error: no_websocket" in answer.lower()
    assert seconds < 2


# --- case 40

SCHEMA: JsonObject = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"at": {"type": "object", "properties": {"x": {"type": "integer"}}}},
    "required": ["at"],
}
ASKED: dict[Wire, JsonObject] = {
    "anthropic": {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    "chat": {"response_format": {"type": "json_schema", "json_schema": {"name": "point", "schema": SCHEMA}}},
    "responses": {"text": {"format": {"type": "json_schema", "name": "point", "schema": SCHEMA}}},
}


@pytest.mark.parametrize("client", ASKED)
@pytest.mark.parametrize("upstream", ASKED)
def test_case_40_a_schema_for_the_answer_is_never_lost(client: Wire, upstream: Wire) -> None:
    """It arrives where that provider has it, in the form that it takes, and no stricter than asked."""
    if client == upstream:
        return
    body = sent({**hello(client), **ASKED[client]}, client, upstream)
    match upstream:
        case "anthropic":
            schema = body["output_config"]["format"]["schema"]
            assert schema["additionalProperties"] is False
            assert schema["properties"]["at"]["additionalProperties"] is False
        case "chat":
            form = body["response_format"]["json_schema"]
            assert (form["strict"], form["name"]) == (False, "output" if client == "anthropic" else "point")
            assert form["schema"] == {key: value for key, value in SCHEMA.items() if key != "$schema"}
        case "responses":
            form = body["text"]["format"]
            assert (form["strict"], form["name"]) == (False, "output" if client == "anthropic" else "point")
            assert form["schema"] == {key: value for key, value in SCHEMA.items() if key != "$schema"}


def test_case_40_a_model_without_it_is_told_in_words() -> None:
    """The client hears that it is a request then, and no guarantee."""
    request = translated({**hello("chat"), **ASKED["chat"]}, "chat", "anthropic", "claude-3-5-haiku-latest")
    body = json.loads(request.body)
    assert "output_config" not in body
    assert '"required":["at"]' in body["system"][-1]["text"]
    assert labels(request) == ["response_format(described)"]


# --- case 41


def test_case_41_web_search_is_the_other_providers_web_search() -> None:
    """Both have one, and what both can say about it is carried."""
    location = {"type": "approximate", "city": "Köln"}
    ours = {"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a.example"]}
    theirs = {"type": "web_search", "filters": {"allowed_domains": ["a.example"]}, "user_location": location}
    there = translated(
        {**hello("anthropic"), "tools": [{**ours, "max_uses": 3, "user_location": location}]},
        "anthropic",
        "responses",
    )
    assert json.loads(there.body)["tools"] == [theirs]
    assert labels(there) == ["tools.0.max_uses"]
    back = sent({**hello("responses"), "tools": [theirs]}, "responses", "anthropic")
    assert back["tools"] == [{**ours, "user_location": location}]


def test_case_41_where_there_is_none_the_client_is_told() -> None:
    """A search that is only offered is left out with a warning; one that is asked for is refused."""
    search = {"type": "web_search_20250305", "name": "web_search"}
    body = {**hello("anthropic"), "tools": [search, tool("anthropic")]}
    request = translated(body, "anthropic", "chat")
    assert [one["function"]["name"] for one in json.loads(request.body)["tools"]] == ["weather"]
    assert labels(request) == ["tools.0"]
    with pytest.raises(RequestError):
        sent({**body, "tool_choice": {"type": "tool", "name": "web_search"}}, "anthropic", "chat")


@pytest.mark.parametrize("client", ["chat", "responses"])
def test_case_41_no_tool_without_a_schema(client: Wire) -> None:
    """Claude refuses a function without `input_schema`, so each has one."""
    bare: JsonObject = {"type": "function", "name": "now"}
    tools = [bare if client == "responses" else {"type": "function", "function": {"name": "now"}}]
    [offered] = sent({**hello(client), "tools": tools}, client, "anthropic")["tools"]
    assert offered["input_schema"] == {"type": "object", "properties": {}}


def test_case_41_a_search_in_the_answer_leaves_its_text() -> None:
    """What a provider searched by itself is no call of the client's tools; what it found out is text."""
    raw = sse(
        created(),
        *item(
            0,
            {"id": "ws_0", "type": "web_search_call", "status": "completed"},
            {"type": "response.web_search_call.searching"},
        ),
        *message_item(1, "Rain."),
        completed(),
    )
    request = asking("anthropic", "responses", stream=True)
    message = message_of([event for event in told(request, raw) if event["type"] != "ping"])
    assert [one["type"] for one in message["content"]] == ["text"]
    assert message["stop_reason"] == "end_turn"
    result = {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": []}
    raw = sse(
        message_start(),
        *block(0, {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}}),
        *block(1, result),
        *text_block(2, "Rain."),
        *message_end(),
    )
    for client in ("chat", "responses"):
        answer = json.dumps(whole(asking(client, "anthropic"), raw))
        assert "Rain." in answer
        assert "srv_1" not in answer
