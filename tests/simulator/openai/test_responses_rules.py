from typing import Any

import pytest

from ccproxy.simulator.openai.catalogue import find
from ccproxy.simulator.openai.checking import validate
from ccproxy.simulator.openai.errors import ApiError
from ccproxy.simulator.openai.responses_request import ResponsesRequest
from ccproxy.simulator.openai.responses_rules import check
from ccproxy.simulator.openai.responses_run import converse
from ccproxy.simulator.openai.responses_store import ResponseStore
from ccproxy.simulator.openai.sealed import seal

USER = {"role": "user", "content": "hello"}
CALL = {"type": "function_call", "call_id": "call_1", "name": "ls", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "a b c"}
CUSTOM = {"type": "custom_tool_call", "call_id": "call_2", "name": "run", "input": "x"}
CUSTOM_RESULT = {
    "type": "custom_tool_call_output",
    "call_id": "call_2",
    "output": [{"type": "input_text", "text": "y"}],
}
THOUGHT = {"type": "reasoning", "summary": [], "encrypted_content": seal("reasoning", "hm")}
SPOKEN = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]}
LS = {"type": "function", "name": "ls", "parameters": {"type": "object", "properties": {}}}
OPEN_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def run(model: str = "gpt-5", **body: Any) -> None:
    request = validate(ResponsesRequest, {"model": model, "input": "hello"} | body)
    check(request, find(model))
    converse(request, ResponseStore(), None)


def refusal(model: str = "gpt-5", **body: Any) -> ApiError:
    with pytest.raises(ApiError) as raised:
        run(model, **body)
    return raised.value


