"""The models of models.toml."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ccproxy.simulator.openai.errors import ApiError, model_not_found

SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True, slots=True)
class Model:
    """`created` is in Unix seconds; `context` and `output` are tokens; see models.toml for the rest."""

    id: str
    created: int
    effort: tuple[str, ...]
    context: int
    output: int
    phases: bool
    cache_writes: bool

    @property
    def reasons(self) -> bool:
        return bool(self.effort)

    @property
    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "object": "model", "created": self.created, "owned_by": "openai"}


@cache
def models() -> dict[str, Model]:
    """All models by id, newest first."""
    data = tomllib.loads((files("ccproxy.simulator.openai") / "models.toml").read_text("utf-8"))
    return {name: _model(name, row, data["generations"]) for name, row in data["models"].items()}


def _model(name: str, row: dict[str, Any], generations: dict[str, dict[str, Any]]) -> Model:
    generation = generations[row["generation"]]
    effort = tuple(generation["effort"])
    return Model(**{**generation, "id": name, "created": row["created"], "effort": effort})


def find(name: str) -> Model:
    """The model of an id, dated or not. Raises ApiError."""
    model = models().get(SNAPSHOT.sub("", name))
    if model is None:
        raise model_not_found(name)
    return model


def check_effort(model: Model, effort: str | None, param: str) -> None:
    """Raises ApiError when the model does not know this reasoning effort."""
    if effort is None or effort in model.effort:
        return
    if not model.reasons:
        raise ApiError(
            400,
            f"Unsupported parameter: '{param}' is not supported with this model.",
            param=param,
            code="unsupported_parameter",
        )
    known = ", ".join(f"'{level}'" for level in model.effort)
    raise ApiError(
        400,
        f"Unsupported value: '{effort}' is not supported with the '{model.id}' model. "
        f"Supported values are: {known}.",
        param=param,
        code="unsupported_value",
    )
