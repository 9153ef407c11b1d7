import json
from dataclasses import replace

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
from ccproxy.conversation.parts import JsonObject, Reasoning, Refusal, Seal, Text, ToolCall
from ccproxy.conversation.reply import Reply, replay
from ccproxy.conversation.request import Params, Thinking
from ccproxy.conversation.usage import Usage
from ccproxy.formats import carrier
from ccproxy.formats.anthropic import encode_reply
from ccproxy.formats.sse import Reader
from tests.formats.anthropic.judges import asked, events_of, read_by_sdk, to, written

STARTED = Started("up_1", "gpt")
THINK, WRITE = BlockStarted("reasoning"), BlockStarted("text")
CALL = BlockStarted("tool_call", "call_1", "add")
ENDED, FINISHED = BlockEnded(), Finished("end")
OPENAI = Seal("openai", "gAAA", id="rs_1")


def wire(*events: Event) -> list[JsonObject]:
    stream = written(events)
    found = [(one.name, json.loads(one.data)) for one in Reader().feed(stream)]
    assert all(name == data["type"] for name, data in found)
    return [data for _, data in found]


def blocks(*events: Event) -> list[JsonObject]:
    """What is said between the start and the end, without `type` and `index` where they are plain."""
    return wire(STARTED, *events, FINISHED)[1:-2]


def test_the_frame() -> None:
    assert wire(
        STARTED, Ping(), UsageSeen(Usage(1000, 50, 900, 90, 7)), Finished("stop_sequence", "END")
    ) == [
        {
            "type": "message_start",
            "message": {
                "id": "msg_ab12",
                "type": "message",
                "role": "assistant",
                "model": "claude-alias",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {
                    "input_tokens": 0,
                    "cache_creation_input_tokens": 0,
                    "cache_read_input_tokens": 0,
                    "output_tokens": 0,
                },
            },
        },
        {"type": "ping"},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "stop_sequence", "stop_sequence": "END"},
            "usage": {
                "input_tokens": 10,
                "cache_creation_input_tokens": 90,
                "cache_read_input_tokens": 900,
                "output_tokens": 50,
                "output_tokens_details": {"thinking_tokens": 7},
            },
        },
        {"type": "message_stop"},
    ]


def test_case_6_a_call_begins_at_once_with_an_empty_input() -> None:
    assert blocks(CALL, Delta('{"a":'), Delta("1}"), ENDED) == [
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "tool_use", "id": "call_1", "name": "add", "input": {}},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": '{"a":'},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": "1}"},
        },
        {"type": "content_block_stop", "index": 0},
    ]


def test_indices_count_what_is_shown() -> None:
    events = (WRITE, ENDED, WRITE, Delta("a"), ENDED, THINK, ENDED, CALL, ENDED)
    assert [data["index"] for data in blocks(*events) if data["type"] == "content_block_start"] == [0, 1]


def test_case_44_a_blank_text_is_never_seen_and_no_blank_is_lost() -> None:
    assert blocks(WRITE, Delta(" "), ENDED) == []
    deltas = [
        data["delta"]["text"] for data in blocks(WRITE, Delta("\n"), Delta("a"), Delta(" "), ENDED)[1:-1]
    ]
    assert deltas == ["\na", " "]


@pytest.mark.parametrize(
    ("seal", "signature"),
    [(Seal("anthropic", "sig"), "sig"), (OPENAI, carrier.pack(OPENAI, "Hm.")), (None, "")],
)
def test_thinking_ends_with_its_signature(seal: Seal | None, signature: str) -> None:
    sealed = [Sealed(seal)] if seal else []
    assert [data.get("delta") for data in blocks(THINK, Delta("Hm."), *sealed, ENDED)] == [
        None,
        {"type": "thinking_delta", "thinking": "Hm."},
        {"type": "signature_delta", "signature": signature},
        None,
    ]


def test_a_seal_alone_is_a_block_of_its_own() -> None:
    kinds = [data["type"] for data in blocks(THINK, Sealed(OPENAI), ENDED)]
    assert kinds == ["content_block_start", "content_block_delta", "content_block_stop"]
    redacted = blocks(THINK, Sealed(Seal("anthropic", "x", redacted=True)), ENDED)
    assert [data.get("content_block") for data in redacted] == [
        {"type": "redacted_thinking", "data": "x"},
        None,
    ]


