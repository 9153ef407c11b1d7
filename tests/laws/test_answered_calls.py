"""Law: in every request that we send, each call is answered right after it, and nothing else is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.backends.models import facts
from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject, Reasoning, Seal, Text, ToolCall, ToolResult, Wire
from ccproxy.conversation.request import Request, Role, Turn
from ccproxy.translation import CODECS
from tests.laws.conversations import MODELS, texts
from tests.laws.pace import examples
from tests.laws.streams import WIRES

IDS = st.sampled_from(("a", "b", "c", "a_2", "x:1", "", "call_1"))
"""Few, so that they meet."""


SAID = st.builds(Text, texts(5) | st.sampled_from(("", " ")))
CALLS = st.builds(ToolCall, IDS, st.sampled_from(("f", "g.h")), st.sampled_from(("{}", "", '{"a":1}', "{")))
RESULTS = st.builds(ToolResult, IDS, st.lists(SAID, max_size=1).map(tuple), st.booleans())
SEALS = st.sampled_from((Seal("openai", "abcd"), Seal("anthropic", "abcd"), None))
THOUGHTS = st.builds(Reasoning, texts(5), SEALS)


def turns(role: Role, *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Turn]:
    said = st.lists(st.one_of(*parts), max_size=4).map(tuple)
    return st.builds(Turn, st.just(role), said, st.just("here"))


TURNS = st.one_of(
    turns("user", SAID, RESULTS),
    turns("assistant", CALLS),
    turns("assistant", SAID, CALLS, THOUGHTS),
    turns("user", RESULTS),
    turns("system", SAID),
)
"""What clients send in each role; calls and results as they come."""


@pytest.mark.parametrize("wire", WIRES)
@given(history=st.lists(TURNS, max_size=7))
@examples(150)
def test_every_call_is_answered(wire: Wire, history: list[Turn]) -> None:
    request = Request("chat", "m", tuple(history))
    try:
        sent = CODECS[wire].encode_request(request, facts(MODELS[wire])).body
    except RequestError:
        # nothing is left to say: not for us to invent
        assert not any(isinstance(part, ToolCall) for turn in history for part in turn.parts)
        return
    match wire:
        case "anthropic":
            check_messages(sent["messages"])
        case "chat":
            check_chat(sent["messages"])
        case "responses":
            check_items(sent["input"])


def check_messages(messages: list[JsonObject]) -> None:
    seen: list[str] = []
    assert messages[0]["role"] == "user"
    for before, message in zip([{"role": "", "content": []}, *messages], [*messages, None], strict=True):
        asked = [block["id"] for block in before["content"] if block["type"] == "tool_use"]
        seen += asked
        content: list[Any] = message["content"] if message else []
        answered = [block["tool_use_id"] for block in content if block["type"] == "tool_result"]
        assert asked == answered
        assert all(block["type"] == "tool_result" for block in content[: len(asked)])
        assert not asked or (message and message["role"] == "user")
    assert len(set(seen)) == len(seen)


def check_chat(messages: list[JsonObject]) -> None:
    waiting: list[str] = []
    seen: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            assert message["tool_call_id"] == waiting.pop(0)
            continue
        assert not waiting
        waiting = [call["id"] for call in message.get("tool_calls", ())]
        seen += waiting
    assert not waiting
    assert len(set(seen)) == len(seen)


def check_items(items: list[JsonObject]) -> None:
    """Calls of one turn stand together, with what the assistant said between them; then their results."""
    waiting: list[str] = []
    seen: list[str] = []
    for item in items:
        match item:
            case {"type": "function_call", "call_id": call_id}:
                waiting.append(call_id)
                seen.append(call_id)
            case {"type": "function_call_output", "call_id": call_id}:
                assert call_id == waiting.pop(0)
            case {"type": "reasoning"} | {"role": "assistant"}:
                pass
            case _:
                assert not waiting
    assert not waiting
    assert len(set(seen)) == len(seen)
