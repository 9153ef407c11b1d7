"""The shape of a body: every refusal names the path of what is wrong."""

import gzip
import json
import zlib
from typing import Any

import brotli
import httpx
import pytest
import zstandard

from tests.simulator.anthropic.asking import HEADERS, MODEL, Ask, message_of

TOOL = {"name": "add", "input_schema": {"type": "object"}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([{"type": "text"}], "messages.0.content.0.text.text: Field required"),
        ([{"type": "text", "text": 1}], "messages.0.content.0.text.text: Input should be a valid string"),
        ([{"type": "nonsense"}], "messages.0.content.0: Input tag 'nonsense' found using 'type'"),
        ([{"text": "hi"}], "messages.0.content.0: Unable to extract tag using discriminator 'type'"),
        ("x", None),
        (7, "messages.0.content: Input should be a valid list"),
        (
            [{"type": "text", "text": "x"}, {"type": "tool_result", "tool_use_id": "a", "foo": 1}],
            "messages.0.content.1.tool_result.foo: Extra inputs are not permitted",
        ),
        (
            [{"type": "image", "source": {"type": "base64", "media_type": "image/tiff", "data": ""}}],
            "messages.0.content.0.image.source.base64.media_type: Input should be",
        ),
        (
            [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "?"}}],
            "messages.0.content.0.image.source.base64.data: Invalid base64 data",
        ),
        (
            [
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": "AAAA" * 1_800_000},
                }
            ],
            "messages.0.content.0.image.source.base64.data: image exceeds 5 MB maximum",
        ),
        (
            [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "2h"}}],
            "messages.0.content.0.text.cache_control.ttl: Input should be '5m' or '1h'",
        ),
    ],
)
async def test_a_content_block(ask: Ask, content: Any, message: str | None) -> None:
    answer = await ask(content)
    if message is None:
        assert answer.status_code == 200
    else:
        assert message_of(answer).startswith(message)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"foo": 1}, "foo: Extra inputs are not permitted"),
        ({"model": ""}, "model: String should have at least 1 character"),
        ({"max_tokens": None}, "max_tokens: Field required"),
        ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
        ({"max_tokens": "100"}, "max_tokens: Input should be a valid integer"),
        ({"max_tokens": 10.5}, "max_tokens: Input should be a valid integer"),
        ({"messages": "hello"}, "messages: Input should be a valid list"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role: Input should be"),
        ({"messages": [{"role": "user"}]}, "messages.0.content: Field required"),
        ({"messages": [{"role": "user", "content": "x", "name": "me"}]}, "messages.0.name: Extra inputs"),
        ({"temperature": 1.5}, "temperature: Input should be less than or equal to 1"),
        ({"stream": "yes"}, "stream: Input should be a valid boolean"),
        ({"metadata": {"user_id": 1}}, "metadata.user_id: Input should be a valid string"),
        ({"metadata": {"team": "x"}}, "metadata.team: Extra inputs are not permitted"),
        ({"service_tier": "flex"}, "service_tier: Input should be 'auto' or 'standard_only'"),
        ({"thinking": {"type": "enabled"}}, "thinking.enabled.budget_tokens: Field required"),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 1000}},
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ),
        ({"output_config": {"effort": "minimal"}}, "output_config.effort: Input should be 'low'"),
        ({"tools": [{"name": "add"}]}, "tools.0.custom.input_schema: Field required"),
        ({"tools": [{**TOOL, "name": "a b"}]}, "tools.0.custom.name: String should match pattern"),
        ({"tools": [{**TOOL, "name": "x" * 129}]}, "tools.0.custom.name: String should match pattern"),
        ({"tools": [{**TOOL, "parameters": {}}]}, "tools.0.custom.parameters: Extra inputs"),
        ({"tools": [{**TOOL, "input_schema": {}}]}, "tools.0.custom.input_schema.type: Field required"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools.0: "),
        ({"tools": [TOOL], "tool_choice": "auto"}, "tool_choice: Input should be"),
        ({"tools": [TOOL], "tool_choice": {"type": "required"}}, "tool_choice: Input tag 'required'"),
        ({"tools": [TOOL], "tool_choice": {"type": "tool"}}, "tool_choice.tool.name: Field required"),
        ({"system": [{"type": "image"}]}, "system.0."),
        ({"stop_sequences": "END"}, "stop_sequences: Input should be a valid list"),
    ],
)
async def test_a_field(ask: Ask, fields: dict[str, Any], message: str) -> None:
    assert message_of(await ask(**fields)).startswith(message)


@pytest.mark.parametrize("body", [b"", b"{", b'{"model": NaN}', b"[1]", b'"text"', b"\xff"])
async def test_a_body_that_is_no_json_object(http: httpx.AsyncClient, body: bytes) -> None:
    assert "request body" in message_of(await http.post("/v1/messages", content=body))


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", brotli.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
    ],
)
async def test_a_compressed_body(http: httpx.AsyncClient, coding: str, pack: Any) -> None:
    body = {"model": MODEL, "max_tokens": 9, "messages": [{"role": "user", "content": "sim:text hi"}]}
    packed = pack(json.dumps(body).encode())
    answer = await http.post("/v1/messages", content=packed, headers={"content-encoding": coding})
    assert answer.json()["content"][0]["text"] == "hi"


@pytest.mark.parametrize(
    ("coding", "body", "status", "code"),
    [
        ("compress", b"x", 400, "request_body_encoding_unsupported"),
        ("gzip", b"not gzip", 400, "request_body_encoding_invalid"),
        ("gzip", gzip.compress(bytes(33 << 20)), 413, "request_body_too_large_after_decoding"),
    ],
)
async def test_a_compressed_body_that_cannot_be_read(
    http: httpx.AsyncClient, coding: str, body: bytes, status: int, code: str
) -> None:
    answer = await http.post("/v1/messages", content=body, headers={"content-encoding": coding})
    assert (answer.status_code, answer.json()["error"]["details"]["error_code"]) == (status, code)


