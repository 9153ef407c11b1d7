"""What structured output and strict tools demand of a JSON schema.

The subset is the published one: an object names all of its properties as required and allows no others.
"""

from collections.abc import Mapping
from typing import Any

from ccproxy.simulator.openai.errors import ApiError

UNSUPPORTED = ("allOf", "not", "dependentRequired", "dependentSchemas", "if", "then", "else")


def check_strict(schema: Mapping[str, Any], *, owner: str, code: str, param: str) -> None:
    """Raises ApiError when `schema` cannot be enforced. `owner` names it: `response_format 'answer'`."""
    if (problem := strict_problem(schema)) is not None:
        raise ApiError(400, f"Invalid schema for {owner}: {problem}", param=param, code=code)


def check_parameters(schema: Mapping[str, Any] | None, *, name: str, param: str) -> None:
    """Raises ApiError when `schema` does not describe an object: the arguments of a tool always are one."""
    if schema is None or schema == {} or schema.get("type") == "object":
        return
    found = schema.get("type", "None")
    message = f"Invalid schema for function '{name}': schema must have type \"object\", got type: {found!r}."
    raise ApiError(400, message, param=param, code="invalid_function_parameters")


def strict_problem(schema: Mapping[str, Any]) -> str | None:
    """Why `schema` is not in the strict subset, or None."""
    if schema.get("type") != "object":
        return 'schema must have type "object"'
    return _problem(schema, ())


def _problem(node: Any, where: tuple[str, ...]) -> str | None:
    if isinstance(node, list):
        return next((found for item in node if (found := _problem(item, where))), None)
    if not isinstance(node, Mapping):
        return None
    for keyword in UNSUPPORTED:
        if keyword in node:
            return f"In context={where}, '{keyword}' is not permitted."
    if node.get("type") == "object" or "properties" in node:
        properties = node.get("properties", {})
        if node.get("additionalProperties") is not False:
            return f"In context={where}, 'additionalProperties' is required to be supplied and to be false."
        absent = [name for name in properties if name not in node.get("required", [])]
        if absent:
            return (
                f"In context={where}, 'required' is required to be supplied and to be an array including "
                f"every key in properties. Missing '{absent[0]}'."
            )
    for keyword in ("properties", "$defs", "definitions"):
        for name, child in node.get(keyword, {}).items():
            if found := _problem(child, (*where, keyword, name)):
                return found
    for keyword in ("items", "anyOf"):
        if found := _problem(node.get(keyword), (*where, keyword)):
            return found
    return None
