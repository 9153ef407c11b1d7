from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion

from ccproxy.conversation.events import Failed, StopReason
from ccproxy.conversation.parts import Part, Reasoning, Refusal, Seal, Text, ToolCall
from ccproxy.conversation.reply import Collector, Reply, replay
from ccproxy.conversation.request import Tool
from ccproxy.conversation.usage import Usage
from ccproxy.formats.chat import decode_reply, encode_reply
from ccproxy.formats.chat.reasoning import detail
from ccproxy.formats.codec import AnswerTo, Names
from tests.formats.chat.judges import LOOK, asked, client, events_of, to, written

SEAL = Seal("anthropic", "c2ln")
USAGE = Usage(input=9, output=3, cache_read=4, cache_write=1, reasoning=2)
CALL = ToolCall("c1", "look", '{"at":"x"}')


def encoded(*parts: Part, stop: StopReason = "end", answer_to: AnswerTo | None = None, **fields: Any) -> Any:
    body = encode_reply(Reply("msg_1", "claude-x", parts, stop, USAGE, **fields), answer_to or to())
    ChatCompletion.model_validate(body)
    return body


def test_the_sdk_reads_an_answer() -> None:
    body = encoded(Reasoning("hm", SEAL), Text("Hel"), Text("lo"), CALL, stop="tool_calls")
    with client(msgspec.json.encode(body), "application/json") as sdk:
        completion = sdk.chat.completions.parse(
            model="m", messages=[{"role": "user", "content": "x"}], tools=[LOOK]
        )
    message = completion.choices[0].message
    assert (completion.id, completion.model, completion.created) == ("chatcmpl-ab12", "alias", 1_700_000_000)
    assert completion.choices[0].finish_reason == "tool_calls"
    assert message.content == "Hello"
    assert message.tool_calls
    assert message.tool_calls[0].function.parsed_arguments == {"at": "x"}
    extra = message.model_extra or {}
    assert (extra["reasoning_content"], extra["reasoning_details"]) == ("hm", [detail(SEAL, "hm", 0)])
    assert completion.usage
    assert completion.usage.total_tokens == 12


@pytest.mark.parametrize(
    ("parts", "content"),
    [((CALL,), None), ((), ""), ((Text("a"), CALL, Text("b")), "ab"), ((Reasoning("hm"),), "")],
)
def test_content(parts: tuple[Part, ...], content: str | None) -> None:
    message = encoded(*parts)["choices"][0]["message"]
    assert message["content"] == content
    assert ("tool_calls" in message) == (CALL in parts)


def test_refusals() -> None:
    (choice,) = encoded(Refusal("I cannot."), stop="refusal")["choices"]
    assert choice["finish_reason"] == "content_filter"
    assert (choice["message"]["content"], choice["message"]["refusal"]) == (None, "I cannot.")
    (choice,) = encoded(stop="refusal", explanation="Because.")["choices"]
    assert (choice["message"]["content"], choice["message"]["refusal"]) == (None, "Because.")
    (choice,) = encoded(Text("I would rather not."), stop="refusal")["choices"]
    assert (choice["message"]["content"], choice["message"]["refusal"]) == ("I would rather not.", None)


def test_calls_of_other_kinds() -> None:
    message = encoded(ToolCall("c", "patch", "x", custom=True), ToolCall("d", "now", ""))["choices"][0][
        "message"
    ]
    assert message["tool_calls"] == [
        {"id": "c", "type": "custom", "custom": {"name": "patch", "input": "x"}},
        {"id": "d", "type": "function", "function": {"name": "now", "arguments": "{}"}},
    ]
    request = asked(wire="chat", tools=(Tool("look", path="functions.0"),))
    (choice,) = encoded(CALL, stop="tool_calls", answer_to=to(request=request))["choices"]
    assert choice["finish_reason"] == "function_call"
    assert choice["message"]["function_call"] == {"name": "look", "arguments": '{"at":"x"}'}


