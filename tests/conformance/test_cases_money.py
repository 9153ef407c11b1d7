"""Cases 42 to 47: figures, reasons, empty texts, images, memory and quota."""

import json
import subprocess
from typing import Any

import httpx
import msgspec
import pytest

from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import JsonObject, Wire
from ccproxy.conversation.usage import Usage
from ccproxy.formats.sse import Reader
from ccproxy.tap import READERS
from tests.conformance import samples
from tests.conformance.translating import (
    CLAUDE,
    PAIRS,
    WIRES,
    asking,
    chunk,
    chunks,
    completed,
    created,
    hello,
    labels,
    message_end,
    message_item,
    message_start,
    sent,
    sse,
    text_block,
    told,
    tool,
    translated,
    usage_chunk,
    use_block,
    whole,
)
from tests.conftest import Proxies
from tests.support.processes import Proxy

CACHED: dict[Wire, bytes] = {
    "anthropic": sse(
        message_start(input_tokens=10, cache_creation_input_tokens=90, cache_read_input_tokens=900),
        *text_block(0, "x"),
        *message_end("end_turn", output_tokens=50),
    ),
    "chat": chunks(
        chunk(content="x"),
        chunk("stop"),
        usage_chunk(
            prompt_tokens=1000,
            completion_tokens=50,
            prompt_tokens_details={"cached_tokens": 900, "cache_write_tokens": 90},
        ),
        "[DONE]",
    ),
    "responses": sse(
        created(),
        *message_item(0, "x"),
        completed(
            usage={
                "input_tokens": 1000,
                "output_tokens": 50,
                "input_tokens_details": {"cached_tokens": 900, "cache_write_tokens": 90},
            }
        ),
    ),
}
"""The same tokens, as each format counts them: only Messages leaves the cache out of the input."""


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_case_42_cached_tokens_are_counted_once(client: Wire, upstream: Wire) -> None:
    """Each client gets the figures by the rule of its own format."""
    usage = whole(asking(client, upstream), CACHED[upstream])["usage"]
    match client:
        case "anthropic":
            assert usage["input_tokens"] == 10
            assert usage["cache_creation_input_tokens"] == 90
            assert usage["cache_read_input_tokens"] == 900
            assert usage["output_tokens"] == 50
        case "chat":
            details = usage["prompt_tokens_details"]
            assert (usage["prompt_tokens"], usage["total_tokens"]) == (1000, 1050)
            assert details == {"cached_tokens": 900, "cache_write_tokens": 90}
        case "responses":
            details = usage["input_tokens_details"]
            assert (usage["input_tokens"], usage["total_tokens"]) == (1000, 1050)
            assert details == {"cached_tokens": 900, "cache_write_tokens": 90}


@pytest.mark.parametrize("wire", WIRES)
def test_case_42_what_we_note_is_normalised(wire: Wire) -> None:
    """The figures for our own records are the same for the same tokens, whatever format they came in."""
    reader = READERS[wire]()
    for event in Reader().feed(CACHED[wire]):
        reader.event(event)
    assert reader.usage == Usage(input=1000, output=50, cache_read=900, cache_write=90)


REASONS = {
    "end_turn": ("stop", "completed", None),
    "stop_sequence": ("stop", "completed", None),
    "max_tokens": ("length", "incomplete", "max_output_tokens"),
    "model_context_window_exceeded": ("length", "incomplete", "max_output_tokens"),
    "pause_turn": ("stop", "completed", None),
    "refusal": ("content_filter", "incomplete", "content_filter"),
    "compaction": ("stop", "completed", None),
}


@pytest.mark.parametrize("reason", REASONS)
def test_case_43_claudes_reasons_for_openai_clients(reason: str) -> None:
    """Every reason has its counterpart; an answer that was cut short never looks whole."""
    raw = sse(message_start(), *text_block(0, "x"), *message_end(reason))
    finish, status, why = REASONS[reason]
    assert whole(asking("chat", "anthropic"), raw)["choices"][0]["finish_reason"] == finish
    response = whole(asking("responses", "anthropic"), raw)
    assert response["status"] == status
    assert (response["incomplete_details"] or {}).get("reason") == why


