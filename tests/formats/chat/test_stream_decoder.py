from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccproxy.conversation.events import BlockStarted, Delta, Event, Failed, Finished, Started, UsageSeen
from ccproxy.conversation.parts import Reasoning, Refusal, Seal, Text, ToolCall
from ccproxy.conversation.reply import Collector, Reply
from ccproxy.conversation.usage import Usage
from ccproxy.formats.chat import stream_decoder
from ccproxy.formats.chat.reasoning import detail
from ccproxy.formats.codec import Names
from ccproxy.formats.sse import Reader, ServerSentEvent
from tests.formats.chat.judges import call, check_grammar, chunk, events_of, sse

USAGE = {"prompt_tokens": 9, "completion_tokens": 3}


def collected(events: list[Event]) -> Reply | Failed:
    collector = Collector()
    for event in events:
        collector.take(event)
    result = collector.reply or collector.failure
    assert result
    return result


def reply_of(stream: bytes, names: Names | None = None) -> Reply:
    reply = collected(events_of(stream, names))
    assert isinstance(reply, Reply)
    return reply


def failure_of(stream: bytes) -> Failed:
    failed = collected(events_of(stream))
    assert isinstance(failed, Failed)
    return failed


def test_a_text() -> None:
    stream = sse(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Hel"}, obfuscation="x"),
        chunk({"content": "lo"}),
        chunk({}, "stop"),
        {"id": "chatcmpl-9", "choices": [], "usage": USAGE},
    )
    assert events_of(stream)[:4] == [
        Started("chatcmpl-9", "up"),
        BlockStarted("text"),
        Delta("Hel"),
        Delta("lo"),
    ]
    assert reply_of(stream) == Reply("chatcmpl-9", "up", (Text("Hello"),), "end", Usage(input=9, output=3))


def test_each_chunk_is_an_event_at_once() -> None:
    decoder = stream_decoder(Names())
    (one,) = Reader().feed(sse(chunk({"content": "a"}), done=False))
    assert list(decoder.feed(one)) == [Started("chatcmpl-9", "up"), BlockStarted("text"), Delta("a")]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning(name: str) -> None:
    stream = sse(chunk({name: "hm"}), chunk({name: "m"}), chunk({"content": "ok"}), chunk({}, "stop"))
    assert reply_of(stream).parts == (Reasoning("hmm"), Text("ok"))


def test_case_13_sealed_reasoning() -> None:
    seals = Seal("anthropic", "c2ln"), Seal("anthropic", "cmVk", redacted=True)
    stream = sse(
        chunk({"reasoning_content": "hm"}),
        chunk({"reasoning_details": [detail(seals[0], "hm", 0)]}),
        chunk({"reasoning_details": [detail(seals[1], "", 1)]}),
        chunk({"reasoning_content": "more"}),
        chunk({}, "stop"),
    )
    assert reply_of(stream).parts == (Reasoning("hm", seals[0]), Reasoning("", seals[1]), Reasoning("more"))


def test_the_last_piece_of_reasoning_may_come_with_its_seal() -> None:
    seal = Seal("anthropic", "c2ln")
    both = {"reasoning_content": "m", "reasoning_details": [detail(seal, "hmm", 0)]}
    stream = sse(chunk({"reasoning_content": "hm"}), chunk(both), chunk({}, "stop"))
    assert reply_of(stream).parts == (Reasoning("hmm", seal),)


def test_case_03_a_whole_call_in_one_chunk() -> None:
    stream = sse(chunk(call(0, "a", "f", '{"x":1}')), chunk({}, "tool_calls"))
    assert [event for event in events_of(stream) if isinstance(event, Delta)] == [Delta('{"x":1}')]