def test_reasoning_in_tags_and_switched_off() -> None:
    message = encoded(Reasoning("hm", SEAL), Text("a"), answer_to=to(reasoning="tags"))["choices"][0][
        "message"
    ]
    assert message == {"role": "assistant", "content": "<reasoning>hm</reasoning>\n\na", "refusal": None}
    message = encoded(Reasoning("hm", SEAL), Text("a"), answer_to=to(reasoning="off"))["choices"][0][
        "message"
    ]
    assert message == {"role": "assistant", "content": "a", "refusal": None}


def test_usage_that_nobody_gave_is_left_out() -> None:
    assert "usage" not in encode_reply(Reply("i", "m", (), "end"), to())
    assert encoded(stop="stop_sequence", stop_sequence="END")["choices"][0]["stop_sequence"] == "END"


def test_an_upstreams_answer() -> None:
    body = {
        "id": "chatcmpl-9",
        "object": "chat.completion",
        "model": "up",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {
                    "role": "assistant",
                    "reasoning_content": "hm",
                    "content": "ok",
                    "refusal": None,
                    "tool_calls": [
                        {"id": "a", "type": "function", "function": {"name": "short", "arguments": "{}"}},
                        {"id": "b", "type": "function", "function": {"name": "g", "arguments": '{"x": 1'}},
                    ],
                },
            }
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3},
    }
    assert decode_reply(body, Names({"short": "long"})) == Reply(
        "chatcmpl-9",
        "up",
        (Reasoning("hm"), Text("ok"), ToolCall("a", "long", "{}"), ToolCall("b", "g", '{"x": 1')),
        "tool_calls",
        Usage(input=9, output=3),
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"choices": []},
        {"choices": [None]},
        {"choices": "x"},
        {"error": {"message": "no"}},
        {"choices": [{"finish_reason": "insufficient_system_resource", "message": {"content": "a"}}]},
    ],
)
def test_what_is_no_answer(body: dict[str, Any]) -> None:
    assert isinstance(decode_reply(body, Names()), Failed)


@pytest.mark.parametrize("message", [None, 5, {"content": 5, "tool_calls": 5}, {"tool_calls": [None, {}]}])
def test_an_answer_of_wrong_types_is_an_empty_one(message: object) -> None:
    reply = decode_reply({"choices": [{"message": message, "finish_reason": "stop"}]}, Names())
    assert isinstance(reply, Reply)
    assert reply.parts == ()


TEXTS = st.text(min_size=1, max_size=8)
PARTS = st.lists(
    st.builds(Text, TEXTS)
    | st.builds(ToolCall, st.uuids().map(str), TEXTS, st.sampled_from(["{}", '{"a":1}', '{"a"']))
    | st.builds(ToolCall, st.uuids().map(str), TEXTS, TEXTS, st.just(True)),
    max_size=4,
    unique_by=lambda part: part.id if isinstance(part, ToolCall) else id(part),
)


@given(st.lists(st.builds(Reasoning, TEXTS, st.just(SEAL)), max_size=2), PARTS)
def test_case_07_stream_and_buffered_agree(thoughts: list[Reasoning], parts: list[Part]) -> None:
    reply = Reply("i", "m", (*thoughts, *parts), "end", USAGE)
    answer_to = to(include_usage=True)
    collector = Collector()
    for event in events_of(written(replay(reply), answer_to)):
        collector.take(event)
    buffered = decode_reply(encode_reply(reply, answer_to), Names())
    assert collector.reply
    assert isinstance(buffered, Reply)
    assert in_kinds(buffered) == in_kinds(collector.reply) == in_kinds(reply)
    assert buffered.stop == collector.reply.stop
    assert buffered.usage == collector.reply.usage == USAGE


def in_kinds(reply: Reply) -> tuple[list[Part], str, list[Part]]:
    """Chat Completions knows no order between reasoning, text and calls."""
    return (
        [part for part in reply.parts if isinstance(part, Reasoning)],
        "".join(part.text for part in reply.parts if isinstance(part, Text)),
        [part for part in reply.parts if isinstance(part, ToolCall)],
    )