@pytest.mark.parametrize("wire", ["chat", "responses"])
@pytest.mark.parametrize(
    ("finish", "incomplete", "reason"),
    [
        ("stop", None, "end_turn"),
        ("length", "max_output_tokens", "max_tokens"),
        ("content_filter", "content_filter", "refusal"),
    ],
)
def test_case_43_openais_reasons_for_a_messages_client(
    wire: Wire, finish: str, incomplete: str | None, reason: str
) -> None:
    """The same the other way round."""
    end = completed("incomplete", incomplete_details={"reason": incomplete}) if incomplete else completed()
    raw = {
        "chat": chunks(chunk(content="x"), chunk(finish), "[DONE]"),
        "responses": sse(created(), *message_item(0, "x"), end),
    }[wire]
    assert whole(asking("anthropic", wire), raw)["stop_reason"] == reason


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_case_43_a_cut_answer_with_a_call_is_still_cut(client: Wire, upstream: Wire) -> None:
    """That the answer has a call does not hide that it was cut short."""
    raw = {
        "anthropic": sse(
            message_start(), *use_block(0, "call_a", "weather", '{"city": "K'), *message_end("max_tokens")
        ),
        "chat": samples.TWO_CALLS["chat"].replace(
            b'"finish_reason": "tool_calls"', b'"finish_reason": "length"'
        ),
        "responses": samples.TWO_CALLS["responses"].replace(b"response.completed", b"response.incomplete"),
    }[upstream]
    answer = whole(asking(client, upstream), raw)
    match client:
        case "anthropic":
            assert answer["stop_reason"] == "max_tokens"
        case "chat":
            assert answer["choices"][0]["finish_reason"] == "length"
        case "responses":
            assert answer["status"] == "incomplete"


@pytest.mark.parametrize("upstream", ["anthropic", "chat"])
def test_case_43_a_reason_that_nobody_knows_is_an_error(upstream: Wire) -> None:
    """It is named, and never taken for a regular end."""
    raw = {
        "anthropic": sse(message_start(), *text_block(0, "x"), *message_end("moon_phase")),
        "chat": chunks(chunk(content="x"), chunk("moon_phase"), "[DONE]"),
    }[upstream]
    outcome = asking("responses", upstream).collect(raw)
    assert isinstance(outcome, Failed)
    assert "moon_phase" in outcome.message


@pytest.mark.parametrize("content", ["", " \n", [{"type": "text", "text": ""}], None])
@pytest.mark.parametrize("upstream", ["anthropic", "responses"])
def test_case_44_no_empty_text_is_sent(upstream: Wire, content: Any) -> None:
    """An assistant that only called a tool said nothing: there is no text block for that."""
    call = {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": content, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_a", "content": ""},
    ]
    body = sent({"messages": messages, "tools": [tool("chat")]}, "chat", upstream)
    if upstream == "anthropic":
        assert [block["type"] for block in body["messages"][1]["content"]] == ["tool_use"]
        assert body["messages"][2]["content"] == [{"type": "tool_result", "tool_use_id": "call_a"}]
    else:
        texts = [part["text"] for item in body["input"] for part in item.get("content", ())]
        assert "" not in texts
        assert body["input"][-1]["output"] == ""


@pytest.mark.parametrize("upstream", ["chat", "responses"])
def test_case_44_no_empty_text_comes_back(upstream: Wire) -> None:
    """Nor does an answer get one: content is null where there are only calls, and no block is blank."""
    raw = {
        "chat": chunks(
            chunk(role="assistant", content=""),
            chunk(tool_calls=[{"index": 0, "id": "a", "function": {"name": "weather", "arguments": "{}"}}]),
            chunk("tool_calls"),
            "[DONE]",
        ),
        "responses": sse(created(), *message_item(0, ""), completed()),
    }[upstream]
    message = whole(asking("anthropic", upstream), raw)
    assert not [block for block in message["content"] if block["type"] == "text"]
    starts = [e for e in told(asking("anthropic", upstream), raw) if e["type"] == "content_block_start"]
    assert not [start for start in starts if start["content_block"]["type"] == "text"]
    if upstream == "chat":
        calls_only = sse(message_start(), *use_block(0, "a", "weather"), *message_end("tool_use"))
        answer = whole(asking("chat", "anthropic"), calls_only)
        assert answer["choices"][0]["message"]["content"] is None


