import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccproxy.conversation.events import (
    BlockEnded,
    BlockStarted,
    Delta,
    Event,
    Failed,
    Finished,
    Ping,
    Started,
    UsageSeen,
)
from ccproxy.conversation.parts import JsonObject, Reasoning, Refusal, Seal, Text, ToolCall
from ccproxy.conversation.reply import Collector, Reply
from ccproxy.conversation.usage import Usage
from ccproxy.formats.codec import Names
from ccproxy.formats.responses import stream_decoder
from ccproxy.formats.sse import Reader, ServerSentEvent
from tests.formats.responses.judges import STREAMS, assert_grammar, events_of, named, stream_of

CREATED = {"type": "response.created", "response": {"id": "resp_1", "model": "m"}}
COMPLETED = {"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": []}}
TYPES = (
    "response.created",
    "response.output_item.added",
    "response.output_item.done",
    "response.content_part.done",
    "response.output_text.delta",
    "response.output_text.done",
    "response.refusal.delta",
    "response.reasoning_summary_text.delta",
    "response.reasoning_text.delta",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.custom_tool_call_input.delta",
    "response.completed",
    "response.incomplete",
    "response.failed",
    "error",
    "keepalive",
    "nonsense",
)
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.integers(-1, 3),
    st.sampled_from(["", "x", "message", "reasoning", "function_call", "custom_tool_call", "output_text"]),
    st.lists(st.none() | st.fixed_dictionaries({"type": st.just("output_text"), "text": st.just("t")})),
)
ITEMS = st.dictionaries(
    st.sampled_from(
        ["id", "type", "name", "call_id", "content", "summary", "arguments", "input", "encrypted_content"]
    ),
    VALUES,
)
EVENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES)},
    optional={
        "item": ITEMS | VALUES,
        "response": st.dictionaries(
            st.sampled_from(["id", "model", "status", "output", "usage", "error"]),
            VALUES | ITEMS | st.lists(ITEMS),
        )
        | VALUES,
        "output_index": VALUES,
        "item_id": VALUES,
        "content_index": VALUES,
        "summary_index": VALUES,
        "delta": VALUES,
        "text": VALUES,
        "arguments": VALUES,
        "part": ITEMS,
        "error": ITEMS | VALUES,
        "status": VALUES,
    },
)


def golden(name: str, names: Names | None = None) -> list[Event]:
    return events_of((STREAMS[0].parent / f"{name}.sse").read_bytes(), names)


def reply_of(name: str) -> Reply:
    collector = Collector()
    for event in golden(name):
        collector.take(event)
    assert collector.reply
    return collector.reply


@pytest.mark.parametrize("path", named(STREAMS))
def test_every_stream_keeps_the_grammar(path: Path) -> None:
    events = events_of(path.read_bytes())
    assert_grammar(events)


@pytest.mark.parametrize("path", named(STREAMS))
def test_case_24_a_stream_cut_after_any_event_fails_once(path: Path) -> None:
    events = list(Reader().feed(path.read_bytes()))
    for count in range(len(events)):
        decoder = stream_decoder(Names())
        found = [found for event in events[:count] for found in decoder.feed(event)]
        found += decoder.end()
        assert_grammar(found)
        assert sum(isinstance(event, Finished | Failed) for event in found) == 1


@settings(max_examples=300)
@given(st.lists(EVENTS, max_size=8))
def test_whatever_comes_the_grammar_is_kept(events: list[JsonObject]) -> None:
    assert_grammar(events_of(stream_of(*events)))


@given(st.text(max_size=20), st.text(max_size=20))
def test_what_is_no_event_is_ignored(name: str, data: str) -> None:
    decoder = stream_decoder(Names())
    for kind in (name, "response.completed", "response.output_text.delta"):
        if not data.startswith("{"):
            assert list(decoder.feed(ServerSentEvent(kind, data))) == []


def test_a_text() -> None:
    assert golden("text") == [
        Started("resp_68f", "gpt-5.5-2026-09-30"),
        BlockStarted("text"),
        Delta("Hello"),
        Delta(", wor"),
        Delta("ld!"),
        BlockEnded(),
        UsageSeen(Usage(1200, 48, 1024, 0, 16)),
        Finished("end"),
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("text_codex_empty_output", "Hi"),
        ("text_only_in_item_done", "All at once"),
        ("text_only_in_completed", "Only at the end"),
        ("codex_events_mixed_in", "Hi"),
        ("crlf_lines", "Hi"),
        ("web_search_call", "News."),
    ],
)
def test_case_26_a_text_comes_once_wherever_it_stands(name: str, said: str) -> None:
    assert reply_of(name).parts == (Text(said),)


