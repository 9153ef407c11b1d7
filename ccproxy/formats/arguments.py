"""The arguments of tool calls: a JSON text in the OpenAI formats, an object in Messages."""

import json
import math
from typing import Any

from ccproxy.conversation.parts import JsonObject

RAW = "_raw"
"""The property under which arguments stand that are no JSON object and cannot be made one."""


def as_object(arguments: str) -> JsonObject:
    """The object that the text says.

    A text that was cut short is closed first; one that is no object even then becomes `{"_raw": text}`.
    """
    if not arguments.strip():
        return {}
    for text in (arguments, _closed(arguments)):
        if (value := whole(text)) is not None:
            return value
    return {RAW: arguments}


def whole(arguments: str) -> JsonObject | None:
    """The object when the text is one as it stands, else None."""
    try:
        value = json.loads(arguments, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return writable(value, arguments) if isinstance(value, dict) else None


def writable(value: JsonObject, text: str) -> JsonObject:
    """The object that was read from `text`, with halves of surrogate pairs replaced.

    An escaped half is legal JSON, and cannot be written as UTF-8.
    """
    if "\\ud" not in text.lower():
        return value
    return dict(json.loads(compact(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")))


def compact(value: Any) -> str:
    """JSON without white space, keys in their order, non-ASCII characters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def wrap_input(text: str) -> str:
    """The arguments of a function that stands for a custom tool: one property `input`."""
    return compact({"input": text})


def unwrap_input(arguments: str) -> str:
    """The input of a custom tool out of such arguments; the text itself when the model kept no form."""
    value = whole(arguments)
    text = value.get("input") if value else None
    return text if isinstance(text, str) else arguments


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"{number} is too large")
    return value


def _closed(text: str) -> str:
    """`text` with the quote and the brackets that are missing at its end."""
    closers: list[str] = []
    in_string = escaped = False
    for char in text:
        if escaped:
            escaped = False
        elif in_string:
            escaped, in_string = char == "\\", char != '"'
        elif char == '"':
            in_string = True
        elif char in "{[":
            closers.append("}" if char == "{" else "]")
        elif char in "}]" and closers:
            closers.pop()
    if escaped:
        text = text[:-1]
    if in_string:
        text += '"'
    return text.rstrip().removesuffix(",") + "".join(reversed(closers))
