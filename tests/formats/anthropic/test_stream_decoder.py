import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from ccproxy.conversation.parts import JsonObject, Seal
from ccproxy.conversation.usage import Usage
from ccproxy.formats.anthropic import stream_decoder
from ccproxy.formats.codec import Names
from ccproxy.formats.sse import ServerSentEvent
from tests.formats.anthropic.judges import events_of
from tests.formats.anthropic.streams import (
    PING,
    START,
    STOP,
    assert_grammar,
    delta,
    end,
    fragment,
    sse,
    start,
    stop,
    text,
    tool,
)

EARLY = Failed("api_error", "The upstream's stream ended early.")


def decoded(*events: JsonObject) -> list[Event]:
    found = events_of(sse(*events))
    assert_grammar(found)
    return found


def blocks(*events: JsonObject) -> list[Event]:
    """Without what begins and what ends the stream, and without usage."""
    return [event for event in decoded(START, *events, end(), STOP)[1:-1] if not isinstance(event, UsageSeen)]


def test_a_whole_stream() -> None:
    usage = {"output_tokens": 14, "output_tokens_details": {"thinking_tokens": 3}}
    assert decoded(START, PING, start(0), text(0, "Hi"), stop(0), end("end_turn", usage), STOP) == [
        Started("msg_1", "claude-x"),
        UsageSeen(Usage(9, 1)),
        Ping(),
        BlockStarted("text"),
        Delta("Hi"),
        BlockEnded(),
        UsageSeen(Usage(9, 14, reasoning=3)),
        Finished("end"),
    ]


def test_each_event_is_said_at_once() -> None:
    decoder = stream_decoder(Names())
    events = [START, start(0), text(0, "Hi"), stop(0)]
    said = [list(decoder.feed(ServerSentEvent(event["type"], json.dumps(event)))) for event in events]
    assert said[1:] == [[BlockStarted("text")], [Delta("Hi")], [BlockEnded()]]


def test_thinking_then_a_call() -> None:
    assert blocks(
        start(0, "thinking", thinking="", signature=""),
        delta(0, "thinking_delta", thinking="Hm."),
        delta(0, "signature_delta", signature="sig"),
        stop(0),
        tool(1),
        fragment(1, ""),
        fragment(1, '{"a":1}'),
        stop(1),
    ) == [
        BlockStarted("reasoning"),
        Delta("Hm."),
        Sealed(Seal("anthropic", "sig")),
        BlockEnded(),
        BlockStarted("tool_call", "toolu_1", "add"),
        Delta('{"a":1}'),
        BlockEnded(),
    ]


def test_what_servers_did_is_passed_over_and_what_follows_is_not() -> None:
    assert blocks(
        start(0, "server_tool_use", id="s", name="web_search", input={}),
        fragment(0, '{"query":"x"}'),
        stop(0),
        start(1, "web_search_tool_result", tool_use_id="s", content=[]),
        stop(1),
        start(2),
        delta(2, "citations_delta", citation={"type": "web_search_result_location"}),
        text(2, "Rain."),
        stop(2),
    ) == [BlockStarted("text"), Delta("Rain."), BlockEnded()]


def test_case_1_interleaved_blocks_come_one_after_the_other() -> None:
    assert blocks(
        tool(0),
        tool(1),
        fragment(1, '{"b":'),
        fragment(0, '{"a":'),
        fragment(1, "2}"),
        stop(1),
        fragment(0, "1}"),
        stop(0),
    ) == [
        BlockStarted("tool_call", "toolu_0", "add"),
        Delta('{"a":'),
        Delta("1}"),
        BlockEnded(),
        BlockStarted("tool_call", "toolu_1", "add"),
        Delta('{"b":'),
        Delta("2}"),
        BlockEnded(),
    ]


@pytest.mark.parametrize(
    ("ending", "finished"),
    [
        (end("max_tokens"), Finished("length")),
        (end("tool_use"), Finished("end")),
        (end("stop_sequence", stop_sequence="END"), Finished("stop_sequence", "END")),
        (end("refusal", stop_details={"explanation": "No."}), Finished("refusal", None, "No.")),
        (end("pause_turn"), Finished("pause")),
        (end("model_context_window_exceeded"), Finished("context")),
        (end(None), Finished("end")),
        ({"type": "message_delta"}, Finished("end")),
    ],
)
def test_how_it_ends(ending: JsonObject, finished: Finished) -> None:
    assert decoded(START, ending, STOP)[-1] == finished


