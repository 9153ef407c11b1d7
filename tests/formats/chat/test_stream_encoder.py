import openai
import pytest

from ccproxy.conversation.events import (
    BlockEnded,
    BlockStarted,
    Delta,
    Event,
    Failed,
    Finished,
    Ping,
    Sealed,
    Started,
    UsageSeen,
)
from ccproxy.conversation.parts import Seal
from ccproxy.conversation.request import Params, Tool
from ccproxy.conversation.usage import Usage
from ccproxy.formats.chat.reasoning import detail
from tests.formats.chat.judges import LOOK, asked, chunks_of, read_by_sdk, to, written

SEAL = Seal("anthropic", "c2ln")
START = Started("msg_1", "claude-x")
END = BlockEnded()
THOUGHT: list[Event] = [BlockStarted("reasoning"), Delta("hm"), Delta("m"), Sealed(SEAL), END]
TEXT: list[Event] = [BlockStarted("text"), Delta("Hel"), Delta("lo"), END]
CALL: list[Event] = [BlockStarted("tool_call", "c1", "look"), Delta('{"at":'), Delta('"x"}'), END]
USED = UsageSeen(Usage(input=9, output=3, cache_read=4))


def test_the_sdk_reads_a_whole_stream() -> None:
    stream = written(
        [START, *THOUGHT, *TEXT, *CALL, *CALL, USED, Finished("tool_calls")], to(include_usage=True)
    )
    completion = read_by_sdk(stream, [LOOK])
    (choice,) = completion.choices
    assert (completion.id, completion.model, completion.created) == ("chatcmpl-ab12", "alias", 1_700_000_000)
    assert (choice.finish_reason, choice.message.content, choice.message.role) == (
        "tool_calls",
        "Hello",
        "assistant",
    )
    assert [call.function.parsed_arguments for call in choice.message.tool_calls] == [{"at": "x"}] * 2
    assert choice.message.reasoning_content == "hmm"
    assert choice.message.reasoning_details == [detail(SEAL, "hmm", 0)]
    assert completion.usage.prompt_tokens == 9
    assert completion.usage.prompt_tokens_details.cached_tokens == 4


def test_the_shape_of_the_stream() -> None:
    stream = written([START, *TEXT, Finished("end")])
    assert stream.endswith(b"data: [DONE]\n\n")
    chunks = chunks_of(stream)
    assert [chunk["choices"][0]["delta"] for chunk in chunks] == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "Hel"},
        {"content": "lo"},
        {},
    ]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, None, "stop"]
    assert not any("usage" in chunk for chunk in chunks)


def test_case_30_usage_is_for_who_asked() -> None:
    *before, last = chunks_of(written([START, USED, *TEXT, Finished("end")], to(include_usage=True)))
    assert all(chunk["usage"] is None for chunk in before)
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == 12
    chunks = chunks_of(written([START, *TEXT, Finished("end")], to(include_usage=True)))
    assert chunks[-1]["choices"]


def test_case_02_the_index_counts_calls_alone() -> None:
    deltas = [
        chunk["choices"][0]["delta"]["tool_calls"][0]
        for chunk in chunks_of(written([START, *THOUGHT, *TEXT, *CALL, *CALL, Finished("tool_calls")]))
        if "tool_calls" in chunk["choices"][0]["delta"]
    ]
    assert [delta["index"] for delta in deltas] == [0, 0, 0, 1, 1, 1]
    assert deltas[0] == {
        "index": 0,
        "id": "c1",
        "type": "function",
        "function": {"name": "look", "arguments": ""},
    }
    assert deltas[1] == {"index": 0, "function": {"arguments": '{"at":'}}


def test_case_05_a_call_without_arguments_is_an_empty_object() -> None:
    stream = written([START, BlockStarted("tool_call", "c1", "look"), END, Finished("tool_calls")])
    (call,) = read_by_sdk(stream).choices[0].message.tool_calls
    assert call.function.arguments == "{}"


def test_a_custom_call() -> None:
    block = BlockStarted("tool_call", "c", "patch", custom=True)
    events: list[Event] = [START, block, Delta("a"), Delta("b"), END, Finished("tool_calls")]
    deltas = [chunk["choices"][0]["delta"].get("tool_calls") for chunk in chunks_of(written(events))]
    assert deltas[1:4] == [
        [{"index": 0, "id": "c", "type": "custom", "custom": {"name": "patch", "input": ""}}],
        [{"index": 0, "custom": {"input": "a"}}],
        [{"index": 0, "custom": {"input": "b"}}],
    ]


def test_the_deprecated_function_call() -> None:
    request = asked(wire="chat", tools=(Tool("look", path="functions.0"),), params=Params(stream=True))
    stream = written([START, *CALL, *CALL, Finished("tool_calls")], to(request=request))
    (choice,) = read_by_sdk(stream).choices
    assert choice.finish_reason == "function_call"
    assert (choice.message.function_call.name, choice.message.function_call.arguments) == (
        "look",
        '{"at":"x"}',
    )


def test_reasoning_in_tags() -> None:
    stream = written([START, *THOUGHT, *TEXT, Finished("end")], to(reasoning="tags"))
    message = read_by_sdk(stream).choices[0].message
    assert message.content == "<reasoning>hmm</reasoning>\n\nHello"
    assert not hasattr(message, "reasoning_details")


def test_reasoning_switched_off() -> None:
    stream = written([START, *THOUGHT, *TEXT, Finished("end")], to(reasoning="off"))
    assert b"reasoning" not in stream
    assert b"hm" not in stream


def test_redacted_reasoning_has_a_carrier_alone() -> None:
    seal = Seal("anthropic", "cmVk", redacted=True)
    events: list[Event] = [START, BlockStarted("reasoning"), Sealed(seal), END, *TEXT, Finished("end")]
    message = read_by_sdk(written(events)).choices[0].message
    assert message.reasoning_details == [detail(seal, "", 0)]
    assert not hasattr(message, "reasoning_content")
    assert b"<reasoning>" not in written(events, to(reasoning="tags"))


def test_a_refusal() -> None:
    events: list[Event] = [START, BlockStarted("refusal"), Delta("I cannot."), END, Finished("refusal")]
    *_, said, last = chunks_of(written(events))
    assert said["choices"][0]["delta"] == {"refusal": "I cannot."}
    assert last["choices"][0]["finish_reason"] == "content_filter"
    with pytest.raises(openai.ContentFilterFinishReasonError):
        read_by_sdk(written(events))


def test_a_refusal_without_words() -> None:
    *_, said, last = chunks_of(written([START, Finished("refusal", explanation="Because.")]))
    assert said["choices"][0]["delta"] == {"refusal": "Because."}
    assert last["choices"][0]["finish_reason"] == "content_filter"


def test_the_stop_sequence() -> None:
    *_, last = chunks_of(written([START, *TEXT, Finished("stop_sequence", "END")]))
    assert (last["choices"][0]["finish_reason"], last["choices"][0]["stop_sequence"]) == ("stop", "END")


def test_a_ping_is_a_comment() -> None:
    assert written([Ping()]) == b": ping\n\n"
    assert (
        read_by_sdk(written([START, Ping(), *TEXT, Ping(), Finished("end")])).choices[0].message.content
        == "Hello"
    )


def test_the_sdk_raises_an_error_in_the_stream() -> None:
    stream = written([START, *TEXT, Failed("overloaded_error", "busy", 529)])
    assert b"[DONE]" not in stream
    with pytest.raises(openai.APIError) as caught:
        read_by_sdk(stream)
    assert caught.value.message == "busy"
    assert caught.value.code == "server_is_overloaded"
