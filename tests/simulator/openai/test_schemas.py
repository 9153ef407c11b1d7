from typing import Any

import pytest

from ccproxy.simulator.openai.errors import ApiError
from ccproxy.simulator.openai.schemas import check_parameters, check_schema, strict_problem

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


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": 5},
        {"type": "object", "properties": {"a": 5}},
        {"type": "object", "required": "a"},
        {"type": "object", "properties": {"a": {"enum": 5}}},
        {"type": "object", "properties": {"a": {"anyOf": [5]}}},
        {"type": "object", "properties": {"a": {"items": 5}}},
    ],
)
def test_what_is_no_schema_is_refused_even_without_strictness(schema: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as raised:
        check_schema(schema, strict=False, owner="f", code="invalid_json_schema", param="p")

    assert raised.value.code == "invalid_json_schema"


def test_the_refusal_names_the_owner() -> None:
    owner = "response_format 'answer'"
    with pytest.raises(ApiError) as raised:
        check_schema(OPEN_OBJECT, strict=True, owner=owner, code="invalid_json_schema", param="text")

    assert raised.value.message.startswith("Invalid schema for response_format 'answer': ")
    assert (raised.value.code, raised.value.param) == ("invalid_json_schema", "text")


@pytest.mark.parametrize(
    ("schema", "strict"), [(None, True), ({}, False), (STRICT, True), (OPEN_OBJECT, False)]
)
def test_good_parameters(schema: dict[str, Any] | None, strict: bool) -> None:
    check_parameters(schema, strict=strict, name="ls", param="tools[0]")


@pytest.mark.parametrize(("schema", "strict"), [({"type": "string"}, False), (OPEN_OBJECT, True)])
def test_bad_parameters(schema: dict[str, Any], strict: bool) -> None:
    with pytest.raises(ApiError) as raised:
        check_parameters(schema, strict=strict, name="ls", param="tools[0]")

    assert raised.value.code == "invalid_function_parameters"