PNG = "iVBORw0KGgo="
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}


@pytest.mark.parametrize("upstream", ["chat", "responses"])
def test_case_45_an_image_in_a_tool_result_arrives(upstream: Wire) -> None:
    """Text, image, text: all of it arrives, in this order, and every call keeps its own."""
    uses = [{"type": "tool_use", "id": f"call_{i}", "name": "weather", "input": {}} for i in range(2)]
    parts = [{"type": "text", "text": "before"}, IMAGE, {"type": "text", "text": "after"}]
    results = [
        {"type": "tool_result", "tool_use_id": "call_0", "content": parts},
        {"type": "tool_result", "tool_use_id": "call_1", "content": "plain"},
    ]
    messages = [
        {"role": "user", "content": "Look."},
        {"role": "assistant", "content": uses},
        {"role": "user", "content": results},
    ]
    request = translated({"messages": messages, "tools": [tool("anthropic")]}, "anthropic", upstream)
    body = json.loads(request.body)
    url = f"data:image/png;base64,{PNG}"
    if upstream == "responses":
        first, second = body["input"][-2:]
        assert [part.get("text") or part["image_url"] for part in first["output"]] == ["before", url, "after"]
        assert second["output"] == "plain"
    else:
        tools, shown = body["messages"][-3:-1], body["messages"][-1]
        assert [one["content"] for one in tools] == ["before\nafter", "plain"]
        assert shown["role"] == "user"
        assert shown["content"][0]["text"] == "[from tool call call_0]"
        assert shown["content"][1]["image_url"]["url"] == url
    assert labels(request) == []


def memory_of(proxy: Proxy) -> int:
    """Resident memory in MiB."""
    ps = ["ps", "-o", "rss=", "-p", str(proxy.process.child.pid)]
    return int(subprocess.run(ps, capture_output=True, text=True, check=True).stdout) // 1024


@pytest.mark.parametrize("path", ["messages", "chat/completions"])
def test_case_46_memory_does_not_grow_with_requests(proxies: Proxies, path: str) -> None:
    """Neither bodies that pass nor conversations that are translated stay behind."""
    proxy = proxies.get("serve", {"SERVER__LOG_LEVEL": "warning"})
    text = "x" * 1_000_000 + " sim:text fine"
    content = msgspec.json.encode(
        {"model": CLAUDE, "max_tokens": 9, "messages": [{"role": "user", "content": text}]}
    )
    headers = {"anthropic-version": "2023-06-01", "content-type": "application/json"}
    with httpx.Client(trust_env=False) as client:

        def ask(times: int) -> None:
            for _ in range(times):
                client.post(f"{proxy.url}/api/v1/{path}", content=content, headers=headers).raise_for_status()

        ask(15)
        before = memory_of(proxy)
        ask(45)
    assert memory_of(proxy) - before < 25


LIMITS = "anthropic-ratelimit-unified-"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ["messages", "chat/completions", "responses"])
def test_case_47_subscription_windows_reach_the_client(proxies: Proxies, path: str, *, stream: bool) -> None:
    """Both windows, and which of them binds, arrive under their own names in every format."""
    proxy = proxies.get("serve", {"CLAUDE__CREDENTIALS": "client"})
    headers = {
        "authorization": "Bearer sk-ant-oat01-of-the-client",
        "anthropic-beta": "oauth-2025-04-20",
        "anthropic-version": "2023-06-01",
    }
    body: JsonObject = {
        "model": CLAUDE,
        "stream": stream,
        **hello("responses" if path == "responses" else "chat"),
    }
    if path == "messages":
        body["max_tokens"] = 9
    answer = httpx.post(f"{proxy.url}/api/v1/{path}", json=body, headers=headers, trust_env=False)
    assert answer.status_code == 200, answer.text
    limits = {name.removeprefix(LIMITS) for name in answer.headers if name.startswith(LIMITS)}
    assert {"5h-utilization", "5h-reset", "7d-utilization", "7d-reset", "representative-claim"} <= limits
    assert float(answer.headers[f"{LIMITS}5h-utilization"]) > 0
