"""Typed access to a client's JSON: what has the wrong type is a RequestError that names its field."""

from collections.abc import Callable
from typing import Any, NoReturn

from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject

_NAMES: dict[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "an array",
    dict: "an object",
}


def text(value: object, path: str) -> str:
    return value if isinstance(value, str) else _wrong("a string", value, path)


def integer(value: object, path: str) -> int:
    """A whole number; `true` is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return _wrong("a whole number", value, path)


def number(value: object, path: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return _wrong("a number", value, path)


def boolean(value: object, path: str) -> bool:
    return value if isinstance(value, bool) else _wrong("a boolean", value, path)


def array(value: object, path: str) -> list[Any]:
    return value if isinstance(value, list) else _wrong("an array", value, path)


def mapping(value: object, path: str) -> JsonObject:
    return value if isinstance(value, dict) else _wrong("an object", value, path)


def texts(value: object, path: str) -> tuple[str, ...]:
    """An array of strings, one by one."""
    return tuple(text(item, f"{path}.{index}") for index, item in enumerate(array(value, path)))


def optional[T](reader: Callable[[object, str], T], value: object, path: str) -> T | None:
    """None for what is absent or null, else what the reader makes of it."""
    return None if value is None else reader(value, path)


def _wrong(wanted: str, value: object, path: str) -> NoReturn:
    raise RequestError(path, f"must be {wanted}, not {_NAMES.get(type(value), 'something else')}")