def test_case_01_interleaved_calls() -> None:
    stream = sse(
        chunk({"content": "I look."}),
        chunk(call(0, "a", "f")),
        chunk(call(1, "b", "g")),
        chunk(call(0, arguments='{"x"')),
        chunk(call(1, arguments='{"y"')),
        chunk(call(0, arguments=":1}")),
        chunk(call(1, arguments=":2}")),
        chunk({}, "tool_calls"),
    )
    reply = reply_of(stream)
    assert reply.parts == (Text("I look."), ToolCall("a", "f", '{"x":1}'), ToolCall("b", "g", '{"y":2}'))
    assert reply.stop == "tool_calls"


def test_forms_that_other_servers_use() -> None:
    stream = sse(
        chunk(call(None, "a", "f", {"x": "ü"})),
        chunk({"content": [{"type": "text", "text": "ok"}]}),
        chunk(
            {
                "tool_calls": [
                    {"index": 3, "id": "c", "type": "custom", "custom": {"name": "p", "input": "in"}}
                ]
            }
        ),
        chunk({"tool_calls": [{"index": 3, "custom": {"input": "put"}}]}, "stop"),
    )
    reply = reply_of(stream)
    assert reply.parts == (
        ToolCall("a", "f", '{"x":"ü"}'),
        Text("ok"),
        ToolCall("c", "p", "input", custom=True),
    )
    assert reply.stop == "tool_calls"


def test_the_deprecated_function_call() -> None:
    stream = sse(
        chunk({"function_call": {"name": "f", "arguments": ""}}),
        chunk({"function_call": {"arguments": "{}"}}),
        chunk({}, "function_call"),
    )
    (part,) = reply_of(stream).parts
    assert isinstance(part, ToolCall)
    assert (part.name, part.arguments) == ("f", "{}")
    assert part.id


def test_a_custom_tool_that_went_as_a_function() -> None:
    stream = sse(chunk(call(0, "a", "short", '{"input":"x y"}')), chunk({}, "tool_calls"))
    names = Names({"short": "long"}, frozenset({"long"}))
    assert reply_of(stream, names).parts == (ToolCall("a", "long", "x y", custom=True),)


def test_a_refusal() -> None:
    stream = sse(chunk({"refusal": "I "}), chunk({"refusal": "cannot."}), chunk({}, "stop"))
    reply = reply_of(stream)
    assert (reply.parts, reply.stop) == ((Refusal("I cannot."),), "refusal")


def test_only_the_first_choice_counts() -> None:
    other = {"index": 1, "delta": {"content": "no"}, "finish_reason": "length"}
    stream = sse(chunk({"content": "yes"}), chunk(choices=[other]), chunk({}, "stop"))
    reply = reply_of(stream)
    assert (reply.parts, reply.stop) == ((Text("yes"),), "end")


def test_chunks_that_say_nothing() -> None:
    stream = sse(
        {"id": "", "choices": [], "prompt_filter_results": []}, chunk({"content": "a"}), chunk({}, "stop")
    )
    assert events_of(stream)[0] == Started("chatcmpl-9", "up")


def test_an_empty_answer() -> None:
    assert events_of(sse(chunk({}, "stop"))) == [Started("chatcmpl-9", "up"), Finished("end")]


@pytest.mark.parametrize("done", [True, False])
def test_case_24_a_reason_or_done_is_an_end(done: bool) -> None:
    assert reply_of(sse(chunk({"content": "a"}), chunk({}, "length"), done=done)).stop == "length"


def test_case_24_done_alone_is_an_end() -> None:
    assert reply_of(sse(chunk({"content": "a"}))).stop == "end"


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"data: [DONE]\n\n",
        sse(chunk({"content": "a"}), done=False),
        sse(chunk(call(0, "a", "f", "{")), chunk(call(1, "b", "g", "{")), done=False),
        sse({"choices": [], "usage": USAGE}, done=False),
    ],
)
def test_case_24_a_stream_that_broke_off_is_an_error(stream: bytes) -> None:
    assert failure_of(stream) == Failed("api_error", "The upstream stream ended early.")


