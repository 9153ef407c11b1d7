"""What an answer says, in each format, whole or as a stream."""

import json
from typing import Any

import pytest

from ccproxy.conversation.parts import Wire
from ccproxy.records.answers import told


def stream(*events: Any) -> list[tuple[float, str]]:
    return [(0.1 * n, f"data: {json.dumps(event)}\n\n") for n, event in enumerate(events, 1)]


MESSAGE: dict[str, Any] = {
    "type": "message",
    "model": "m",
    "content": [
        {"type": "text", "text": "hello"},
        {"type": "tool_use", "id": "t", "name": "add", "input": {"a": 1}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 3, "output_tokens": 5},
}
CHAT: dict[str, Any] = {
    "object": "chat.completion",
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {
                "content": "hello",
                "tool_calls": [{"id": "t", "function": {"name": "add", "arguments": '{"a": 1}'}}],
            },
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 5},
}
RESPONSE: dict[str, Any] = {
    "object": "response",
    "status": "completed",
    "model": "m",
    "output": [
        {"type": "message", "content": [{"type": "output_text", "text": "hello"}]},
        {"type": "function_call", "name": "add", "arguments": '{"a": 1}'},
    ],
    "usage": {"input_tokens": 3, "output_tokens": 5},
}


@pytest.mark.parametrize(
    ("wire", "answer"), [("anthropic", MESSAGE), ("chat", CHAT), ("responses", RESPONSE)]
)
def test_a_whole_answer(wire: Wire, answer: dict[str, Any]) -> None:
    found = told(wire, 200, [(0.25, json.dumps(answer))])
    assert (found.model, found.text, found.tool_calls) == ("m", "hello", ['add {"a": 1}'])
    assert (found.tokens_input, found.tokens_output, found.cost_usd) == (3, 5, None)
    assert (found.first_byte, found.took, found.error) == (0.25, 0.25, None)
    assert found.stop_reason


def test_a_stream_and_its_times() -> None:
    found = told(
        "responses",
        200,
        stream(
            {"type": "response.created", "response": {"id": "r", "model": "m"}},
            {"type": "response.completed", "response": RESPONSE},
        ),
    )
    assert (found.text, found.first_byte, found.took) == ("hello", 0.1, 0.2)


def test_a_cost_that_the_upstream_says() -> None:
    usage = {**MESSAGE["usage"], "total_cost_usd": 0.0125}
    found = told("anthropic", 200, [(0.0, json.dumps({**MESSAGE, "usage": usage}))])
    assert dict(found.rows())["cost"] == "$0.0125"


def test_an_error_is_shown_as_the_answer() -> None:
    body = {"type": "error", "error": {"type": "not_found_error", "message": "no such model"}}
    rows = dict(told("anthropic", 404, [(0.0, json.dumps(body))]).rows())
    assert (rows["status"], rows["answer"], rows["ended"]) == ("404", "no such model", "-")


def test_nothing_at_all() -> None:
    found = told("chat", 200, [])
    assert (found.text, found.took, found.tool_calls) == ("", None, [])
