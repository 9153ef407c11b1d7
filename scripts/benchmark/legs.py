"""The legs of the benchmark: from which client format to Anthropic's Messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from . import chat, messages, responses
from .dialect import Dialect

Leg = Literal["passthrough", "chat", "responses"]
LEGS: tuple[Leg, ...] = get_args(Leg)
TRANSLATED: tuple[Leg, ...] = ("chat", "responses")

TITLES: dict[Leg, str] = {
    "passthrough": "Messages passed through",
    "chat": "Chat Completions to Claude",
    "responses": "Responses to Claude",
}

_DIALECTS: dict[Leg, tuple[str, Dialect]] = {
    "passthrough": ("messages", messages),
    "chat": ("chat/completions", chat),
    "responses": ("responses", responses),
}


@dataclass(frozen=True)
class Route:
    """Where a contender takes the requests of a leg, and in which format."""

    path: str
    dialect: Dialect


Routes = Mapping[Leg, Route]


def routes(prefix: str, *legs: Leg) -> Routes:
    """Routes with the usual names below a prefix, of the legs given or else of all."""
    return {
        leg: Route(f"{prefix}/{name}", dialect)
        for leg, (name, dialect) in _DIALECTS.items()
        if leg in (legs or LEGS)
    }


UNTRANSLATED: Routes = dict.fromkeys(LEGS, Route("/v1/messages", messages))
"""The zero line: whatever the leg, the upstream is asked in its own format."""
