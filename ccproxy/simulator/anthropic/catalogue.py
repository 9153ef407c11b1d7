"""What ages, loaded from data: the models and the beta flags."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

type Sampling = Literal["fixed", "one", "both"]


@dataclass(frozen=True, slots=True)
class Model:
    """`created` is a date; `context` and `output` are tokens; see models.toml for the rest."""

    id: str
    name: str
    created: str
    context: int
    output: int
    thinking: tuple[str, ...]
    effort: tuple[str, ...]
    sampling: Sampling
    prefill: bool
    system: bool
    alias: str | None = None
    lifecycle: str = "active"

    @property
    def line(self) -> str:
        return next(line for line in ("haiku", "sonnet", "opus", "fable", "mythos") if line in self.id)


@dataclass(frozen=True, slots=True)
class Betas:
    """Known flags, and which of them open a top-level field, a nested field, a block type or a tool type."""

    known: frozenset[str]
    fields: dict[str, frozenset[str]]
    nested: dict[str, frozenset[str]]
    blocks: dict[str, frozenset[str]]
    tools: dict[str, frozenset[str]]


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads((files("ccproxy.simulator.anthropic") / name).read_text("utf-8"))


@cache
def models() -> tuple[Model, ...]:
    """All models, newest first."""
    data = _load("models.toml")
    return tuple(_model(data["generations"], row) for row in data["models"])


def _model(generations: dict[str, dict[str, Any]], row: dict[str, Any]) -> Model:
    values: dict[str, Any] = {**generations[row["generation"]], **row}
    del values["generation"]
    return Model(**{**values, "thinking": tuple(values["thinking"]), "effort": tuple(values["effort"])})


@cache
def _by_name() -> dict[str, Model]:
    aliases = {model.alias: model for model in models() if model.alias is not None}
    return {model.id: model for model in models()} | aliases


def find_model(name: str) -> Model | None:
    """The model of an id or an alias."""
    return _by_name().get(name)


@cache
def betas() -> Betas:
    data = _load("betas.toml")
    gates = {
        part: {name: frozenset(flags) for name, flags in data[part].items()}
        for part in ("fields", "nested", "blocks", "tools")
    }
    return Betas(known=frozenset(data["known"]), **gates)
