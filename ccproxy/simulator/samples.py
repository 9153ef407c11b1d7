"""A value that fits a JSON schema, always the same one: the input of a simulated tool call."""

from collections.abc import Mapping
from typing import Any

type Schema = Mapping[str, Any]

MAX_DEPTH = 12  # a schema that requires itself has no finite value; stop somewhere

STRINGS = {
    "date-time": "2026-01-02T03:04:05Z",
    "date": "2026-01-02",
    "time": "03:04:05Z",
    "email": "user@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def sample(schema: Schema | bool, root: Schema | None = None, depth: int = 0) -> Any:
    """A value of `schema` (JSON Schema 2020-12, `$ref` inside the document); objects get required keys."""
    if isinstance(schema, bool) or depth > MAX_DEPTH:
        return None
    root = schema if root is None else root
    if "$ref" in schema:
        return sample(_resolve(schema["$ref"], root), root, depth + 1)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("enum", "examples"):
        if schema.get(key):
            return schema[key][0]
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return sample(schema[key][0], root, depth + 1)
    if schema.get("allOf"):
        schema = _merged(schema, root)
    return _by_type(schema, root, depth)


def _by_type(schema: Schema, root: Schema, depth: int) -> Any:
    match _type(schema):
        case "object":
            properties = schema.get("properties", {})
            return {
                key: sample(properties.get(key, {}), root, depth + 1) for key in schema.get("required", [])
            }
        case "array":
            items = schema.get("items", {})
            return [sample(items, root, depth + 1) for _ in range(schema.get("minItems", 0))]
        case "string":
            return STRINGS.get(schema.get("format", ""), "example").ljust(schema.get("minLength", 0), "x")
        case "integer":
            return _number(schema)
        case "number":
            return _number(schema) + 0.5 if "maximum" not in schema else _number(schema)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return "example"


def _type(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), "null")
    if kind is None and "properties" in schema:
        return "object"
    return str(kind)


def _number(schema: Schema) -> Any:
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1 if "exclusiveMinimum" in schema else 1)
    return min(low, schema.get("maximum", low))


def _resolve(reference: str, root: Schema) -> Schema:
    node: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        node = node.get(step.replace("~1", "/").replace("~0", "~"), {}) if step else node
    return node if isinstance(node, Mapping) else {}


def _merged(schema: Schema, root: Schema) -> Schema:
    merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema["allOf"]:
        part = _resolve(part["$ref"], root) if "$ref" in part else part
        merged = {
            **merged,
            **part,
            "properties": {**merged.get("properties", {}), **part.get("properties", {})},
            "required": [*merged.get("required", []), *part.get("required", [])],
        }
    return merged
