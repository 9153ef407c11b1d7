"""What is said when settings are wrong: one line per problem, with source, key and what is allowed."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ccproxy.settings.kinds import quoted
from ccproxy.settings.layout import LEAVES, TABLES, Kind, Leaf


@dataclass(frozen=True)
class Problem:
    """`source` is a file, `environment NAME` or an option; `key` is dotted, or empty for a whole file."""

    source: str
    key: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.source, self.key, self.message) if part)


class SettingsError(Exception):
    """Everything that is wrong with the settings, at once. No message holds the value of a secret."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def dotted(parts: Sequence[object]) -> str:
    """`("models", "rules", 0, "a b")` as `models.rules[0]."a b"`: the way TOML would write the key."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = re.fullmatch(r"[A-Za-z0-9_-]+", str(part))
            text += ("." if text else "") + (str(part) if bare else json.dumps(str(part)))
    return text


def unknown_key(table: str, name: str) -> str:
    """Says which keys the table has, and which key was probably meant."""
    names = list(TABLES[table].model_fields)
    close = difflib.get_close_matches(name, names, n=2) or [key for key in LEAVES if key.endswith(f".{name}")]
    meant = f"; did you mean {' or '.join(close)}?" if close else "."
    return f"unknown key{meant} {f'[{table}] has' if table else 'The tables are'}: {', '.join(names)}"


def shown(value: object) -> str:
    """A value as an error repeats it: short, and safe to print on a terminal."""
    match value:
        case str():
            return quoted(value)
        case bool():
            return str(value).lower()
        case int():
            return str(value) if value.bit_length() <= 64 else "this huge number"
        case float():
            return repr(value)
        case dict() | BaseModel():
            return "a table"
        case list() | tuple():
            return "a list"
        case None:
            return "nothing"
    return f"a {type(value).__name__}"


def explain(error: ValidationError, sources: Mapping[str, str], *, rules: bool) -> list[Problem]:
    """Pydantic's findings in the user's terms; `sources` says where each dotted key came from.

    Without `rules`, those that hold between several keys are left out.
    """
    details = error.errors(include_url=False)
    found = [_explain_one(detail, sources) for detail in details if rules or detail["type"] != "rule"]
    return list(dict.fromkeys(found))


def _explain_one(detail: ErrorDetails, sources: Mapping[str, str]) -> Problem:
    if detail["type"] == "rule":
        key = detail["ctx"]["key"]
        return Problem(sources.get(key, "default"), key, detail["msg"])
    leaf, rest = _leaf_at(detail["loc"])
    kind = leaf.kind
    walked: list[object] = [*leaf.key.split(".")]
    for part in rest:
        if not kind.is_container:
            break
        walked.append(part)
        kind = kind.inside(part)
    return Problem(sources.get(leaf.key, "default"), dotted(walked), _reason(detail, kind, leaf))


def _leaf_at(loc: tuple[int | str, ...]) -> tuple[Leaf, tuple[int | str, ...]]:
    for length in range(len(loc), 0, -1):
        if leaf := LEAVES.get(".".join(map(str, loc[:length]))):
            return leaf, loc[length:]
    raise AssertionError(f"an error outside the tree: {loc}")


def _reason(detail: ErrorDetails, kind: Kind, leaf: Leaf) -> str:
    match detail["type"]:
        case "value_error":
            return str(detail["ctx"]["error"])
        case "string_too_short":
            return "must not be empty"
        case "missing":
            return f"is missing: an entry is {leaf.kind.inside(0).allowed}"
        case "extra_forbidden":
            return f"unknown key: an entry is {leaf.kind.inside(0).allowed}"
    value = "the value" if leaf.secret else shown(detail["input"])
    return f"{value} is not {kind.allowed}"