def test_reasoning() -> None:
    sealed = Reasoning("**Look**ing\n\nThen answer", Seal("openai", "gAAAAABfinal", id="rs_0"))
    assert reply_of("reasoning_summary_parts_then_text").parts == (sealed, Text("42"))
    assert reply_of("reasoning_nothing_to_keep").parts == (Text("42"),)


def test_case_01_interleaved_calls_come_one_after_the_other() -> None:
    assert reply_of("tool_calls_interleaved").parts == (
        ToolCall("call_0", "weather", '{"city":"Oslo"}'),
        ToolCall("call_1", "weather", '{"city":"Rome"}'),
    )


def test_case_03_a_call_in_one_chunk_has_its_arguments() -> None:
    for name in ("tool_call", "tool_call_in_one_chunk", "tool_call_only_in_item_done"):
        reply = reply_of(name)
        assert reply.parts == (ToolCall("call_0", "weather", '{"city":"Oslo"}'),)
        assert reply.stop == "tool_calls"


def test_case_05_a_call_without_arguments_has_no_delta() -> None:
    assert reply_of("tool_call_without_arguments").parts == (ToolCall("call_0", "now", "{}"),)
    assert not any(isinstance(event, Delta) for event in golden("tool_call_without_arguments"))


def test_a_custom_call() -> None:
    assert reply_of("custom_tool_call").parts == (
        ToolCall("call_c", "apply_patch", '*** Begin\n+"x"\n*** End', custom=True),
    )


def test_a_refusal() -> None:
    reply = reply_of("refusal")
    assert (reply.parts, reply.stop) == ((Refusal("I cannot help."),), "refusal")


def test_case_16_arguments_that_were_cut_are_kept_as_they_are() -> None:
    reply = reply_of("incomplete_in_a_tool_call")
    assert (reply.parts, reply.stop) == ((ToolCall("call_0", "weather", '{"city":"Os'),), "length")


def test_case_27_a_failure_right_at_the_start() -> None:
    *_, failed = golden("failed_rate_limit_at_once")
    assert isinstance(failed, Failed)
    assert (failed.status, failed.code, failed.retry_after) == (429, "rate_limit_exceeded", 11.054)


def test_a_failure_before_the_start_is_alone() -> None:
    assert golden("failed_without_created") == [Failed("api_error", "Boom", 500, "server_error")]
    (failed,) = golden("error_event_nested")
    assert isinstance(failed, Failed)
    assert (failed.status, failed.code, failed.retry_after) == (429, "usage_limit_reached", 3600)


def test_case_24_a_cut_stream_never_looks_finished() -> None:
    for name in ("cut_in_text", "cut_after_items", "cut_in_the_last_event", "cut_before_anything"):
        last = golden(name)[-1]
        assert isinstance(last, Failed)
        assert "ended early" in last.message
    assert isinstance(golden("cut_in_text")[-2], Delta)


def test_a_cancelled_answer_is_a_failure() -> None:
    events = events_of(
        stream_of(CREATED, {"type": "response.completed", "response": {"status": "cancelled", "output": []}})
    )
    assert isinstance(events[-1], Failed)


def test_servers_that_number_every_item_zero() -> None:
    assert reply_of("every_item_numbered_zero").parts == (Text("A"), Text("B"))


def test_usage_that_is_missing_is_not_made_up() -> None:
    assert reply_of("usage_missing").usage == Usage()
    assert reply_of("usage_partial").usage == Usage(7, 1)


def test_deltas_of_an_item_that_was_never_announced() -> None:
    delta = {"type": "response.output_text.delta", "output_index": 0, "delta": "Hi"}
    assert events_of(stream_of(CREATED, delta, COMPLETED))[1:4] == [
        BlockStarted("text"),
        Delta("Hi"),
        BlockEnded(),
    ]


def test_signs_of_life_while_the_provider_searches() -> None:
    assert sum(isinstance(event, Ping) for event in golden("web_search_call")) == 3


def test_the_type_in_the_data_counts() -> None:
    decoder = stream_decoder(Names())
    assert list(decoder.feed(ServerSentEvent("message", json.dumps(CREATED)))) == [Started("resp_1", "m")]
