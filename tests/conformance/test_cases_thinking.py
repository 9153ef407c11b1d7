"""Cases 13 to 19: thinking goes back to the provider whose it is, unchanged, and to nobody else."""

import base64
import json
from typing import Any

import httpx
import pytest

from ccproxy.conversation.parts import JsonObject, Seal, Wire
from ccproxy.conversation.reply import Reply
from ccproxy.formats.carrier import pack
from ccproxy.reasoning import ReasoningStore
from tests.conformance import samples
from tests.conformance.translating import (
    CLAUDE,
    GPT,
    asking,
    message_end,
    message_of,
    message_start,
    sent,
    sse,
    thinking_block,
    told,
    tool,
    translated,
    use_block,
    whole,
)
from tests.support.processes import Proxy, Simulator

SIGNED = {"type": "thinking", "thinking": "Hmm.", "signature": "c2lnbmVk"}
RESULT = {"role": "tool", "tool_call_id": "call_a", "content": "rain"}
QUESTION = {"role": "user", "content": "Weather?"}
USE = {"type": "tool_use", "id": "call_a", "name": "weather", "input": {"city": "Köln"}}


def test_case_13_thinking_survives_a_chat_client() -> None:
    """A client that sends back the whole message gives Claude its signed thinking in front of the call."""
    message = whole(asking("chat", "anthropic"), samples.THOUGHT["anthropic"])["choices"][0]["message"]
    body = {"messages": [QUESTION, message, RESULT], "tools": [tool("chat")]}
    assert sent(body, "chat", "anthropic")["messages"][1]["content"] == [SIGNED, USE]


def test_case_13_thinking_of_a_chat_client_that_drops_it() -> None:
    """A client that keeps only the standard fields gets it back from what the proxy remembers."""
    translation = asking("chat", "anthropic")
    reply = translation.collect(samples.THOUGHT["anthropic"])
    assert isinstance(reply, Reply)
    store = ReasoningStore()
    store.remember(reply)
    message = json.loads(translation.encode(reply))["choices"][0]["message"]
    plain = {"role": "assistant", "content": None, "tool_calls": message["tool_calls"]}
    body = {"messages": [QUESTION, plain, RESULT], "tools": [tool("chat")]}
    restored = store.restore(translated(body, "chat", "anthropic").to.request)
    assert [type(part).__name__ for part in restored.turns[1].parts] == ["Reasoning", "ToolCall"]


def test_case_14_not_a_byte_of_the_same_format_changes(served: Proxy, simulator: Simulator) -> None:
    """Signed thinking is bound to its bytes: escapes, spaces and the order of keys arrive as they were."""
    body = (
        b'{"model":"claude-opus-4-8", "max_tokens":2000,"thinking":{"type":"adaptive"},\n "messages":['
        b'{"content":"caf\\u00e9 \\/ 1.0","role":"user"},\t{"role":"assistant","content":[{"type":"text",'
        b'"text":"\\ud83d\\ude00 \xc3\xa9"}]},{"role":"user","content":[{"text":"go on","type":"text"}]}]}\n'
    )
    simulator.clear()
    headers = {"anthropic-version": "2023-06-01", "content-type": "application/json"}
    httpx.post(f"{served.url}/api/v1/messages", content=body, headers=headers).raise_for_status()
    [entry] = simulator.requests()
    assert entry["body_json"] == json.loads(body)
    assert base64.b64decode(str(entry["body"])) == body


def test_case_15_a_thinking_block_is_never_moved_or_edited() -> None:
    """Through a Responses client every block comes back: same text, same signature, same place."""
    raw = sse(
        message_start(),
        *thinking_block(0, "One.", "c2lnMQ=="),
        *use_block(1, "call_a", "weather"),
        *thinking_block(2, "Zwei ä.", "c2lnMg=="),
        *use_block(3, "call_b", "weather"),
        *message_end("tool_use"),
    )
    answer = whole(asking("responses", "anthropic"), raw)
    history: list[Any] = [QUESTION, *answer["output"]]
    history += [
        {"type": "function_call_output", "call_id": call_id, "output": "rain"}
        for call_id in ("call_a", "call_b")
    ]
    written = sent({"input": history, "tools": [tool("responses")]}, "responses", "anthropic")
    assert written["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "One.", "signature": "c2lnMQ=="},
        {"type": "tool_use", "id": "call_a", "name": "weather", "input": {}},
        {"type": "thinking", "thinking": "Zwei ä.", "signature": "c2lnMg=="},
        {"type": "tool_use", "id": "call_b", "name": "weather", "input": {}},
    ]


FOREIGN = [
    pytest.param(pack(Seal("openai", "ZW5j", id="rs_1"), ""), id="sealed by OpenAI"),
    pytest.param("cc1a.this-is-broken", id="spoilt"),
    pytest.param("", id="without a signature"),
]


