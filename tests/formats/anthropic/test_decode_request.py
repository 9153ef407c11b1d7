from typing import Any

import pytest
from hypothesis import given

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject, Text
from ccproxy.conversation.request import Turn
from ccproxy.formats.anthropic import decode_request
from tests.formats.anthropic.hostile import REQUEST

HELLO = {"role": "user", "content": "Hello"}


def body(*messages: JsonObject, **fields: Any) -> JsonObject:
    return {"model": "claude", "max_tokens": 10, "messages": list(messages or (HELLO,)), **fields}


def test_the_least_there_can_be() -> None:
    decoded = decode_request(body())
    assert decoded.losses == ()
    assert decoded.request.wire == "anthropic"
    assert decoded.request.model == "claude"
    assert decoded.request.params.max_tokens == 10
    assert decoded.request.turns == (Turn("user", (Text("Hello"),), "messages.0"),)
    assert decoded.request.others == {}


def test_system_text_in_blocks_and_as_a_string() -> None:
    blocks = [{"type": "text", "text": "One."}, {"type": "text", "text": "Two.", "cache_control": {}}]
    assert decode_request(body(system=blocks)).request.system == (Text("One."), Text("Two."))
    assert decode_request(body(system="One.")).request.system == (Text("One."),)


def test_case_28_the_billing_line_is_no_prompt() -> None:
    billing = {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.330; cch=1"}
    request = decode_request(body(system=[billing, {"type": "text", "text": "Be kind."}])).request
    assert request.system == (Text("Be kind."),)
    joined = "x-anthropic-billing-header: cc_version=2.1.330\nBe kind."
    assert decode_request(body(system=joined)).request.system == (Text("Be kind."),)


def test_case_28_a_system_message_amid_the_history_stays_where_it_is() -> None:
    turns = decode_request(body(HELLO, {"role": "system", "content": "Be brief."})).request.turns
    assert [turn.role for turn in turns] == ["user", "system"]
    assert turns[1].path == "messages.1"


def test_a_system_message_before_the_history_is_system_text() -> None:
    request = decode_request(
        body({"role": "system", "content": "Be brief."}, HELLO, system="Be kind.")
    ).request
    assert request.system == (Text("Be kind."), Text("Be brief."))
    assert [turn.role for turn in request.turns] == ["user"]


def test_hints_for_anthropic_go_without_a_word() -> None:
    edits = {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}
    decoded = decode_request(body(cache_control={"type": "ephemeral"}, context_management=edits))
    assert decoded.request.others == {}
    assert decoded.losses == ()


def test_what_only_anthropic_knows_is_kept_by_its_path() -> None:
    said = {"container": "c_1", "mcp_servers": [], "inference_geo": "eu", "made_up": 1}
    assert decode_request(body(**said)).request.others == said


def test_fields_of_a_message_that_nobody_knows_are_losses() -> None:
    decoded = decode_request(body({**HELLO, "output_config": {"effort": "low"}, "clear_at": "never"}))
    assert [loss.label for loss in decoded.losses] == ["messages.0.output_config", "messages.0.clear_at"]


def test_messages_without_content_are_left_out() -> None:
    empty = {"role": "assistant", "content": []}
    turns = decode_request(body(HELLO, empty, {"role": "user", "content": "x"})).request.turns
    assert [turn.path for turn in turns] == ["messages.0", "messages.2"]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [1]}, "messages.0"),
        ({"messages": [{"content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
        ({"messages": [HELLO, {"role": "user"}]}, "messages.1.content"),
        ({"messages": [{"role": "user", "content": [{"type": 1}]}]}, "messages.0.content.0.type"),
        ({"system": 1}, "system"),
        ({"system": [{"type": "image"}]}, "system.0.type"),
        ({"system": [{"type": "text"}]}, "system.0.text"),
        ({"container": {"skills": [{"skill_id": "pdf"}]}}, "container.skills"),
        ({"max_tokens": "10"}, "max_tokens"),
        ({"tools": [{"name": 1}]}, "tools.0.name"),
    ],
)
def test_errors_name_the_field(fields: JsonObject, path: str) -> None:
    with pytest.raises(RequestError) as caught:
        decode_request(body(**fields))
    assert caught.value.path == path


def test_deep_nesting_is_an_error() -> None:
    deep: JsonObject = {}
    for _ in range(100_000):
        deep = {"a": deep}
    call = {"type": "tool_use", "id": "t", "name": "n", "input": deep}
    with pytest.raises(RequestError, match="nested too deeply"):
        decode_request(body(HELLO, {"role": "assistant", "content": [call]}))


@given(REQUEST)
def test_any_object_decodes_or_names_its_fault(value: JsonObject) -> None:
    fault = None
    try:
        decode_request(value)
    except RequestError as problem:
        fault = problem
    assert fault is None or fault.path
