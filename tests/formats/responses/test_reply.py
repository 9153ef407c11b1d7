import json
from pathlib import Path
from typing import Any

import pytest

from ccproxy.conversation.events import Failed
from ccproxy.conversation.parts import Part, Reasoning, Refusal, Seal, Text, ToolCall
from ccproxy.conversation.reply import Collector, Reply, replay
from ccproxy.conversation.usage import Usage
from ccproxy.formats.codec import Names
from ccproxy.formats.responses import decode_reply, encode_reply
from tests.formats.responses.judges import STREAMS, client_of, data_of, events_of, named, to, written

REPLY = Reply(
    "msg_1",
    "claude",
    (
        Reasoning("hm", Seal("anthropic", "sig")),
        Text("a"),
        Text("b"),
        ToolCall("toolu_1", "look", '{"ü":1}'),
        ToolCall("toolu_2", "patch", "***", custom=True),
    ),
    "tool_calls",
    Usage(10, 5, 3, 2, 1),
)


def test_the_sdk_reads_a_reply() -> None:
    body = json.dumps(encode_reply(REPLY, to())).encode()
    with client_of(body, "application/json") as client:
        response = client.responses.create(model="m", input="x")
    assert (response.status, response.model, response.output_text) == ("completed", "gpt-alias", "ab")
    assert [item.type for item in response.output] == [
        "reasoning",
        "message",
        "function_call",
        "custom_tool_call",
    ]


def test_case_07_stream_and_buffered_agree() -> None:
    assert encode_reply(REPLY, to()) == data_of(written(replay(REPLY)))[-1]["response"]


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (Text("a"),),
        (Refusal("no"),),
        (Reasoning("hm"), Text("a")),
        (Reasoning("hm", Seal("openai", "e", id="rs_ab12_0")), ToolCall("a", "look", "{}")),
    ],
)
def test_a_reply_reads_as_it_was_written(parts: tuple[Part, ...]) -> None:
    stop: Any = "end"
    if isinstance(parts[-1:], tuple) and parts and isinstance(parts[-1], ToolCall):
        stop = "tool_calls"
    if parts and isinstance(parts[-1], Refusal):
        stop = "refusal"
    reply = Reply("resp_ab12", "gpt-alias", parts, stop, Usage(1, 2, 0, 0, 0))
    assert decode_reply(encode_reply(reply, to()), Names()) == reply


@pytest.mark.parametrize("path", named(STREAMS))
def test_case_07_a_whole_response_reads_as_its_stream(path: Path) -> None:
    """The last event's response, where it holds the whole output, is what a buffered answer would be."""
    last = next(
        (
            json.loads(line.removeprefix("data: "))
            for line in path.read_text().split("\n")
            if line.startswith(('data: {"type":"response.completed"', 'data: {"type":"response.incomplete"'))
            and line.rstrip().endswith("}")
        ),
        None,
    )
    if last is None or not last["response"]["output"]:
        return
    collector = Collector()
    for event in events_of(path.read_bytes()):
        collector.take(event)
    assert decode_reply(last["response"], Names()) == collector.reply


def test_names_come_back() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "short", "arguments": '{"input":"x"}'}
    body = {"id": "r", "model": "m", "status": "completed", "output": [call]}
    reply = decode_reply(body, Names({"short": "patch"}, frozenset({"patch"})))
    assert isinstance(reply, Reply)
    assert reply.parts == (ToolCall("c", "patch", "x", custom=True),)


def test_a_failed_response() -> None:
    body = {"status": "failed", "output": [], "error": {"code": "rate_limit_exceeded", "message": "m"}}
    assert decode_reply(body, Names()) == Failed("rate_limit_error", "m", 429, "rate_limit_exceeded")
    assert isinstance(decode_reply({"status": "cancelled", "output": []}, Names()), Failed)


@pytest.mark.parametrize(
    "body", [{}, {"status": "queued", "output": []}, {"output": "x"}, {"object": "list"}]
)
def test_what_is_no_finished_response_is_a_failure(body: dict[str, Any]) -> None:
    failed = decode_reply(body, Names())
    assert isinstance(failed, Failed)
    assert failed.type == "api_error"


def test_broken_items_are_passed_over() -> None:
    body = {"status": "completed", "output": [None, 3, {"type": 5}, {"type": "message", "content": "x"}]}
    reply = decode_reply(body, Names())
    assert isinstance(reply, Reply)
    assert reply.parts == ()
