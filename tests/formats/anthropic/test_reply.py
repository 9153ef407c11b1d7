from dataclasses import replace
from typing import Any, get_args

import pytest
from anthropic.types import Message

from ccproxy.conversation.events import Failed, StopReason
from ccproxy.conversation.parts import JsonObject, Part, Reasoning, Refusal, Seal, Text, ToolCall
from ccproxy.conversation.reply import Reply
from ccproxy.conversation.request import Params, Thinking
from ccproxy.conversation.usage import Usage
from ccproxy.formats import carrier
from ccproxy.formats.anthropic import decode_reply, encode_reply
from ccproxy.formats.codec import Names
from tests.formats.anthropic.judges import asked, to


def message(*content: JsonObject, **fields: Any) -> JsonObject:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": list(content),
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 50},
        **fields,
    }


def decoded(*content: JsonObject, names: Names | None = None, **fields: Any) -> Reply:
    reply = decode_reply(message(*content, **fields), names or Names())
    assert isinstance(reply, Reply)
    return reply


def encoded(*parts: Part, stop: StopReason = "end", **fields: Any) -> JsonObject:
    body = encode_reply(Reply("up_1", "gpt", parts, stop, **fields), to())
    Message.model_validate(body, strict=True)
    return body


def test_blocks_become_parts() -> None:
    reply = decoded(
        {"type": "thinking", "thinking": "Hm.", "signature": "sig"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "text", "text": "Hi", "citations": [{"type": "char_location"}]},
        {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"b": 1, "a": "é"}},
        stop_reason="tool_use",
    )
    assert reply == Reply(
        "msg_1",
        "claude-x",
        (
            Reasoning("Hm.", Seal("anthropic", "sig")),
            Reasoning("", Seal("anthropic", "x", redacted=True)),
            Text("Hi"),
            ToolCall("toolu_1", "add", '{"b":1,"a":"é"}'),
        ),
        "tool_calls",
        Usage(input=10, output=50),
    )


def test_what_servers_did_and_what_nobody_knows_is_left_out() -> None:
    reply = decoded(
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        {"type": "hologram"},
        {"type": "text", "text": ""},
        {"type": "text"},
        {"type": "text", "text": "Hi"},
    )
    assert reply.parts == (Text("Hi"),)


def test_names_come_back_and_custom_input_is_unwrapped() -> None:
    names = Names({"a_b": "a.b"}, frozenset({"patch"}))
    reply = decoded(
        {"type": "tool_use", "id": "t1", "name": "a_b", "input": {}},
        {"type": "tool_use", "id": "t2", "name": "patch", "input": {"input": "*** x"}},
        names=names,
    )
    assert reply.parts == (ToolCall("t1", "a.b", "{}"), ToolCall("t2", "patch", "*** x", custom=True))


def test_case_42_usage() -> None:
    usage = {
        "input_tokens": 10,
        "cache_creation_input_tokens": 90,
        "cache_read_input_tokens": 900,
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 7},
    }
    assert decoded(usage=usage).usage == Usage(1000, 50, 900, 90, 7)
    assert decoded(usage=None).usage == Usage()
    assert decoded(usage={"input_tokens": "many"}).usage == Usage()


def test_how_it_ended() -> None:
    assert decoded(stop_reason="stop_sequence", stop_sequence="END").stop_sequence == "END"
    details = {"type": "refusal", "category": "bio", "explanation": "Not this."}
    assert decoded(stop_reason="refusal", stop_details=details).explanation == "Not this."


def test_case_43_an_end_that_nobody_knows_is_none() -> None:
    failure = decode_reply(message(stop_reason="tired"), Names())
    assert isinstance(failure, Failed)
    assert "tired" in failure.message


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (
            {"type": "error", "error": {"type": "overloaded_error", "message": "Busy."}},
            Failed("overloaded_error", "Busy.", 529),
        ),
        ({}, Failed("api_error", "The upstream answered with status 502.", 502)),
        ({"content": "Hi"}, Failed("api_error", "The upstream answered with status 502.", 502)),
    ],
)
def test_what_is_no_message_is_a_failure(body: JsonObject, failure: Failed) -> None:
    assert decode_reply(body, Names()) == failure


@pytest.mark.parametrize("block", [None, 3, [], {}, {"type": 3}, {"type": "tool_use", "name": 1}])
def test_blocks_of_the_wrong_type_are_left_out(block: Any) -> None:
    assert decoded(block).parts == ()


def test_a_call_without_an_id_or_an_object_is_made_good() -> None:
    first, second = decoded(
        {"type": "tool_use", "name": "a"}, {"type": "tool_use", "name": "a", "input": "x"}
    ).parts
    assert isinstance(first, ToolCall)
    assert isinstance(second, ToolCall)
    assert first.arguments == second.arguments == "{}"
    assert first.id
    assert first.id != second.id


def test_parts_become_blocks() -> None:
    seal = Seal("openai", "gAAA", id="rs_1")
    body = encoded(
        Reasoning("Hm.", seal),
        Reasoning("", Seal("anthropic", "x", redacted=True)),
        Reasoning("Ah.", Seal("anthropic", "sig")),
        Text("Hi"),
        Refusal("No."),
        ToolCall("call:1", "add", '{"a":1}'),
        stop="tool_calls",
    )
    assert body["id"] == "msg_ab12"
    assert body["model"] == "claude-alias"
    assert [block["type"] for block in body["content"]] == [
        "thinking",
        "redacted_thinking",
        "thinking",
        "text",
        "text",
        "tool_use",
    ]
    assert body["content"][0]["signature"] == carrier.pack(seal, "Hm.")
    assert body["content"][2]["signature"] == "sig"
    assert body["content"][5]["id"].startswith("call_")


def test_case_44_no_blank_text_is_written() -> None:
    assert encoded(Text(""), Text("\n"), Reasoning(""))["content"] == []


@pytest.mark.parametrize("stop", get_args(StopReason))
def test_every_end_has_a_name(stop: StopReason) -> None:
    body = encode_reply(Reply("i", "m", (), stop), to())
    assert body["stop_reason"]
    assert ("stop_details" in body) == (stop == "refusal")


def test_case_16_a_call_that_the_length_cut_is_left_out() -> None:
    cut, whole = ToolCall("c", "add", '{"a":'), ToolCall("d", "add", '{"a":1}')
    assert [b["id"] for b in encoded(cut, whole, stop="length")["content"]] == ["d"]
    assert encoded(cut, stop="tool_calls")["content"][0]["input"] == {"_raw": '{"a":'}


def test_usage_is_told_in_anthropics_way() -> None:
    usage = encoded(usage=Usage(1000, 50, 900, 90, 7))["usage"]
    assert usage == {
        "input_tokens": 10,
        "cache_creation_input_tokens": 90,
        "cache_read_input_tokens": 900,
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 7},
    }


def test_thinking_is_hidden_from_those_who_do_not_want_it() -> None:
    reply = Reply("i", "m", (Reasoning("Hm."), Text("Hi")), "end")
    off = asked(wire="anthropic", params=Params(thinking=Thinking("disabled")))
    for answer_to in (to(request=off), replace(to(), reasoning="off")):
        assert [block["type"] for block in encode_reply(reply, answer_to)["content"]] == ["text"]
    assert [block["type"] for block in encode_reply(reply, to())["content"]] == ["thinking", "text"]