@pytest.mark.parametrize("signature", FOREIGN)
def test_case_16_a_foreign_signature_never_reaches_claude(signature: str) -> None:
    """After a change of the route Claude gets its own thinking only; the rest of the turn stays."""
    details = [{"type": "ccproxy.reasoning", "format": "openai", "data": signature, "index": 0}]
    call = {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    message = {"role": "assistant", "tool_calls": [call], "reasoning_details": details}
    body = {"messages": [QUESTION, message, RESULT], "tools": [tool("chat")]}
    kinds = [block["type"] for block in sent(body, "chat", "anthropic")["messages"][1]["content"]]
    assert kinds == ["tool_use"]


def test_case_16_our_own_signature_is_kept() -> None:
    """What came from Claude through this proxy is Claude's own again."""
    item = {
        "type": "reasoning",
        "summary": [],
        "encrypted_content": pack(Seal("anthropic", "c2lnbmVk"), "Hmm."),
    }
    call = {"type": "function_call", "call_id": "call_a", "name": "weather", "arguments": '{"city":"Köln"}'}
    result = {"type": "function_call_output", "call_id": "call_a", "output": "rain"}
    body = {"input": [QUESTION, item, call, result], "tools": [tool("responses")]}
    assert sent(body, "responses", "anthropic")["messages"][1]["content"] == [SIGNED, USE]


def test_case_17_replayed_reasoning_items_are_as_openai_wants_them() -> None:
    """An item has its summary and encrypted content, no plain content and no id, and nothing is stored."""
    events = told(asking("anthropic", "responses", stream=True), samples.THOUGHT["responses"])
    message = message_of(events)
    messages = [
        QUESTION,
        {"role": "assistant", "content": message["content"]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_a", "content": "rain"}]},
    ]
    body = sent({"messages": messages, "tools": [tool("anthropic")]}, "anthropic", "responses", GPT)
    assert body["store"] is False
    assert body["include"] == ["reasoning.encrypted_content"]
    assert body["input"][1] == {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "Hmm."}],
        "encrypted_content": "ZW5j",
    }
    assert [item["type"] for item in body["input"][2:]] == ["function_call", "function_call_output"]


def test_case_18_claudes_seal_and_a_status_never_reach_openai() -> None:
    """After a change of the model reasoning of the other provider is left out, and so is `status`."""
    thought = {**SIGNED}
    foreign = {**SIGNED, "signature": pack(Seal("openai", "ZW5j", id="rs_1"), "")}
    for block, expected in ((thought, 0), (foreign, 1)):
        messages = [
            QUESTION,
            {"role": "assistant", "content": [block, USE]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_a", "content": "x"}]},
        ]
        body = sent({"messages": messages, "tools": [tool("anthropic")]}, "anthropic", "responses", GPT)
        kinds = [item["type"] for item in body["input"]]
        assert kinds.count("reasoning") == expected
        assert not any("status" in item for item in body["input"])


@pytest.mark.parametrize("followed", [True, False])
def test_case_19_reasoning_stays_with_what_it_led_to(followed: bool) -> None:
    """OpenAI takes reasoning only in front of its item: without one both are gone."""
    sealed = {**SIGNED, "signature": pack(Seal("openai", "ZW5j", id="rs_1"), "")}
    said = [{"type": "text", "text": "Rain."}] if followed else []
    messages = [
        QUESTION,
        {"role": "assistant", "content": [sealed, *said]},
        {"role": "user", "content": "Thanks."},
    ]
    body = sent({"messages": messages}, "anthropic", "responses", GPT)
    kinds = [(item["type"], item.get("role")) for item in body["input"]]
    middle = [("reasoning", None), ("message", "assistant")] if followed else []
    assert kinds == [("message", "user"), *middle, ("message", "user")]


def test_case_19_thinking_is_never_the_last_thing_of_a_turn_for_claude() -> None:
    """An interrupted turn that is nothing but thinking is left out."""
    item = {
        "type": "reasoning",
        "summary": [],
        "encrypted_content": pack(Seal("anthropic", "c2lnbmVk"), "Hmm."),
    }
    body = {"input": [QUESTION, item, {"role": "user", "content": "Well?"}]}
    written = sent(body, "responses", "anthropic", CLAUDE)
    assert [message["role"] for message in written["messages"]] == ["user"]
    assert [block["type"] for block in written["messages"][0]["content"]] == ["text", "text"]


@pytest.mark.parametrize("client", ["chat", "responses"])
def test_case_18_encrypted_content_of_nobody_we_know(client: Wire) -> None:
    """A Responses client's own OpenAI reasoning is of no use to Claude and does not go there."""
    if client == "responses":
        item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "ZW5j"}
        body: JsonObject = {"input": [QUESTION, item, {"role": "assistant", "content": "Rain."}, QUESTION]}
    else:
        said = {"role": "assistant", "content": "Rain.", "reasoning_content": "Hmm."}
        body = {"messages": [QUESTION, said, QUESTION]}
    text = json.dumps(sent(body, client, "anthropic"))
    assert "thinking" not in text
    assert "ZW5j" not in text
    assert "Rain." in text
