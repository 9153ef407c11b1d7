"""Cases 20 to 22: prompt caches. What a provider has seen once it must see again, byte for byte."""

import base64
import itertools
import json
from typing import Any

import httpx
import pytest

from ccproxy.conversation.parts import JsonObject, Wire
from tests.conformance.translating import CLAUDE, GPT, PAIRS, sent, tool
from tests.conftest import Proxies
from tests.support.processes import Proxy, Simulator

HEADERS = {"anthropic-version": "2023-06-01", "content-type": "application/json"}
MARK = {"cache_control": {"type": "ephemeral"}}


def test_case_20_markers_of_the_same_format_are_the_clients(served: Proxy, simulator: Simulator) -> None:
    """We add no marker to a request that has its four, so Claude takes it; a fifth is Claude's to refuse."""
    body: JsonObject = {
        "model": CLAUDE,
        "max_tokens": 100,
        "tools": [{**tool("anthropic"), **MARK}],
        "system": [{"type": "text", "text": "Be kind.", **MARK}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": text, **MARK} for text in ("a", "b")]}
        ],
    }
    simulator.clear()
    answer = httpx.post(f"{served.url}/api/v1/messages", json=body, headers=HEADERS)
    assert answer.status_code == 200
    assert simulator.requests()[0]["body_json"] == body
    body["messages"][0]["content"].append({"type": "text", "text": "c", **MARK})
    refused = httpx.post(f"{served.url}/api/v1/messages", json=body, headers=HEADERS)
    assert refused.status_code == 400
    assert "cache_control" in refused.json()["error"]["message"]
    assert simulator.requests()[1]["body_json"] == body


@pytest.mark.parametrize("client", ["chat", "responses"])
def test_case_20_translated_requests_have_four_markers_at_most(client: Wire) -> None:
    """However long the history and many the tools."""
    turns = [{"role": role, "content": f"{i}"} for i in range(30) for role in ("user", "assistant")]
    turns.append({"role": "user", "content": "?"})
    body: JsonObject = {
        "input" if client == "responses" else "messages": [{"role": "system", "content": "Be kind."}, *turns],
        "tools": [tool(client, f"tool_{i}") for i in range(20)],
    }
    assert json.dumps(sent(body, client, "anthropic")).count('"cache_control"') <= 4


def history(client: Wire, turns: int) -> JsonObject:
    """A conversation of so many tool loops; a longer one begins like a shorter one."""
    tools = [tool(client, "mcp__" + "n" * 80), tool(client), tool(client, "clock")]
    system = {"role": "system", "content": "Be kind."}
    messages: list[Any] = []
    for turn in range(turns):
        messages += _loop(client, f"call:{turn}", turn)
    messages.append({"role": "user", "content": "And now?"})
    match client:
        case "anthropic":
            return {"system": "Be kind.", "messages": messages, "tools": tools}
        case "chat":
            return {"messages": [system, *messages], "tools": tools}
        case "responses":
            return {"instructions": "Be kind.", "input": messages, "tools": tools}


def _loop(client: Wire, call_id: str, turn: int) -> list[JsonObject]:
    name, arguments = "mcp__" + "n" * 80, {"b": turn, "a": "é"}
    asked = {"role": "user", "content": f"Question {turn}"}
    match client:
        case "anthropic":
            use = {"type": "tool_use", "id": call_id, "name": name, "input": arguments}
            result = {"type": "tool_result", "tool_use_id": call_id, "content": "rain"}
            return [
                asked,
                {"role": "assistant", "content": [use]},
                {"role": "user", "content": [result]},
                {"role": "assistant", "content": "Rain."},
            ]
        case "chat":
            function = {"name": name, "arguments": json.dumps(arguments)}
            call = {"id": call_id, "type": "function", "function": function}
            return [
                asked,
                {"role": "assistant", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": call_id, "content": "rain"},
                {"role": "assistant", "content": "Rain."},
            ]
        case "responses":
            return [
                asked,
                {
                    "type": "function_call",
                    "call_id": call_id,
                    "name": name,
                    "arguments": json.dumps(arguments),
                },
                {"type": "function_call_output", "call_id": call_id, "output": "rain"},
                {"role": "assistant", "content": "Rain."},
            ]


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_case_21_the_next_turn_begins_like_the_last(client: Wire, upstream: Wire) -> None:
    """Tools, system text and everything said so far are the same bytes when the history has grown."""
    bodies = [sent(history(client, turns), client, upstream) for turns in (1, 2, 3)]
    key = "input" if upstream == "responses" else "messages"
    assert sent(history(client, 3), client, upstream) == bodies[2]
    for before, after in itertools.pairwise(bodies):
        first, second = before.pop(key), after[key]
        # the last message is the new question
        assert json.dumps(second)[: len(json.dumps(first[:-1])) - 1] == json.dumps(first[:-1])[:-1]
        assert json.dumps(before) == json.dumps({name: after[name] for name in after if name != key})


def test_case_21_the_clients_cache_key_goes_along() -> None:
    """Between the OpenAI formats `prompt_cache_key` is kept; Claude has none, and the client is told."""
    body = {"messages": [{"role": "user", "content": "x"}], "prompt_cache_key": "session-1"}
    assert sent(body, "chat", "responses", GPT)["prompt_cache_key"] == "session-1"
    assert "prompt_cache_key" not in sent(body, "chat", "anthropic")


def test_case_22_the_system_array_stays_in_its_order(proxies: Proxies, simulator: Simulator) -> None:
    """Even where we change the model: the client's own first block stays first, unchanged."""
    rules = json.dumps([{"match": "my-model", "target": CLAUDE}])
    proxy = proxies.get("serve", {"MODELS__RULES": rules})
    system = [
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=1"},
        {"type": "text", "text": "You are kind.", **MARK},
        {"type": "text", "text": "Be brief."},
    ]
    body: JsonObject = {
        "model": "my-model",
        "max_tokens": 100,
        "system": system,
        "messages": [{"role": "user", "content": "x"}],
    }
    simulator.clear()
    httpx.post(f"{proxy.url}/api/v1/messages", json=body, headers=HEADERS).raise_for_status()
    [entry] = simulator.requests()
    written = json.loads(base64.b64decode(str(entry["body"])))
    assert written == {**body, "model": CLAUDE}
    assert list(written) == list(body)
