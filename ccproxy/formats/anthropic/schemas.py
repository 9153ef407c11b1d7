"""JSON schemas as Anthropic takes them (structured outputs and tool use guides, read 2026-11-22)."""

from typing import Any

from ccproxy.conversation.losses import Loss, RequestError
from ccproxy.conversation.parts import JsonObject

_COMBINED = ("allOf", "anyOf", "oneOf")


def input_schema(schema: JsonObject | None, path: str, losses: list[Loss]) -> JsonObject:
    """The schema of a tool's input: always an object, and no alternatives at its top.

    Alternatives are replaced by the properties of all of them, which is wider (a loss).
    """
    if not schema:
        return {"type": "object", "properties": {}}
    kind = schema.get("type", "object")
    if kind != "object" and not (isinstance(kind, list) and "object" in kind):
        raise RequestError(path, "must be of type 'object' at its top")
    plain = {key: value for key, value in schema.items() if key not in _COMBINED} | {"type": "object"}
    if len(plain) < len({**schema, "type": "object"}):
        losses.append(Loss(path, "Alternatives at the top of a schema were merged.", "loosened"))
        plain["properties"] = _all_properties(schema)
    return plain


def closed(schema: JsonObject) -> JsonObject:
    """The schema with `additionalProperties: false` on every object, without which Anthropic refuses it."""
    return {key: _closed(value) if key in _HOLD_SCHEMAS else value for key, value in _shut(schema).items()}


def opens(schema: Any) -> bool:
    """Whether some object of the schema asks for properties that it does not name."""
    if isinstance(schema, list):
        return any(opens(item) for item in schema)
    if not isinstance(schema, dict):
        return False
    if schema.get("additionalProperties") not in (None, False):
        return True
    return any(opens(value) for key, value in schema.items() if key not in _VALUES)


_HOLD_SCHEMAS = frozenset(
    {"properties", "items", "prefixItems", "$defs", "definitions", "allOf", "anyOf", "oneOf", "not"}
)
_VALUES = frozenset({"enum", "const", "default", "examples"})


def _shut(schema: JsonObject) -> JsonObject:
    kind = schema.get("type")
    is_object = kind == "object" or (isinstance(kind, list) and "object" in kind)
    return {**schema, "additionalProperties": False} if is_object else schema


def _closed(value: Any) -> Any:
    """Schemas stand in lists (`anyOf`) and under names (`properties`), or are meant themselves (`items`)."""
    if isinstance(value, list):
        return [_closed(item) for item in value]
    if not isinstance(value, dict):
        return value
    if any(isinstance(value.get(key), str | list) for key in ("type", "anyOf", "allOf", "oneOf", "$ref")):
        return closed(value)
    return {key: _closed(item) for key, item in value.items()}


def _all_properties(schema: JsonObject) -> JsonObject:
    found: JsonObject = {}
    branches = [branch for word in _COMBINED for branch in _list(schema.get(word))]
    for part in (schema, *branches):
        properties = part.get("properties") if isinstance(part, dict) else None
        if isinstance(properties, dict):
            found = {**properties, **found}
    return found


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
