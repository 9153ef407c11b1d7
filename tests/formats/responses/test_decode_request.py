import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject, Text, ToolCall
from ccproxy.conversation.request import Tool, ToolChoice, Turn
from ccproxy.formats.responses import decode_request
from tests.formats.responses.judges import REQUESTS, named

USER = {"role": "user", "content": "hi"}
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def request(**body: Any) -> JsonObject:
    return {"model": "m", "input": [USER], **body}


def test_instructions_and_leading_messages_stand_before_the_history() -> None:
    items = [
        {"role": "system", "content": "b"},
        {"role": "developer", "content": [{"type": "input_text", "text": "c"}]},
        USER,
        {"role": "developer", "content": "later"},
    ]
    decoded = decode_request(request(instructions="a", input=items)).request
    assert decoded.system == (Text("a"), Text("b"), Text("c"))
    assert [turn.role for turn in decoded.turns] == ["user", "system"]


def test_a_leading_message_with_an_image_is_a_turn() -> None:
    image = {"type": "input_image", "image_url": "https://example.com/a.png"}
    decoded = decode_request(request(input=[{"role": "developer", "content": [image]}, USER])).request
    assert decoded.system == ()
    assert [turn.role for turn in decoded.turns] == ["system", "user"]


def test_codex_without_instructions_brings_its_tools_and_its_prompt_in_the_input() -> None:
    space = {"type": "namespace", "name": "functions", "tools": [{"type": "custom", "name": "exec"}]}
    items = [
        {"type": "additional_tools", "role": "developer", "tools": [space]},
        {
            "type": "message",
            "role": "developer",
            "content": [{"type": "input_text", "text": "You are Codex"}],
        },
        USER,
        {
            "type": "custom_tool_call",
            "call_id": "c",
            "name": "exec",
            "namespace": "functions",
            "input": "x",
        },
    ]
    decoded = decode_request(request(input=items, tool_choice="auto")).request
    assert decoded.system == (Text("You are Codex"),)
    assert [tool.name for tool in decoded.tools if isinstance(tool, Tool)] == ["functions__exec"]
    assert decoded.turns[-1] == Turn("assistant", (ToolCall("c", "functions__exec", "x", True),), "input.3")
    assert decoded.tool_choice == ToolChoice("auto")


def test_a_configuration_update_counts() -> None:
    update = {"type": "configuration_update", "reasoning": {"effort": "high"}}
    decoded = decode_request(request(reasoning={"effort": "low"}, input=[USER, update])).request
    assert decoded.params.thinking.effort == "high"
    assert len(decoded.turns) == 1


def test_what_others_cannot_carry_is_kept_by_its_path() -> None:
    body = request(
        truncation="auto",
        max_tool_calls=3,
        top_logprobs=0,
        background=False,
        moderation=None,
        reasoning={"mode": "pro", "context": "all_turns"},
        client_metadata={"x": "y"},
        include=["reasoning.encrypted_content"],
        shiny=1,
    )
    assert decode_request(body).request.others == {
        "truncation": "auto",
        "max_tool_calls": 3,
        "shiny": 1,
        "reasoning.mode": "pro",
    }


def test_the_defaults_are_no_wish() -> None:
    body = request(truncation="disabled", previous_response_id=None, conversation=None, prompt=None)
    assert decode_request(body).request.others == {}


def test_what_the_answer_repeats_is_kept_as_it_was() -> None:
    tools = [{"type": "function", "name": "look", "strict": None}]
    echo = decode_request(request(tools=tools, temperature=1, instructions="a", shiny=1)).request.echo
    assert echo == {"tools": tools, "temperature": 1, "instructions": "a"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("previous_response_id", "resp_1"),
        ("conversation", "conv_1"),
        ("conversation", {"id": "conv_1"}),
        ("prompt", {"id": "pmpt_1"}),
        ("background", True),
    ],
)
def test_what_lives_at_openai_is_refused(field: str, value: object) -> None:
    with pytest.raises(RequestError) as raised:
        decode_request(request(**{field: value}))
    assert raised.value.path == field


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "model"),
        ({"model": 5, "input": ""}, "model"),
        ({"model": "m"}, "input"),
        ({"model": "m", "input": 5}, "input"),
        (request(instructions=5), "instructions"),
        (request(tools={}), "tools"),
    ],
)
def test_what_is_wrong_is_named(body: JsonObject, path: str) -> None:
    with pytest.raises(RequestError) as raised:
        decode_request(body)
    assert raised.value.path == path


@pytest.mark.parametrize("path", named(REQUESTS))
def test_a_hostile_value_in_any_field_is_read_or_refused(path: Path) -> None:
    """Every value of every golden request, one after the other, is replaced by what it should not be."""
    body = json.loads(path.read_text())
    for place in places(body):
        for value in (None, 7, "x", [], {}, [None], {"type": None}, True, 10**40, -0.5):
            with suppress(RequestError):
                decode_request(replaced(body, place, value))


def places(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [at] if at else []
    entries: Any = ()
    if isinstance(value, dict):
        entries = value.items()
    elif isinstance(value, list):
        entries = enumerate(value)
    for key, inner in entries:
        found += places(inner, (*at, key))
    return found


def replaced(value: Any, at: tuple[str | int, ...], new: object) -> Any:
    if not at:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[at[0]] = replaced(value[at[0]], at[1:], new)
    return copy


@given(st.dictionaries(st.sampled_from(["input", "tools", "text", "reasoning", "tool_choice", "x"]), JSON))
def test_any_object_is_read_or_refused(body: JsonObject) -> None:
    with suppress(RequestError):
        decode_request({"model": "m", **body})
