import pytest

from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.formats.anthropic.schemas import closed, input_schema, opens


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (None, {"type": "object", "properties": {}}),
        ({}, {"type": "object", "properties": {}}),
        ({"properties": {"a": {}}}, {"properties": {"a": {}}, "type": "object"}),
        ({"type": ["object", "null"]}, {"type": "object"}),
        ({"type": "object", "$schema": "x"}, {"type": "object", "$schema": "x"}),
    ],
)
def test_input_schemas_are_objects(schema: JsonObject | None, expected: JsonObject) -> None:
    losses: list[Loss] = []
    assert input_schema(schema, "tools.0", losses) == expected
    assert losses == []


def test_alternatives_at_the_top_are_merged() -> None:
    losses: list[Loss] = []
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "anyOf": [{"properties": {"b": {"type": "string"}}}, {"properties": {"a": {}, "c": {}}}, True],
    }
    assert input_schema(schema, "tools.0", losses) == {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}, "c": {}},
    }
    assert [loss.label for loss in losses] == ["tools.0(loosened)"]


def test_another_type_at_the_top_is_an_error() -> None:
    with pytest.raises(RequestError) as caught:
        input_schema({"type": "array"}, "tools.0", [])
    assert caught.value.path == "tools.0"


def test_every_object_is_closed() -> None:
    inner = {"type": "object", "properties": {"type": {"type": "string"}}}
    shut = {**inner, "additionalProperties": False}
    schema = {
        "type": "object",
        "properties": {
            "type": {"type": "string", "enum": ["object"]},
            "list": {"type": "array", "items": inner},
            "either": {"anyOf": [inner, {"type": "null"}]},
            "known": {"type": "object", "const": {"type": "object"}},
        },
        "$defs": {"inner": inner},
    }
    assert closed(schema) == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "type": {"type": "string", "enum": ["object"]},
            "list": {"type": "array", "items": shut},
            "either": {"anyOf": [shut, {"type": "null"}]},
            "known": {"type": "object", "const": {"type": "object"}, "additionalProperties": False},
        },
        "$defs": {"inner": shut},
    }


def test_a_closed_schema_stays_as_it_is() -> None:
    schema = {"type": "object", "additionalProperties": False, "properties": {}}
    assert list(closed(schema)) == list(schema)
    assert closed(schema) == schema


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "object"}, False),
        ({"type": "object", "additionalProperties": False}, False),
        ({"type": "object", "additionalProperties": True}, True),
        ({"properties": {"a": {"items": [{"additionalProperties": {"type": "string"}}]}}}, True),
        ({"const": {"additionalProperties": True}}, False),
    ],
)
def test_opens(schema: JsonObject, expected: bool) -> None:
    assert opens(schema) is expected
