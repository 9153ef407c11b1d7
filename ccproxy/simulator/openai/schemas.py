"""What structured output and tools demand of a JSON schema.

Every schema has to be one; a strict one has to be in the published subset: an object names all of its
properties as required and allows no others.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ccproxy.simulator.openai.errors import ApiError

UNSUPPORTED = ("allOf", "not", "dependentRequired", "dependentSchemas", "if", "then", "else")
MAPS = ("properties", "$defs", "definitions")
LISTS = ("anyOf", "oneOf", "allOf")

type Where = tuple[str, ...]
type Rule = Callable[[Mapping[str, Any], Where], str | None]


def check_schema(schema: Mapping[str, Any], *, strict: bool, owner: str, code: str, param: str) -> None:
    """Raises ApiError when `schema` cannot be followed. `owner` names it: `response_format 'answer'`."""
    problem = _first(schema, _malformed) or (strict_problem(schema) if strict else None)
    if problem is not None:
        raise ApiError(400, f"Invalid schema for {owner}: {problem}", param=param, code=code)


def check_parameters(schema: Mapping[str, Any] | None, *, strict: bool, name: str, param: str) -> None:
    """Raises ApiError for the parameters of a tool: its arguments are always an object."""
    if not schema:
        return
    owner, code = f"function '{name}'", "invalid_function_parameters"
    if schema.get("type") != "object":
        message = f'Invalid schema for {owner}: schema must have type "object".'
        raise ApiError(400, message, param=param, code=code)
    check_schema(schema, strict=strict, owner=owner, code=code, param=param)


def strict_problem(schema: Mapping[str, Any]) -> str | None:
    """Why `schema` is not in the strict subset, or None."""
    if schema.get("type") != "object":
        return 'schema must have type "object".'
    return _first(schema, _open)


def _first(schema: Mapping[str, Any], rule: Rule) -> str | None:
    """The first problem that `rule` finds in `schema` or in a schema inside it."""
    return next((problem for node, where in _nodes(schema, ()) if (problem := rule(node, where))), None)


def _nodes(schema: Any, where: Where) -> Iterator[tuple[Mapping[str, Any], Where]]:
    if not isinstance(schema, Mapping):
        return
    yield schema, where
    for keyword in MAPS:
        if isinstance(children := schema.get(keyword), Mapping):
            for name, child in children.items():
                yield from _nodes(child, (*where, keyword, name))
    for keyword in LISTS:
        if isinstance(branches := schema.get(keyword), list):
            for child in branches:
                yield from _nodes(child, (*where, keyword))
    yield from _nodes(schema.get("items"), (*where, "items"))


def _malformed(node: Mapping[str, Any], where: Where) -> str | None:
    for keyword in MAPS:
        children = node.get(keyword, {})
        if not isinstance(children, Mapping) or not all(
            isinstance(c, Mapping | bool) for c in children.values()
        ):
            return f"In context={where}, '{keyword}' has to map names to schemas."
    for keyword in (*LISTS, "required", "enum"):
        if not isinstance(node.get(keyword, []), list):
            return f"In context={where}, '{keyword}' has to be an array."
    for keyword in LISTS:
        if not all(isinstance(child, Mapping | bool) for child in node.get(keyword, [])):
            return f"In context={where}, '{keyword}' has to hold schemas."
    if not isinstance(node.get("items", {}), Mapping | bool):
        return f"In context={where}, 'items' has to be a schema."
    return None


def _open(node: Mapping[str, Any], where: Where) -> str | None:
    for keyword in UNSUPPORTED:
        if keyword in node:
            return f"In context={where}, '{keyword}' is not permitted."
    if node.get("type") != "object" and "properties" not in node:
        return None
    if node.get("additionalProperties") is not False:
        return f"In context={where}, 'additionalProperties' is required to be supplied and to be false."
    required = node.get("required", [])
    for name in node.get("properties", {}):
        if name not in required:
            return (
                f"In context={where}, 'required' is required to be supplied and to be an array including "
                f"every key in properties. Missing '{name}'."
            )
    return None
