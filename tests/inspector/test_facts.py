"""What filters learn from bodies."""

import json
from typing import Any

import pytest

from ccproxy.inspector.facts import Facts, answer_facts, frame_facts, request_facts
from tests.inspector.golden_cases import HERE

ANSWERS: list[tuple[dict[str, Any], Facts]] = [
    (
        {
            "type": "message",
            "model": "m",
            "content": [{"type": "text", "text": "x"}]
            + [{"type": kind, "name": kind[0]} for kind in ("tool_use", "server_tool_use", "mcp_tool_use")],
            "usage": {"input_tokens": 2, "cache_read_input_tokens": 100, "output_tokens": 3},
        },
        Facts(("m",), ("t", "s", "m"), 105),
    ),
    (
        {
            "object": "chat.completion",
            "choices": [
                {
                    "message": {
                        "tool_calls": [{"function": {"name": "f"}}, {"custom": {"name": "c"}}],
                        "function_call": {"name": "old"},
                    }
                }
            ],
        },
        Facts((), ("f", "c", "old")),
    ),
    (
        {
            "object": "response",
            "output": [
                {"type": "function_call", "name": "f"},
                {"type": "custom_tool_call", "name": "apply_patch"},
                {"type": "web_search_call"},
                {"type": "message"},
            ],
        },
        Facts((), ("f", "apply_patch", "web_search")),
    ),
    ({"type": "error", "error": {"message": "x"}}, Facts()),
]


@pytest.mark.parametrize(("answer", "expected"), ANSWERS)
def test_an_answer(answer: dict[str, Any], expected: Facts) -> None:
    assert answer_facts("", json.dumps(answer).encode()) == expected


@pytest.mark.parametrize("wire", ["anthropic", "chat", "responses"])
def test_a_stream_says_what_a_whole_answer_says(wire: str) -> None:
    facts = answer_facts("", (HERE / wire / "stream.sse").read_bytes())
    assert facts.models
    assert facts.tools or wire == "responses"
    assert facts.tokens


def test_offered_tools_are_not_called() -> None:
    body = {"model": "m", "tools": [{"name": "Bash"}], "messages": []}
    assert request_facts(json.dumps(body).encode()) == Facts(("m",))
    for nothing in (b"", b"[]", b'{"model": 1}', b"\xff"):
        assert request_facts(nothing) == answer_facts("/v1/messages", nothing) == Facts()


def test_frames() -> None:
    assert frame_facts(b'{"type":"response.create","model":"m"}') == Facts(("m",))
    item = {"type": "response.output_item.done", "item": {"type": "function_call", "name": "f"}}
    assert frame_facts(json.dumps(item).encode()) == Facts((), ("f",))
    done = {
        "type": "response.completed",
        "response": {"model": "m", "usage": {"input_tokens": 1, "output_tokens": 2}},
    }
    assert frame_facts(json.dumps(done).encode()) == Facts(("m",), (), 3)
    assert frame_facts(b"no json") == frame_facts(b'{"type":"response.output_text.delta"}') == Facts()
    assert sum([Facts(("a",)), Facts((), ("t",), 1)], Facts()) == Facts(("a",), ("t",), 1)
