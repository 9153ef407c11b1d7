from collections.abc import Sequence
from pathlib import Path

import openai
import pytest
from pydantic import BaseModel

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
    StopReason,
    UsageSeen,
)
from ccproxy.conversation.parts import Seal
from ccproxy.conversation.usage import Usage
from ccproxy.formats.responses import decode_request, stream_encoder
from tests.formats.responses.judges import (
    STREAMS,
    client_of,
    data_of,
    events_of,
    named,
    read_by_sdk,
    to,
    written,
)

START = Started("msg_1", "claude")
USAGE = UsageSeen(Usage(10, 5, 3, 2, 1))


def block(start: BlockStarted, *texts: str) -> list[Event]:
    return [start, *map(Delta, texts), BlockEnded()]


def text(*texts: str) -> list[Event]:
    return block(BlockStarted("text"), *texts)


WHOLE: list[Event] = [
    START,
    BlockStarted("reasoning"),
    Delta("hm"),
    Sealed(Seal("anthropic", "sig")),
    BlockEnded(),
    *text("Hel", "lo"),
    *text("again"),
    *block(BlockStarted("tool_call", "toolu_1", "look"), '{"a"', ":1}"),
    *block(BlockStarted("tool_call", "toolu_2", "now")),
    USAGE,
    Finished("tool_calls"),
]


def test_the_sdk_reads_a_whole_answer() -> None:
    response = read_by_sdk(written(WHOLE))
    assert (response.status, response.model, response.id) == ("completed", "gpt-alias", "resp_ab12")
    assert [item.type for item in response.output] == [
        "reasoning",
        "message",
        "function_call",
        "function_call",
    ]
    assert response.output_text == "Helloagain"
    assert [item.call_id for item in response.output if item.type == "function_call"] == [
        "toolu_1",
        "toolu_2",
    ]
    assert [item.arguments for item in response.output if item.type == "function_call"] == ['{"a":1}', "{}"]
    assert response.usage
    assert response.usage.input_tokens == 10
    assert response.usage.input_tokens_details.cached_tokens == 3
    assert response.usage.total_tokens == 15


def test_every_event_has_its_number_and_its_place() -> None:
    values = data_of(written(WHOLE))
    assert [value["type"] for value in values[:2]] == ["response.created", "response.in_progress"]
    assert values[-1]["type"] == "response.completed"
    added = [value for value in values if value["type"] == "response.output_item.added"]
    done = [value for value in values if value["type"] == "response.output_item.done"]
    assert [value["output_index"] for value in added] == [0, 1, 2, 3]
    assert [value["item"]["id"] for value in added] == [value["item"]["id"] for value in done]
    assert [value["item"] for value in done] == values[-1]["response"]["output"]
    assert len({value["item"]["id"] for value in added}) == 4


def test_texts_in_a_row_are_parts_of_one_message() -> None:
    last = data_of(
        written([START, *text("a"), *text("b"), *block(BlockStarted("refusal"), "no"), Finished("end")])
    )
    (message,) = last[-1]["response"]["output"]
    assert [part["type"] for part in message["content"]] == ["output_text", "output_text", "refusal"]


def test_a_client_that_keeps_tools_in_namespaces_gets_them_back() -> None:
    space = {"type": "namespace", "name": "functions", "tools": [{"type": "custom", "name": "exec"}]}
    items = [
        {"type": "additional_tools", "role": "developer", "tools": [space]},
        {"role": "user", "content": "hi"},
    ]
    request = decode_request({"model": "m", "input": items}).request
    call = block(BlockStarted("tool_call", "toolu_1", "functions__exec", True), "text(1)")
    (item,) = read_by_sdk(written([START, *call, Finished("tool_calls")], to(request))).output
    assert item.type == "custom_tool_call"
    assert (item.namespace, item.name, item.input) == ("functions", "exec", "text(1)")


def test_a_parsed_answer() -> None:
    class Answer(BaseModel):
        n: int

    stream = written([START, *text('{"n":', "7}"), Finished("end")])
    with (
        client_of(stream) as client,
        client.responses.stream(model="m", input="x", text_format=Answer) as helper,
    ):
        assert helper.get_final_response().output_parsed == Answer(n=7)


