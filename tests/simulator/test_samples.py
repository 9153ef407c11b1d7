from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from ccproxy.simulator.samples import sample

SCHEMAS: list[dict[str, Any]] = [
    {"type": "object"},
    {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
    {
        "type": "object",
        "required": ["text", "count", "ratio", "flag", "mode", "when", "items", "nested", "nothing"],
        "properties": {
            "text": {"type": "string", "minLength": 12},
            "count": {"type": "integer", "minimum": 5},
            "ratio": {"type": "number", "maximum": 0.5},
            "flag": {"type": "boolean"},
            "mode": {"enum": ["fast", "slow"]},
            "when": {"type": "string", "format": "date-time"},
            "items": {"type": "array", "items": {"type": "integer"}, "minItems": 2},
            "nested": {
                "type": "object",
                "properties": {"x": {"type": ["null", "integer"]}},
                "required": ["x"],
            },
            "nothing": {"type": "null"},
        },
    },
    {"anyOf": [{"type": "integer", "exclusiveMinimum": 3}, {"type": "string"}]},
    {
        "$defs": {"P": {"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"]}},
        "$ref": "#/$defs/P",
    },
    {
        "allOf": [
            {"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]},
            {"properties": {"b": {"type": "string"}}, "required": ["b"]},
        ]
    },
    {"type": "string", "default": "given"},
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_sample_fits_its_schema(schema: dict[str, Any]) -> None:
    jsonschema.validate(sample(schema), schema)


def test_the_same_schema_gives_the_same_sample() -> None:
    assert sample(SCHEMAS[2]) == sample(SCHEMAS[2])


def test_a_schema_that_requires_itself_comes_to_an_end() -> None:
    schema = {
        "$defs": {"N": {"type": "object", "properties": {"n": {"$ref": "#/$defs/N"}}, "required": ["n"]}}
    }
    assert isinstance(sample({**schema, "$ref": "#/$defs/N"}), dict)
