from typing import Any

import pytest

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import Reasoning, Refusal, Seal, Text, ToolCall, ToolResult
from ccproxy.conversation.request import Turn
from ccproxy.formats.chat.decode_messages import decode_messages
from ccproxy.formats.chat.reasoning import detail

USER = {"role": "user", "content": "hi"}


def turns(*messages: dict[str, Any]) -> tuple[Turn, ...]:
    return decode_messages(list(messages))[1]


def test_system_text_at_the_start_and_in_the_middle() -> None:
    system, history = decode_messages(
        [
            {"role": "system", "content": "a"},
            {"role": "developer", "content": [{"type": "text", "text": "b"}, {"type": "text", "text": "c"}]},
            USER,
            {"role": "developer", "content": "now"},
        ]
    )
    assert system == (Text("a"), Text("b"), Text("c"))
    assert history == (
        Turn("user", (Text("hi"),), "messages.2"),
        Turn("system", (Text("now"),), "messages.3"),
    )


def test_calls_and_results() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}
    custom = {"id": "c2", "type": "custom", "custom": {"name": "patch", "input": "*** x"}}
    history = turns(
        USER,
        {"role": "assistant", "content": "", "tool_calls": [call, custom]},
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "r"}]},
        {"role": "tool", "tool_call_id": "c2", "content": ""},
    )
    assert [turn.parts for turn in history[1:]] == [
        (ToolCall("c1", "look", '{"a": 1}'), ToolCall("c2", "patch", "*** x", custom=True)),
        (ToolResult("c1", (Text("r"),)),),
        (ToolResult("c2", ()),),
    ]


@pytest.mark.parametrize("arguments", [None, "", {}])
def test_a_call_without_arguments(arguments: object) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": arguments}}
    (turn,) = turns({"role": "assistant", "tool_calls": [call]})
    assert turn.parts == (ToolCall("c1", "look", "{}"),)


def test_an_error_of_our_own_making_is_one_again() -> None:
    history = turns(USER, {"role": "tool", "tool_call_id": "c1", "content": "[tool error] no such file"})
    assert history[1].parts == (ToolResult("c1", (Text("no such file"),), is_error=True),)


def test_deprecated_functions_pair_by_name_and_count() -> None:
    def ask(name: str) -> dict[str, Any]:
        return {"role": "assistant", "content": None, "function_call": {"name": name, "arguments": "{}"}}

    def answer(name: str) -> dict[str, Any]:
        return {"role": "function", "name": name, "content": "r"}

    history = turns(USER, ask("a"), answer("a"), ask("b"), answer("b"), ask("a"), answer("a"))
    calls = [part.id for turn in history for part in turn.parts if isinstance(part, ToolCall)]
    results = [part.call_id for turn in history for part in turn.parts if isinstance(part, ToolResult)]
    assert calls == results
    assert len(set(calls)) == 3
    assert all(len(call_id) == len("call_") + 24 for call_id in calls)


def test_messages_that_say_nothing_are_left_out() -> None:
    empty: list[dict[str, Any]] = [{"role": "assistant", "content": None}, {"role": "user", "content": ""}]
    assert [turn.path for turn in turns(*empty, USER)] == ["messages.2"]


def test_a_refusal() -> None:
    (turn,) = turns({"role": "assistant", "content": None, "refusal": "I cannot."})
    assert turn.parts == (Refusal("I cannot."),)


def test_case_13_sealed_reasoning_comes_back() -> None:
    seals = [Seal("anthropic", "c2ln"), Seal("anthropic", "cmVk", redacted=True)]
    details = [detail(seals[0], "think", 0), detail(seals[1], "", 1)]
    (turn,) = turns(
        {"role": "assistant", "content": "ok", "reasoning_content": "think", "reasoning_details": details}
    )
    assert turn.parts == (Reasoning("think", seals[0]), Reasoning("", seals[1]), Text("ok"))


def test_reasoning_without_a_seal() -> None:
    (turn,) = turns({"role": "assistant", "content": "ok", "reasoning_content": "think"})
    assert turn.parts == (Reasoning("think"), Text("ok"))
    (turn,) = turns({"role": "assistant", "content": "<reasoning>think</reasoning>\n\nok"})
    assert turn.parts == (Reasoning("think"), Text("ok"))


@pytest.mark.parametrize(
    ("messages", "path"),
    [
        (None, "messages"),
        ([], "messages"),
        ([{"role": "system", "content": "only"}], "messages"),
        ([7], "messages.0"),
        ([{"content": "x"}], "messages.0.role"),
        ([{"role": "robot", "content": "x"}], "messages.0.role"),
        ([{"role": "user"}], "messages.0.content"),
        ([{"role": "user", "content": [{"type": "text"}]}], "messages.0.content.0.text"),
        ([{"role": "system", "content": 1}], "messages.0.content"),
        ([{"role": "tool", "content": "x"}], "messages.0.tool_call_id"),
        ([{"role": "function", "content": "x"}], "messages.0.name"),
        ([{"role": "assistant", "audio": {"id": "a"}}], "messages.0.audio"),
        ([{"role": "assistant", "tool_calls": {}}], "messages.0.tool_calls"),
        ([{"role": "assistant", "tool_calls": [{"id": 1}]}], "messages.0.tool_calls.0.id"),
        ([{"role": "assistant", "tool_calls": [{"id": "a"}]}], "messages.0.tool_calls.0.function"),
        (
            [{"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": 1}}]}],
            "messages.0.tool_calls.0.function.arguments",
        ),
    ],
)
def test_what_is_wrong_is_named(messages: object, path: str) -> None:
    with pytest.raises(RequestError) as caught:
        decode_messages(messages)
    assert caught.value.path == path
