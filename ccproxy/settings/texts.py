"""Texts (of the environment, the command line, `config set`) as the types they stand for."""

import json
from typing import Literal, get_args

from ccproxy.settings.layout import Kind

_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


def from_text(text: str, kind: Kind) -> object:
    """A text of the environment or the command line as the type it stands for.

    What does not fit comes back as it is, for the type check to refuse; broken JSON raises ValueError.
    """
    if kind.base is bool:
        word = text.strip().lower()
        return word in _TRUE if word in _TRUE + _FALSE else text
    if kind.base in (int, float):
        try:
            return kind.base(text)
        except ValueError:
            return text
    if kind.container is Literal:
        word = text.strip().lower()
        return next((choice for choice in get_args(kind.base) if choice.lower() == word), text)
    if kind.container in (list, dict):
        return _from_json(text) if text.lstrip()[:1] in ("[", "{") else _from_commas(text)
    return text


def _from_commas(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _from_json(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        # some of Python's messages end in "at" themselves
        what = error.msg.removesuffix(" at")
        raise ValueError(f"is not JSON: {what} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None