def test_what_waits_is_not_sent_when_the_stream_broke_off() -> None:
    events = events_of(sse(chunk(call(0, "a", "f", "{")), chunk(call(1, "b", "g", "{}")), done=False))
    assert [event.id for event in events if isinstance(event, BlockStarted)] == ["a"]
    assert isinstance(events[-2], Delta), "a call that was cut short must not look whole"


@pytest.mark.parametrize("before", [(), (chunk({"content": "a"}),)])
def test_an_error_in_the_stream(before: tuple[Any, ...]) -> None:
    error = {"error": {"message": "busy", "type": "server_error", "code": "server_is_overloaded"}}
    failed = failure_of(sse(*before, error, chunk({"content": "late"})))
    assert failed == Failed("overloaded_error", "busy", 529, "server_is_overloaded")


def test_an_error_by_the_name_of_its_event() -> None:
    assert failure_of(b'event: error\ndata: {"message": "no"}\n\n').message == "no"
    assert failure_of(b"event: error\ndata: {}\n\n").type == "api_error"


def test_case_43_an_unknown_reason_is_no_regular_end() -> None:
    failed = failure_of(sse(chunk({"content": "a"}), chunk({}, "insufficient_system_resource")))
    assert "insufficient_system_resource" in failed.message


@pytest.mark.parametrize("data", ["{", "[]", "5", "null", "hello", "{" * 100_000])
def test_what_is_no_chunk_is_an_error(data: str) -> None:
    assert failure_of(f"data: {data}\n\n".encode()).type == "api_error"


def test_nothing_comes_after_the_end() -> None:
    decoder = stream_decoder(Names())
    for one in Reader().feed(sse(chunk({"content": "a"}, "stop"))):
        decoder.feed(one)
    assert list(decoder.feed(ServerSentEvent("", "{}"))) == list(decoder.end()) == []


def test_usage_before_and_after() -> None:
    stream = sse(
        chunk({"content": "a"}, usage=USAGE), chunk({}, "stop", usage=None), chunk(choices=[], usage={})
    )
    seen = [event.usage for event in events_of(stream) if isinstance(event, UsageSeen)]
    assert seen == [Usage(input=9, output=3), Usage()]


def test_half_a_surrogate_pair_can_be_written() -> None:
    stream = b'data: {"choices": [{"delta": {"content": "a\\ud83d"}, "finish_reason": "stop"}]}\n\n'
    assert msgspec.json.encode(reply_of(stream).parts[0])


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from(["", "a", "stop", "{", "{}"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            [
                "index", "id", "function", "custom", "name", "arguments", "input", "tool_calls", "content",
                "reasoning", "reasoning_details", "type", "text", "refusal", "function_call", "usage",
            ]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.tuples(JUNK, JUNK, JUNK, st.booleans()), max_size=5), st.booleans())
def test_whatever_comes_in_the_grammar_holds(pieces: list[tuple[Any, Any, Any, bool]], done: bool) -> None:
    chunks = [
        {"id": junk, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}] if whole else delta}
        for delta, finish, junk, whole in pieces
    ]
    check_grammar(events_of(sse(*chunks, done=done)))


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(['{"a":', "1", "}", "", "{}"]), st.booleans()),
        max_size=12,
    )
)
def test_no_piece_of_a_call_is_lost_or_moved(pieces: list[tuple[int, str, bool]]) -> None:
    expected: dict[int, str] = {}
    chunks = []
    for index, arguments, _ in pieces:
        # a call is over once its arguments are whole, which these pieces can be too early
        if expected.get(index, "").endswith("}"):
            continue
        chunks.append(chunk(call(index, f"c{index}", f"f{index}", arguments)))
        expected[index] = expected.get(index, "") + arguments
    if not chunks:
        return
    reply = reply_of(sse(*chunks, chunk({}, "tool_calls")))
    assert {part.id: part.arguments for part in reply.parts if isinstance(part, ToolCall)} == {
        f"c{index}": arguments or "{}" for index, arguments in expected.items()
    }