async def test_a_body_above_32_mb(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/messages", content=b" " * ((32 << 20) + 1))
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "request_too_large")


@pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21"])
async def test_what_claude_code_sends_is_accepted(ask: Ask, version: str) -> None:
    """The shapes of Claude Code 2.1.330 towards its own provider, with an OAuth token's cache marks."""
    flags = (
        "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,"
        "prompt-caching-scope-2026-01-05,per-turn-control-2026-07-01,extended-cache-ttl-2025-04-11,"
        "mid-conversation-tool-changes-2026-07-01,thinking-token-count-2026-05-13,effort-2025-11-24,"
        "advanced-tool-use-2025-11-20,thinking-display-updates-2026-08-18"
    )
    mark = {"type": "ephemeral", "ttl": "1h"}
    answer = await ask(
        betas=flags,
        version=version,
        path="/v1/messages?beta=true",
        model="claude-opus-5-5",
        max_tokens=128_000,
        stream=True,
        thinking={"type": "adaptive", "display": "updates"},
        output_config={"effort": "high"},
        context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        metadata={"user_id": '{"device_id":"a","account_uuid":"","session_id":"b"}'},
        diagnostics={"previous_message_id": None},
        safeguards={"anything": ["at", "all"]},
        system=[
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.330; cc_entrypoint=cli;"},
            {"type": "text", "text": "You are an agent.", "cache_control": {**mark, "scope": "global"}},
            {"type": "text", "text": "More.", "cache_control": mark},
        ],
        tools=[
            {**TOOL, "name": "Bash", "description": "runs"},
            {**TOOL, "name": "DeferredToolPlaceholder", "defer_loading": True, "eager_input_streaming": True},
        ],
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "<system-reminder>x</system-reminder>"}]},
            {
                "role": "system",
                "content": [{"type": "text", "text": "Today is Sunday.", "cache_control": mark}],
                "output_config": {"effort": "low"},
            },
        ],
    )
    assert answer.status_code == 200, answer.text


async def test_what_older_claude_code_sends_is_accepted(ask: Ask) -> None:
    """The shapes of Claude Code 1.0.128."""
    answer = await ask(
        [{"type": "text", "text": "hello", "cache_control": {"type": "ephemeral"}}],
        betas="claude-code-20250219,interleaved-thinking-2025-05-14,fine-grained-tool-streaming-2025-05-14",
        model="claude-sonnet-4-20250514",
        max_tokens=32_000,
        temperature=1,
        stream=True,
        system=[{"type": "text", "text": "You are.", "cache_control": {"type": "ephemeral"}}],
        metadata={"user_id": "user_aa_account__session_bb"},
        tools=[{**TOOL, "input_schema": {"type": "object", "$schema": "x", "additionalProperties": False}}],
    )
    assert answer.status_code == 200, answer.text


async def test_every_kind_of_content_and_tool_is_accepted(ask: Ask) -> None:
    png = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    search = {
        "type": "search_result",
        "source": "s",
        "title": "t",
        "content": [{"type": "text", "text": "x"}],
    }
    results = [{"type": "text", "text": "4"}, {"type": "image", "source": png}, search]
    results.append({"type": "tool_reference", "tool_name": "add"})
    calls: list[dict[str, Any]] = [
        {"type": "text", "text": "Let me see.", "citations": None},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
        {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1}, "caller": {"type": "direct"}},
        {"type": "tool_use", "id": "toolu_2", "name": "add", "input": {}},
    ]
    answer = await ask(
        model="claude-opus-4-8",
        container="container_1",
        stop_sequences=["END"],
        service_tier="auto",
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": png},
                    {"type": "image", "source": {"type": "url", "url": "https://example.com/x.png"}},
                    {"type": "document", "source": pdf, "title": "a", "citations": {"enabled": True}},
                    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}},
                    {"type": "document", "source": {"type": "content", "content": "x"}},
                    {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
                    search,
                    {"type": "container_upload", "file_id": "file_1"},
                ],
            },
            {"role": "assistant", "content": calls},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": results},
                    {"type": "tool_result", "tool_use_id": "toolu_2", "content": "", "is_error": True},
                    {"type": "text", "text": "and now?"},
                ],
            },
        ],
        tools=[
            {
                **TOOL,
                "type": "custom",
                "strict": False,
                "input_examples": [{"a": 1}],
                "allowed_callers": ["direct"],
            },
            {"type": "bash_20250124", "name": "bash"},
            {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool", "max_characters": 9},
            {"type": "memory_20250818", "name": "memory"},
            {"type": "web_search_20260318", "name": "web_search", "max_uses": 3, "allowed_domains": ["a.b"]},
            {"type": "web_fetch_20250910", "name": "web_fetch", "citations": {"enabled": True}},
            {"type": "code_execution_20250825", "name": "code_execution"},
            {"type": "tool_search_tool_regex", "name": "tool_search_tool_regex"},
            {"type": "computer_toolset_20260801"},
        ],
    )
    assert answer.status_code == 200, answer.text


async def test_the_headers_of_the_sdk_do_not_matter(http: httpx.AsyncClient) -> None:
    body = {"model": MODEL, "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    headers = {**HEADERS, "content-type": "text/plain", "x-stainless-lang": "js", "traceparent": "00-a-b-00"}
    assert (await http.post("/v1/messages", content=json.dumps(body), headers=headers)).status_code == 200
