"""The two forms of an answer: the stream keeps its grammar, and collected it is the message."""

import json
from typing import Any

import pytest

from tests.simulator.anthropic.asking import Ask, events_of

MODEL = "claude-opus-5-5"
TOOLS = [
    {
        "name": "add",
        "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
    },
    {"name": "now", "input_schema": {"type": "object"}},
]
PROMPTS = [
    "hello",
    "sim:text hi",
    "sim:tool add",
    "sim:tool now",
    'sim:tool add {"a": 123456789012345678901234567890, "b": "\\u00fc\\ud83c\\udf89", "c": [1.5, null]}',
    "sim:tools 3",
    "sim:thinking",
    "sim:thinking tool add",
    "sim:long 100",
    "sim:unicode",
    "sim:empty",
    "sim:stop max_tokens",
    "sim:stop refusal",
    "sim:stop pause_turn",
    "sim:stop stop_sequence",
]
DELTAS = {
    "text": {"text_delta"},
    "tool_use": {"input_json_delta"},
    "server_tool_use": {"input_json_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
}


def collect(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The message that a client puts together, with every rule of the grammar checked on the way."""
    names = [event["type"] for event in events]
    assert names[0] == "message_start"
    assert names[-2:] == ["message_delta", "message_stop"]
    message: dict[str, Any] = events[0]["message"]
    assert message["content"] == []
    assert message["stop_reason"] is None
    open_block: dict[str, Any] | None = None
    partial = ""
    for event in events[1:-2]:
        match event["type"]:
            case "ping":
                continue
            case "content_block_start":
                assert open_block is None
                assert event["index"] == len(message["content"])
                open_block = event["content_block"]
                partial = ""
            case "content_block_delta":
                assert open_block is not None
                assert event["index"] == len(message["content"])
                delta = event["delta"]
                assert delta["type"] in DELTAS[open_block["type"]]
                assert not open_block.get("signature"), "nothing follows the signature"
                if delta["type"] == "input_json_delta":
                    partial += delta["partial_json"]
                else:
                    key = delta["type"].removesuffix("_delta")
                    open_block[key] += delta[key]
            case "content_block_stop":
                assert open_block is not None
                if open_block["type"].endswith("tool_use"):
                    assert open_block["input"] == {}
                    open_block["input"] = json.loads(partial or "{}")
                message["content"].append(open_block)
                open_block = None
            case other:
                raise AssertionError(other)
    assert open_block is None
    message.update(events[-2]["delta"])
    message["usage"].update(events[-2]["usage"])
    return message


def comparable(message: dict[str, Any]) -> dict[str, Any]:
    """Without ids, which differ between two answers, and without what a stream does not carry."""
    content = [
        {**block, "id": None, "input": block.get("input"), "citations": None} for block in message["content"]
    ]
    return {**message, "id": None, "content": content}


@pytest.mark.parametrize("prompt", PROMPTS)
async def test_streamed_is_what_buffered_is(ask: Ask, prompt: str) -> None:
    fields = {"model": MODEL, "tools": TOOLS, "thinking": {"type": "adaptive"}}
    plain = await ask(prompt, **fields)
    assert plain.headers["content-type"] == "application/json"
    streamed = await ask(prompt, stream=True, **fields)
    assert comparable(collect(events_of(streamed))) == comparable(plain.json())


async def test_streaming_is_visible(ask: Ask) -> None:
    events = events_of(await ask("sim:long 50", stream=True))
    deltas = [event for event in events if event["type"] == "content_block_delta"]
    assert len(deltas) > 10
    names = [event["type"] for event in events]
    assert names[:3] == ["message_start", "content_block_start", "ping"]


@pytest.mark.parametrize(
    ("reason", "details"),
    [
        ("refusal", {"type": "refusal", "category": None, "explanation": None}),
        ("max_tokens", None),
        ("pause_turn", None),
    ],
)
async def test_a_stop_reason(ask: Ask, reason: str, details: Any) -> None:
    answer = (await ask(f"sim:stop {reason}")).json()
    assert (answer["stop_reason"], answer["stop_details"]) == (reason, details)


async def test_a_stop_sequence(ask: Ask) -> None:
    answer = (await ask("sim:text one END two", stop_sequences=["END"])).json()
    assert (answer["stop_reason"], answer["stop_sequence"]) == ("stop_sequence", "END")
    assert answer["content"][0]["text"] == "one "


async def test_a_paused_turn_can_be_continued(ask: Ask) -> None:
    paused = (await ask("sim:stop pause_turn")).json()
    assert paused["content"][-1]["type"] == "server_tool_use"
    messages = [
        {"role": "user", "content": "sim:stop pause_turn"},
        {"role": "assistant", "content": paused["content"]},
    ]
    answer = (await ask(messages=messages)).json()
    assert answer["stop_reason"] == "end_turn"


@pytest.mark.parametrize("stream", [False, True])
async def test_omitted_thoughts_leave_only_a_signature(ask: Ask, stream: bool) -> None:
    thinking = {"type": "adaptive", "display": "omitted"}
    answer = await ask("sim:thinking", model=MODEL, thinking=thinking, stream=stream)
    message = collect(events_of(answer)) if stream else answer.json()
    thought = message["content"][0]
    assert thought["thinking"] == ""
    assert len(thought["signature"]) > 40
    assert message["usage"]["output_tokens_details"]["thinking_tokens"] > 0


async def test_thinking_tokens_are_estimated_on_request(ask: Ask) -> None:
    fields = {"model": MODEL, "thinking": {"type": "adaptive"}, "stream": True}
    for flags in (None, "thinking-token-count-2026-05-13"):
        events = events_of(await ask("sim:thinking", betas=flags, **fields))
        deltas = [e["delta"] for e in events if e.get("delta", {}).get("type") == "thinking_delta"]
        assert deltas
        assert all(("estimated_tokens" in delta) == bool(flags) for delta in deltas)


@pytest.mark.parametrize("stream", [False, True])
async def test_context_management_is_reported(ask: Ask, stream: bool) -> None:
    edits = {"edits": [{"type": "clear_tool_uses_20250919"}]}
    answer = await ask(betas="context-management-2025-06-27", context_management=edits, stream=stream)
    report = events_of(answer)[-2] if stream else answer.json()
    assert report["context_management"] == {"applied_edits": []}


async def test_the_first_usage_has_the_whole_input(ask: Ask) -> None:
    events = events_of(await ask("sim:long 100", stream=True))
    first, last = events[0]["message"]["usage"], events[-2]["usage"]
    assert first["input_tokens"] == last["input_tokens"] > 0
    assert first["output_tokens"] == 1 < last["output_tokens"]
