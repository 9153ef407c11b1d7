"""Which model answers: the user's rules, effort suffixes, and what each model accepts."""

import re
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from ccproxy.conversation.facts import ModelFacts
from ccproxy.conversation.request import EFFORTS, Effort
from ccproxy.routes import BackendName
from ccproxy.settings import Settings

_SUFFIX = re.compile(r"(?P<model>.+?)(?:\((?P<a>[a-z]+)\)|:(?P<b>[a-z]+))")


@dataclass(frozen=True, slots=True)
class Choice:
    """What becomes of the model that a client asked for; None where nothing was said."""

    model: str
    backend: BackendName | None = None
    effort: Effort | None = None


class ModelRules:
    """`models.rules`: the first rule that matches decides; without one the model stays as it is.

    A suffix `name(high)` or `name:high` sets the effort and is not part of the name.
    """

    def __init__(self, settings: Settings) -> None:
        self._rules = settings.models.rules

    def choose(self, asked: str) -> Choice:
        name, effort = split_effort(asked)
        for rule in self._rules:
            if fnmatchcase(name, rule.match):
                target, its_effort = split_effort(rule.target)
                return Choice(target, rule.backend, effort or rule.effort or its_effort)
        return Choice(name, None, effort)


def split_effort(name: str) -> tuple[str, Effort | None]:
    """The name without its effort suffix, and the effort."""
    if match := _SUFFIX.fullmatch(name):
        suffix = match["a"] or match["b"]
        for effort in EFFORTS:
            if suffix == effort:
                return match["model"], effort
    return name, None


@lru_cache(maxsize=256)
def facts(model: str) -> ModelFacts:
    """What a model accepts, from `models.toml`."""
    for row in _table():
        if any(fnmatchcase(model, pattern) for pattern in row["match"]):
            thinking = row.get("thinking", [])
            return ModelFacts(
                id=model,
                max_tokens=row["max_tokens"],
                sampling=row["sampling"],
                efforts=tuple(row["efforts"]),
                budget="enabled" in thinking,
                adaptive="adaptive" in thinking,
                disabled="disabled" in thinking,
                system_turns=row.get("system_turns", True),
                prefill=row.get("prefill", True),
                structured=row.get("structured", True),
                reasoning=row.get("reasoning", False),
            )
    raise LookupError(model)  # the last pattern of the table matches everything


@cache
def _table() -> list[dict[str, Any]]:  # the table's shape is checked by its test
    text = resources.files("ccproxy.backends").joinpath("models.toml").read_text()
    rows: list[dict[str, Any]] = tomllib.loads(text)["models"]
    return rows