def test_a_call_is_the_reason_even_when_the_upstream_gives_another() -> None:
    assert decoded(START, tool(0), stop(0), end(), STOP)[-1] == Finished("tool_calls")


def test_case_43_an_end_that_nobody_knows_is_a_failure() -> None:
    failure = decoded(START, end("tired"), STOP)[-1]
    assert isinstance(failure, Failed)
    assert "tired" in failure.message


def test_usage_is_cumulative_and_what_comes_later_replaces() -> None:
    first = {**START, "message": {"usage": {"input_tokens": 10, "cache_read_input_tokens": 900}}}
    last = end("end_turn", {"input_tokens": 12, "cache_creation_input_tokens": 90, "output_tokens": 5})
    seen = [
        event.usage for event in decoded(first, end("end_turn"), last, STOP) if isinstance(event, UsageSeen)
    ]
    assert seen == [Usage(910, None, 900), Usage(910, None, 900), Usage(1002, 5, 900, 90)]


def test_an_error_ends_the_stream() -> None:
    busy = {"type": "error", "error": {"type": "overloaded_error", "message": "Busy."}}
    failure = Failed("overloaded_error", "Busy.", 529)
    assert decoded(busy) == [failure]
    assert decoded(START, start(0), text(0, "Hi"), busy, text(0, "!"), STOP)[-2:] == [Delta("Hi"), failure]


@pytest.mark.parametrize("events", [(), (START,), (START, start(0), text(0, "Hi")), (START, end())])
def test_case_24_a_stream_that_is_cut_is_an_error(events: tuple[JsonObject, ...]) -> None:
    assert decoded(*events)[-1] == EARLY


def test_nothing_comes_after_the_end() -> None:
    whole = [START, end(), STOP]
    assert decoded(*whole, *whole, {"type": "error"}, PING) == decoded(*whole)


def test_a_missing_start_is_made_good() -> None:
    assert decoded(start(0), text(0, "Hi"), stop(0), STOP) == [
        Started("", ""),
        BlockStarted("text"),
        Delta("Hi"),
        BlockEnded(),
        Finished("end"),
    ]
    assert decoded(PING, STOP) == [Started("", ""), Finished("end")]


def test_missing_starts_and_stops_of_blocks_are_made_good() -> None:
    assert blocks(text(0, "Hi"), start(1, "thinking"), delta(1, "thinking_delta", thinking="Hm.")) == [
        BlockStarted("text"),
        Delta("Hi"),
        BlockEnded(),
        BlockStarted("reasoning"),
        Delta("Hm."),
        BlockEnded(),
    ]
    assert blocks(stop(0), stop(7), start(0), start(0), text(0, "Hi"), stop(0), text(0, "late"), stop(0)) == [
        BlockStarted("text"),
        Delta("Hi"),
        BlockEnded(),
    ]


@pytest.mark.parametrize("data", ["", "{", "null", "[]", "3", '"x"', "[" * 9999, "{}", '{"type": 3}'])
def test_what_is_no_event_is_passed_over(data: str) -> None:
    decoder = stream_decoder(Names())
    assert list(decoder.feed(ServerSentEvent("", data))) == []
    assert list(decoder.end()) == [EARLY]


KINDS = [
    *("message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta"),
    *("message_stop", "ping", "error", "text", "thinking", "tool_use", "redacted_thinking", "text_delta"),
    *("thinking_delta", "signature_delta", "input_json_delta", "server_tool_use", "custom"),
]
VALUE = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "x", "patch", *KINDS])
SHALLOW = st.dictionaries(
    st.sampled_from(
        [
            *(
                "type",
                "text",
                "thinking",
                "signature",
                "partial_json",
                "data",
                "id",
                "name",
                "input",
                "message",
            ),
            *("stop_reason", "stop_sequence", "input_tokens", "output_tokens", "model", "usage"),
        ]
    ),
    VALUE,
)
EVENT = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS[:8])},
    optional={
        "index": st.integers(0, 3) | VALUE,
        "content_block": SHALLOW | VALUE,
        "delta": SHALLOW | VALUE,
        "message": SHALLOW | VALUE,
        "usage": SHALLOW | VALUE,
        "error": SHALLOW | VALUE,
    },
)


@given(st.lists(EVENT, max_size=25))
def test_whatever_comes_in_the_grammar_is_kept(events: list[JsonObject]) -> None:
    names = Names(custom=frozenset({"patch"}))
    assert_grammar(events_of(sse(*events), names))
