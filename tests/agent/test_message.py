"""The message that the events of an answer tell."""

from ccproxy.agent.message import Collector
from ccproxy.conversation.parts import JsonObject
from tests.agent.said import begun, collected

START: JsonObject = {
    "type": "message_start",
    "message": {**begun("m")["event"]["message"], "claude_code": {"session_id": "s"}},
}


def block(index: int, content: object, *deltas: object) -> list[JsonObject]:
    start: JsonObject = {"type": "content_block_start", "index": index, "content_block": content}
    middle: list[JsonObject] = [
        {"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas
    ]
    return [start, *middle, {"type": "content_block_stop", "index": index}]


def test_before_anything_is_said_it_is_a_message_without_content() -> None:
    message = Collector().message()
    assert (message["type"], message["role"], message["content"]) == ("message", "assistant", [])


def test_the_content_is_put_together() -> None:
    events = [
        START,
        *block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "Hm"},
            {"type": "thinking_delta", "thinking": "."},
            {"type": "signature_delta", "signature": "c2ln"},
        ),
        *block(1, {"type": "text", "text": ""}, {"type": "text_delta", "text": "A"}),
        *block(
            2,
            {"type": "tool_use", "id": "c", "name": "f", "input": {}},
            {"type": "input_json_delta", "partial_json": '{"a"'},
            {"type": "input_json_delta", "partial_json": ":1}"},
        ),
        *block(3, {"type": "tool_use", "id": "d", "name": "f", "input": {}}),
        *block(4, {"type": "mcp_tool_use", "id": "e", "name": "Bash", "server_name": "s", "input": {"b": 2}}),
    ]
    assert collected(events)["content"] == [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "text", "text": "A"},
        {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "id": "d", "name": "f", "input": {}},
        {"type": "mcp_tool_use", "id": "e", "name": "Bash", "server_name": "s", "input": {"b": 2}},
    ]


def test_the_end_says_why_how_much_and_what_else() -> None:
    end = {
        "type": "message_delta",
        "delta": {"stop_reason": "refusal", "stop_sequence": None, "stop_details": {"type": "refusal"}},
        "usage": {"output_tokens": 9, "total_cost_usd": 0.5},
        "claude_code": {"num_turns": 2},
    }
    message = collected([START, end, {"type": "message_stop"}])
    assert message["stop_reason"] == "refusal"
    assert message["stop_details"] == {"type": "refusal"}
    assert message["usage"]["input_tokens"] == 3
    assert message["usage"]["output_tokens"] == 9
    assert message["usage"]["total_cost_usd"] == 0.5
    assert message["claude_code"] == {"num_turns": 2}
    assert message["type"] == "message"


def test_half_an_answer_is_half_a_message() -> None:
    start, delta, _ = block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hal"})
    message = collected([START, start, delta])
    assert message["content"] == [{"type": "text", "text": "Hal"}]
    assert message["stop_reason"] is None


def test_the_events_stay_as_they_were() -> None:
    events = [START, *block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "A"})]
    assert collected(events) == collected(events)
    assert START["message"]["content"] == []
