"""Model lists in the shape that the client reads.

Anthropic's and OpenAI's references; for a ChatGPT plan the source of the Codex CLI (all read 2026-11-22).
"""

from datetime import UTC, datetime
from typing import Any

import msgspec

LATEST = 253402300800
"""The first second of the year 10000, which no date of a model reaches."""


def to_openai(body: bytes) -> bytes:
    """A list or a single model of another provider's as OpenAI's. Raises ValueError when it is neither."""
    value = _decode(body)
    models = _listed(value)
    if models is None:
        return msgspec.json.encode(_openai_model(value))
    return msgspec.json.encode({"object": "list", "data": [_openai_model(model) for model in models]})


def to_anthropic(body: bytes) -> bytes:
    """A list or a single model of another provider's as Anthropic's. Raises ValueError when it is neither."""
    value = _decode(body)
    models = _listed(value)
    if models is None:
        return msgspec.json.encode(_anthropic_model(value))
    data = [_anthropic_model(model) for model in models]
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {}
    return msgspec.json.encode({"data": data, "has_more": False, "first_id": None, "last_id": None, **ends})


def pick(body: bytes, model_id: str) -> bytes | None:
    """One model out of a list, for providers that offer only the whole; None when the list does not show it.

    Raises ValueError when `body` is no list.
    """
    models = _listed(_decode(body))
    if models is None:
        raise ValueError("not a list of models")
    found = next((model for model in models if _id(model) == model_id), None)
    return None if found is None else msgspec.json.encode(found)


def _decode(body: bytes) -> dict[str, Any]:
    value = msgspec.json.decode(body)
    if not isinstance(value, dict):
        raise ValueError("not a list of models")
    models = value.get("data", value.get("models", [value]))
    if not isinstance(models, list) or not all(isinstance(m, dict) and _id(m) is not None for m in models):
        raise ValueError("not a list of models")
    return value


def _listed(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The models of a list that are meant to be seen; None for a single model."""
    models: list[dict[str, Any]] | None = value.get("data", value.get("models"))
    return None if models is None else [model for model in models if model.get("visibility") != "hide"]


def _id(model: dict[str, Any]) -> str | None:
    """A model's id, which the list of a ChatGPT plan calls its slug."""
    name = model.get("id", model.get("slug"))
    return name if isinstance(name, str) else None


def _openai_model(model: dict[str, Any]) -> dict[str, Any]:
    try:
        created = int(datetime.fromisoformat(str(model.get("created_at"))).timestamp())
    except ValueError:
        created = 0
    owner = "openai" if "slug" in model else "anthropic"
    return {"id": _id(model), "object": "model", "created": created, "owned_by": owner}


def _anthropic_model(model: dict[str, Any]) -> dict[str, Any]:
    created, shown = model.get("created"), model.get("display_name")
    seconds = created if isinstance(created, int) and 0 <= created < LATEST else 0
    return {
        "type": "model",
        "id": _id(model),
        "display_name": shown if isinstance(shown, str) else _id(model),
        "created_at": datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