@pytest.mark.parametrize(
    "items",
    [
        [USER, CALL, RESULT],
        [USER, CUSTOM, CUSTOM_RESULT],
        [USER, THOUGHT, CALL, RESULT, THOUGHT, SPOKEN, USER],
        [USER, CALL, CALL | {"call_id": "call_9"}, RESULT | {"call_id": "call_9"}, RESULT],
        [USER, THOUGHT, THOUGHT, SPOKEN, USER],
        [{"role": "developer", "content": "x"}, {"role": "system", "content": "y"}, USER],
        [{"role": "assistant", "content": "easy"}, USER],
        [{"type": "compaction", "encrypted_content": seal("compaction", "before")}, USER],
        [{"type": "additional_tools", "role": "developer", "tools": [LS]}, USER],
        [{"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {}}, USER],
    ],
)
def test_good_histories(items: list[dict[str, Any]]) -> None:
    run(input=items)


@pytest.mark.parametrize(
    ("items", "status", "word"),
    [
        ([USER, CALL], 400, "No tool output found for function call call_1."),
        ([USER, CUSTOM], 400, "No tool output found for function call call_2."),
        ([USER, RESULT], 400, "No tool call found for function call output with call_id call_1."),
        ([USER, RESULT, CALL], 400, "No tool call found"),
        ([USER, THOUGHT], 400, "without its required following item"),
        ([THOUGHT, USER], 400, "without its required following item"),
        ([THOUGHT | {"encrypted_content": "gAAAAABx"}, SPOKEN], 400, "could not be verified"),
        ([{"type": "reasoning", "id": "rs_1", "summary": []}, SPOKEN], 404, "Items are not persisted"),
        ([{"type": "item_reference", "id": "msg_1"}], 404, "Items are not persisted"),
        ([{"type": "compaction", "encrypted_content": "x"}], 400, "could not be verified"),
        ([SPOKEN | {"id": "item_1"}], 400, "begins with 'msg'"),
        ([CALL | {"id": "call_1"}, RESULT], 400, "begins with 'fc'"),
        (
            [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}],
            400,
            "'output_text' and 'refusal'",
        ),
        ([{"role": "user", "content": [{"type": "output_text", "text": "x"}]}], 400, "'input_text'"),
        ([{"role": "user", "content": [{"type": "text", "text": "x"}]}], 400, "'input_text'"),
        ([{"role": "tool", "content": "x"}], 400, "'developer' and 'user'"),
        ([{"type": "tool_use"}], 400, "Invalid value: 'tool_use'."),
        ([CALL | {"call_id": "c" * 65}, RESULT], 400, "string too long"),
        ([CALL | {"name": "a b"}, RESULT], 400, "does not match pattern"),
        ([CALL | {"arguments": {}}, RESULT], 400, "expected a string"),
        (
            [{"type": "reasoning", "encrypted_content": "x"}],
            400,
            "Missing required parameter: 'input[0].summary'.",
        ),
        ([{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}], 400, "data URL"),
        ([{"role": "user", "content": [{"type": "input_image"}]}], 400, "image_url"),
    ],
)
def test_bad_histories(items: list[dict[str, Any]], status: int, word: str) -> None:
    error = refusal(input=items)

    assert error.status == status
    assert word in error.message


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"foo": 1}, "foo", "unknown_parameter"),
        ({"messages": [USER]}, "messages", "unknown_parameter"),
        ({"input": None}, "input", "missing_required_parameter"),
        ({"input": []}, "input", "missing_required_parameter"),
        ({"input": 5}, "input", "invalid_type"),
        ({"max_output_tokens": 15}, "max_output_tokens", "integer_below_min_value"),
        ({"temperature": 0.5}, "temperature", "unsupported_parameter"),
        ({"top_p": 0.5}, "top_p", "unsupported_parameter"),
        ({"reasoning": {"effort": "xhigh"}}, "reasoning.effort", "unsupported_value"),
        ({"reasoning": {"depth": 3}}, "reasoning.depth", "unknown_parameter"),
        ({"include": ["everything"]}, "include[0]", "invalid_value"),
        ({"stream_options": {"include_obfuscation": False}}, "stream_options", None),
        (
            {"stream": True, "stream_options": {"include_usage": True}},
            "stream_options.include_usage",
            "unknown_parameter",
        ),
        (
            {"previous_response_id": "resp_1", "conversation": "conv_1"},
            "conversation",
            "mutually_exclusive_parameters",
        ),
        ({"conversation": "conv_1"}, "conversation", None),
        ({"prompt": {"id": "pmpt_1"}}, "prompt.id", None),
        ({"background": True, "store": False}, "background", None),
        ({"tool_choice": "required"}, "tool_choice", None),
        ({"tools": [LS], "tool_choice": {"type": "function", "name": "rm"}}, "tool_choice", None),
        ({"tools": [LS | {"name": "x" * 65}]}, "tools[0].name", "string_above_max_length"),
        ({"tools": [{"type": "robot"}]}, "tools[0].type", "invalid_value"),
        (
            {"tools": [LS | {"parameters": {"type": "array"}}]},
            "tools[0].parameters",
            "invalid_function_parameters",
        ),
        (
            {"tools": [LS | {"parameters": OPEN_SCHEMA, "strict": True}]},
            "tools[0].parameters",
            "invalid_function_parameters",
        ),
        (
            {"text": {"format": {"type": "json_schema", "name": "a", "schema": OPEN_SCHEMA, "strict": True}}},
            "text.format.schema",
            "invalid_json_schema",
        ),
        (
            {"text": {"format": {"type": "json_schema", "name": "a"}}},
            "text.format.schema",
            "missing_required_parameter",
        ),
        ({"text": {"format": {"type": "json_object"}}}, "input", None),
    ],
)
def test_refused_parameters(body: dict[str, Any], param: str, code: str | None) -> None:
    error = refusal(**body)

    assert (error.param, error.code) == (param, code)


def test_a_sampling_model_has_no_reasoning() -> None:
    assert refusal("gpt-4o", reasoning={"effort": "low"}).param == "reasoning.effort"
    assert refusal("gpt-4o", include=["reasoning.encrypted_content"]).param == "include"
    run("gpt-4o", temperature=0.3, top_p=0.3)
