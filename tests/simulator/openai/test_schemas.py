from typing import Any

import pytest

from ccproxy.simulator.openai.errors import ApiError
from ccproxy.simulator.openai.schemas import check_parameters, check_strict, strict_problem

STRICT = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}},
    "required": ["name", "tags"],
    "additionalProperties": False,
}
OPEN_OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


def test_a_strict_schema() -> None:
    assert strict_problem(STRICT) is None


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        ({"type": "string"}, "object"),
        (STRICT | {"additionalProperties": True}, "additionalProperties"),
        (OPEN_OBJECT, "additionalProperties"),
        (STRICT | {"required": ["name"]}, "'tags'"),
        (STRICT | {"properties": {"name": OPEN_OBJECT}, "required": ["name"]}, "('properties', 'name')"),
        (STRICT | {"$defs": {"inner": OPEN_OBJECT}}, "('$defs', 'inner')"),
        (STRICT | {"properties": {"x": {"anyOf": [OPEN_OBJECT]}}, "required": ["x"]}, "'anyOf'"),
        (STRICT | {"allOf": []}, "allOf"),
    ],
)
def test_what_cannot_be_enforced_is_named(schema: dict[str, Any], word: str) -> None:
    problem = strict_problem(schema)

    assert problem is not None
    assert word in problem


def test_the_refusal_names_the_owner() -> None:
    with pytest.raises(ApiError) as raised:
        check_strict(OPEN_OBJECT, owner="response_format 'answer'", code="invalid_json_schema", param="text")

    assert raised.value.message.startswith("Invalid schema for response_format 'answer': ")
    assert (raised.value.code, raised.value.param) == ("invalid_json_schema", "text")


def test_parameters_describe_an_object() -> None:
    check_parameters(None, name="ls", param="tools[0]")
    check_parameters(STRICT, name="ls", param="tools[0]")
    with pytest.raises(ApiError) as raised:
        check_parameters({"type": "string"}, name="ls", param="tools[0]")

    assert raised.value.code == "invalid_function_parameters"
