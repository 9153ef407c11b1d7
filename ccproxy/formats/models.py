"""Model lists in the shape that the client reads (Anthropic's and OpenAI's references, read 2026-11-22)."""

from datetime import UTC, datetime
from typing import Any

import msgspec

LATEST = 253402300800
"""The first second of the year 10000, which no date of a model reaches."""


def to_openai(body: bytes) -> bytes:
    """A list or a single model of Anthropic's as OpenAI's. Raises ValueError when it is neither."""
    value = _decode(body)
    if "data" not in value:
        return msgspec.json.encode(_openai_model(value))
    return msgspec.json.encode({"object": "list", "data": [_openai_model(model) for model in value["data"]]})


def to_anthropic(body: bytes) -> bytes:
    """A list or a single model of OpenAI's as Anthropic's. Raises ValueError when it is neither."""
    value = _decode(body)
    if "data" not in value:
        return msgspec.json.encode(_anthropic_model(value))
    models = [_anthropic_model(model) for model in value["data"]]
    ends = {"first_id": models[0]["id"], "last_id": models[-1]["id"]} if models else {}
    return msgspec.json.encode({"data": models, "has_more": False, "first_id": None, "last_id": None, **ends})


def _decode(body: bytes) -> dict[str, Any]:
    value = msgspec.json.decode(body)
    models = value.get("data", [value]) if isinstance(value, dict) else None
    if not isinstance(models, list) or not all(
        isinstance(m, dict) and isinstance(m.get("id"), str) for m in models
    ):
        raise ValueError("not a list of models")
    return dict(value)


def _openai_model(model: dict[str, Any]) -> dict[str, Any]:
    try:
        created = int(datetime.fromisoformat(str(model.get("created_at"))).timestamp())
    except ValueError:
        created = 0
    return {"id": model["id"], "object": "model", "created": created, "owned_by": "anthropic"}


def _anthropic_model(model: dict[str, Any]) -> dict[str, Any]:
    created = model.get("created")
    seconds = created if isinstance(created, int) and 0 <= created < LATEST else 0
    return {
        "type": "model",
        "id": model["id"],
        "display_name": model["id"],
        "created_at": datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