@pytest.mark.parametrize(
    ("stop", "status", "reason"),
    [
        ("end", "completed", None),
        ("stop_sequence", "completed", None),
        ("pause", "completed", None),
        ("compaction", "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("context", "incomplete", "max_output_tokens"),
        ("refusal", "incomplete", "content_filter"),
    ],
)
def test_how_it_ended(stop: StopReason, status: str, reason: str | None) -> None:
    last = data_of(written([START, *text("a"), Finished(stop)]))[-1]
    assert last["type"] == f"response.{status}"
    assert last["response"]["status"] == last["response"]["output"][0]["status"] == status
    assert (last["response"]["incomplete_details"] or {}).get("reason") == reason


def test_a_refusal_in_words_is_an_answer() -> None:
    last = data_of(written([START, *block(BlockStarted("refusal"), "no"), Finished("refusal")]))[-1]
    assert last["type"] == "response.completed"


def test_a_refusal_without_words_gives_its_explanation() -> None:
    last = data_of(written([START, Finished("refusal", explanation="It is forbidden.")]))[-1]
    assert last["response"]["output"][0]["content"] == [{"type": "refusal", "refusal": "It is forbidden."}]
    assert last["response"]["incomplete_details"] == {"reason": "content_filter"}


def test_an_empty_answer() -> None:
    assert read_by_sdk(written([START, Finished("end")])).output == []


def test_usage_that_nobody_told_is_left_out() -> None:
    assert data_of(written([START, Finished("end")]))[-1]["response"]["usage"] is None


def test_a_failure_after_the_start_is_a_failed_response() -> None:
    values = data_of(
        written([START, BlockStarted("text"), Delta("Hal"), Failed("overloaded_error", "Busy", 529)])
    )
    assert values[-1]["type"] == "response.failed"
    assert values[-1]["response"]["status"] == "failed"
    assert values[-1]["response"]["error"] == {"code": "server_is_overloaded", "message": "Busy"}


def test_a_call_that_was_cut_short_is_not_done() -> None:
    """Codex makes a call as soon as its item is done."""
    call = BlockStarted("tool_call", "c", "rm")
    cut = data_of(written([START, call, Delta("{"), Failed("overloaded_error", "Busy", 529)]))
    whole = data_of(written([START, *block(call, "{}"), Failed("overloaded_error", "Busy", 529)]))
    for values in (cut, whole):
        assert "response.output_item.done" not in [value["type"] for value in values]
        assert values[-1]["response"]["output"] == []


def test_only_the_last_call_of_an_incomplete_response_is_incomplete() -> None:
    calls = [
        *block(BlockStarted("tool_call", "c", "f"), "{}"),
        *block(BlockStarted("tool_call", "d", "f"), "{"),
    ]
    stream = written([START, *calls, Finished("length")])
    output = data_of(stream)[-1]["response"]["output"]
    assert [(item["call_id"], item["status"]) for item in output] == [("c", "completed"), ("d", "incomplete")]


def test_codex_is_told_how_long_to_wait() -> None:
    failed = Failed("rate_limit_error", "Too fast.", 429, retry_after=12)
    error = data_of(written([START, failed]))[-1]["response"]["error"]
    assert error == {"code": "rate_limit_exceeded", "message": "Too fast. Please try again in 12s."}


def test_a_failure_before_the_start_is_an_error_event() -> None:
    stream = written([Failed("api_error", "Boom", 500)])
    (value,) = data_of(stream)
    assert (value["type"], value["message"], value["error"]["type"]) == ("error", "Boom", "server_error")
    with pytest.raises(openai.APIError, match="Boom"):
        read_by_sdk(stream)


def test_a_ping_is_a_comment() -> None:
    assert stream_encoder(to()).feed(Ping()) == b": keep-alive\n\n"


def test_text_stays_as_it_is() -> None:
    stream = written([START, *text("Grüße 🍣\n\nx\u2028"), Finished("end")])
    assert "Grüße 🍣".encode() in stream
    assert read_by_sdk(stream).output_text == "Grüße 🍣\n\nx\u2028"


def test_the_same_events_give_the_same_bytes() -> None:
    assert written(WHOLE) == written(WHOLE)


@pytest.mark.parametrize("path", named(STREAMS))
def test_what_came_in_goes_out(path: Path) -> None:
    """Through both machines the answer stays the same, except for the ids and the name of the model."""
    events = events_of(path.read_bytes())
    stream = written(events)
    data_of(stream)
    again = events_of(stream)
    told_again = [event for event in again if isinstance(event, BlockStarted | Delta | BlockEnded)]
    told = told_with_arguments(
        [event for event in events if isinstance(event, BlockStarted | Delta | BlockEnded)]
    )
    if isinstance(events[-1], Failed) and told[-1:] == [BlockEnded()]:
        # the last item of a response that failed is not done
        told.pop()
        told_again = told_again[: len(told)]
    assert told_again == told
    assert type(again[-1]) is type(events[-1])
    if isinstance(events[-1], Finished):
        assert again[-1] == events[-1]


def told_with_arguments(events: Sequence[Event]) -> list[Event]:
    """A call without arguments is told with `{}`."""
    told: list[Event] = []
    for event in events:
        last = told[-1] if told else None
        if isinstance(event, BlockEnded) and isinstance(last, BlockStarted) and last.kind == "tool_call":
            told.append(Delta("{}"))
        told.append(event)
    return told
