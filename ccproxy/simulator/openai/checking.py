"""A request body against a pydantic model, with OpenAI's own words for what is wrong.

The models forbid unknown fields and convert nothing. Tags of unions begin with a colon, so that they can be
told from field names in the path of an error.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict, Discriminator, ValidationError

from ccproxy.simulator.openai.errors import ApiError, invalid_value, missing_parameter, unknown_parameter

BAD_TAG = "unknown_tag"

JSON_TYPES = {
    "NoneType": "null",
    "bool": "a boolean",
    "int": "an integer",
    "float": "a decimal",
    "str": "a string",
    "list": "an array",
    "dict": "an object",
}
EXPECTED_TYPES = {
    "string_type": "a string",
    "int_type": "an integer",
    "float_type": "a decimal",
    "bool_type": "a boolean",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}


class Strict(BaseModel):
    """The base of every request model."""

    model_config = ConfigDict(extra="forbid", strict=True, protected_namespaces=(), serialize_by_alias=True)


def tagged(field: str, *allowed: str) -> Discriminator:
    """Chooses the member of a union by the value of `field`; the members' tags are `:<value>`."""
    return choosing(lambda value: found if (found := tag(value, field)) in allowed else None, field, allowed)


def text_or(other: str) -> Discriminator:
    """Chooses `:text` for a string and `other` for everything else."""
    return Discriminator(lambda value: ":text" if isinstance(value, str) else other)


def mode_or_tagged(field: str, *allowed: str) -> Discriminator:
    """Chooses `:mode` for a string, else by `field`."""

    def choose(value: Any) -> str | None:
        if isinstance(value, str):
            return "mode"
        return found if (found := tag(value, field)) in allowed else None

    return choosing(choose, field, allowed)


def tag(value: Any, field: str) -> Any:
    """The value of `field`, of an object as it came or of a model."""
    return value.get(field) if isinstance(value, dict) else getattr(value, field, None)


def choosing(choose: Callable[[Any], str | None], field: str, allowed: Sequence[str]) -> Discriminator:
    """A union whose member `choose` names (without the colon); `field` and `allowed` explain a failure."""

    def with_colon(value: Any) -> str | None:
        chosen = choose(value)
        return None if chosen is None else f":{chosen}"

    return Discriminator(
        with_colon,
        custom_error_type=BAD_TAG,
        custom_error_message="unknown tag",
        custom_error_context={"field": field, "allowed": _listed(allowed)},
    )


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a request body. Raises ApiError."""
    try:
        data = msgspec.json.decode(body)  # stricter than json: no NaN, no half of a surrogate pair
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ApiError(400, "We could not parse the JSON body of your request.") from None
    if not isinstance(data, dict):
        raise ApiError(400, "Expected the body of the request to be a JSON object.")
    return data


def validate[M: BaseModel](model: type[M], data: dict[str, Any]) -> M:
    """`data` as a `model`. Raises ApiError with the first thing that is wrong."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _refusal(dict(first)) from None


def path(location: tuple[int | str, ...]) -> str:
    """`messages[0].content[1].type`."""
    text = ""
    for step in location:
        if isinstance(step, int):
            text += f"[{step}]"
        elif not step.startswith(":"):
            text += f".{step}" if text else step
    return text


def _refusal(error: dict[str, Any]) -> ApiError:
    param, kind, given = path(error["loc"]), error["type"], error.get("input")
    context: dict[str, Any] = error.get("ctx", {})
    if kind == "extra_forbidden":
        return unknown_parameter(param)
    if kind == "missing":
        return missing_parameter(param)
    if kind == BAD_TAG:
        return _bad_tag(param, given, context)
    if kind == "literal_error":
        return invalid_value(
            param, f"Invalid value: {_shown(given)}. Supported values are: {context['expected']}."
        )
    if kind in EXPECTED_TYPES:
        got = JSON_TYPES.get(type(given).__name__, type(given).__name__)
        message = f"Invalid type for '{param}': expected {EXPECTED_TYPES[kind]}, but got {got} instead."
        return ApiError(400, message, param=param, code="invalid_type")
    if (limit := _limit(param, kind, given, context)) is not None:
        return limit
    return invalid_value(param, f"Invalid '{param}': {error['msg']}.")


def _bad_tag(param: str, given: Any, context: dict[str, Any]) -> ApiError:
    field = f"{param}.{context['field']}" if param else context["field"]
    if not isinstance(given, dict):
        got = JSON_TYPES.get(type(given).__name__, "something else")
        message = f"Invalid type for '{param}': expected an object, but got {got} instead."
        return ApiError(400, message, param=param, code="invalid_type")
    if given.get(context["field"]) is None:
        return missing_parameter(field)
    value = _shown(given[context["field"]])
    return invalid_value(field, f"Invalid value: {value}. Supported values are: {context['allowed']}.")


def _limit(param: str, kind: str, given: Any, context: dict[str, Any]) -> ApiError | None:
    match kind:
        case "greater_than_equal":
            number = "decimal" if isinstance(context["ge"], float) else "integer"
            code, bound = f"{number}_below_min_value", f"a value >= {context['ge']:g}"
            text = f"{number} below minimum value. Expected {bound}, but got {given} instead."
        case "less_than_equal":
            number = "decimal" if isinstance(context["le"], float) else "integer"
            code, bound = f"{number}_above_max_value", f"a value <= {context['le']:g}"
            text = f"{number} above maximum value. Expected {bound}, but got {given} instead."
        case "string_too_long":
            code, most = "string_above_max_length", context["max_length"]
            text = f"string too long. Expected a string with maximum length {most}, but got a longer one."
        case "string_too_short":
            code, text = "empty_string", "string too short. Expected a string that is not empty."
        case "too_short":
            code, text = "empty_array", "empty array. Expected an array with minimum length 1."
        case "too_long":
            code, most = "array_above_max_length", context["max_length"]
            text = f"array too long. Expected an array with maximum length {most}."
        case "string_pattern_mismatch":
            code, pattern = "invalid_value", context["pattern"]
            text = f"string does not match pattern. Expected a string that matches the pattern '{pattern}'."
        case _:
            return None
    return ApiError(400, f"Invalid '{param}': {text}", param=param, code=code)


def _shown(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else json.dumps(value)


def _listed(values: Sequence[str]) -> str:
    quoted = [f"'{value}'" for value in values]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else "".join(quoted)
