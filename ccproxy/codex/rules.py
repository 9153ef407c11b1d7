"""What the backends of a ChatGPT plan take and do not take: `rules.toml`, which says when it was read."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Rules:
    """One of the tables of `rules.toml`, which says what its fields mean; `renamed` maps types of tools."""

    name: str
    hints: Sequence[str]
    include: Sequence[str]
    named_choice: bool
    missing_tools: Sequence[str]
    keep: Mapping[str, Sequence[Any]]
    strip: Mapping[str, Sequence[Any]]
    renamed: Mapping[str, str]
    refused: Mapping[str, str]
    most_item_id: int
    most_cache_key: int


@cache
def rules(way: Literal["plan", "siwc"]) -> Rules:
    """`plan` for chatgpt.com/backend-api/codex, `siwc` for plan usage of Sign in with ChatGPT."""
    table = _table()
    limits = table["limits"]
    return Rules(
        **table[way],
        renamed=table["tools"]["renamed"],
        refused=table["refused"],
        most_item_id=limits["item_id"],
        most_cache_key=limits["cache_key"],
    )


def client_version() -> str:
    """The version of the Codex CLI with which to ask the plan's backend for its models."""
    version: str = _table()["catalogue"]["client_version"]
    return version


def private_events() -> tuple[str, ...]:
    """How the names of events begin that the public API does not have."""
    return tuple(_table()["stream"]["private"])


@cache
def _table() -> dict[str, Any]:  # the table's shape is checked by its test
    return tomllib.loads(resources.files("ccproxy.codex").joinpath("rules.toml").read_text())