def test_thinking_is_hidden_from_those_who_do_not_want_it() -> None:
    events: list[Event] = [
        STARTED,
        THINK,
        Delta("Hm."),
        Sealed(OPENAI),
        ENDED,
        WRITE,
        Delta("Hi"),
        ENDED,
        FINISHED,
    ]
    off = asked(wire="anthropic", params=Params(thinking=Thinking("disabled")))
    for answer_to in (to(request=off), replace(to(), reasoning="off")):
        message = read_by_sdk(written(events, answer_to))
        assert [block.type for block in message.content] == ["text"]


def test_custom_input_is_wrapped() -> None:
    custom = BlockStarted("tool_call", "call_1", "patch", custom=True)
    message = read_by_sdk(written([STARTED, custom, Delta("*** "), Delta('"x"'), ENDED, FINISHED]))
    assert message.content[0].to_dict()["input"] == {"input": '*** "x"'}


def test_case_16_a_call_that_the_length_cut_is_shown_as_far_as_it_came() -> None:
    message = read_by_sdk(written([STARTED, CALL, Delta('{"a":1,"b":'), ENDED, Finished("length")]))
    assert message.stop_reason == "max_tokens"
    assert message.content[0].type == "tool_use"


def test_a_failure_ends_everything() -> None:
    failure = Failed("overloaded_error", "Busy.", 529)
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Busy."}}
    assert wire(failure) == [error]
    assert wire(STARTED, WRITE, Delta("Hi"), ENDED, failure)[-1] == error


def test_a_refusal_explains_itself() -> None:
    events = wire(
        STARTED, BlockStarted("refusal"), Delta("No."), ENDED, Finished("refusal", explanation="Not this.")
    )
    assert events[-2]["delta"] == {
        "stop_reason": "refusal",
        "stop_sequence": None,
        "stop_details": {"type": "refusal", "category": None, "explanation": "Not this."},
    }


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
SEAL = st.sampled_from([None, OPENAI, Seal("anthropic", "sig"), Seal("anthropic", "x", redacted=True)])
PART = st.one_of(
    TEXT.map(Text),
    TEXT.map(Refusal),
    st.builds(Reasoning, TEXT, SEAL).filter(
        lambda part: not (part.text and part.seal and part.seal.redacted)
    ),
    st.builds(
        ToolCall,
        st.sampled_from(["call_1", "call:1"]),
        st.just("add"),
        st.dictionaries(TEXT, TEXT | st.integers(), max_size=3).map(json.dumps),
    ),
    st.builds(ToolCall, st.just("call_2"), st.just("patch"), TEXT, st.just(True)),
)


@given(st.lists(PART, max_size=5), st.sampled_from(["end", "tool_calls", "length", "refusal"]))
def test_streamed_and_whole_answers_are_the_same(parts: list[Text], stop: str) -> None:
    """Case 7: what the SDK puts together from the stream is what it reads from the whole answer."""
    reply = Reply("up_1", "gpt", tuple(parts), stop, Usage(12, 3))  # type: ignore[arg-type]
    streamed = read_by_sdk(written(replay(reply))).to_dict(mode="json")
    whole = encode_reply(reply, to())
    for block in (*streamed["content"], *whole["content"]):  # type: ignore[misc]
        block.pop("citations", None)
        block.pop("parsed_output", None)
    for key in ("stop_details", "container", "diagnostics"):
        streamed.pop(key, None)
        whole.pop(key, None)
    assert {key: streamed[key] for key in whole} == whole


def test_what_goes_out_comes_back() -> None:
    seal = Seal("anthropic", "sig")
    events: list[Event] = [
        *(THINK, Delta("Hm."), Sealed(seal), ENDED),
        *(WRITE, Delta("Hé"), Delta("llo"), ENDED),
        *(CALL, Delta("{}"), ENDED),
    ]
    back = events_of(written([STARTED, *events, Finished("tool_calls")]))
    assert [event for event in back if not isinstance(event, Started | UsageSeen)] == [
        *events,
        Finished("tool_calls"),
    ]
