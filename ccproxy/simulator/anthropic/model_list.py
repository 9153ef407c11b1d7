"""`GET /v1/models` and `GET /v1/models/{id}`."""

from collections.abc import Sequence
from typing import Any

from starlette.datastructures import QueryParams

from ccproxy.simulator.anthropic.catalogue import Model, find_model, models
from ccproxy.simulator.anthropic.errors import ApiError, invalid

EFFORTS = ("low", "medium", "high", "xhigh", "max")
THINKING = ("adaptive", "enabled", "disabled", "between_tools")


def one(name: str) -> dict[str, Any]:
    model = find_model(name)
    if model is None:
        raise ApiError(404, f"model: {name}")
    return info(model)


def page(query: QueryParams) -> dict[str, Any]:
    """One page, newest first. Parameters: limit (1-1000, 20), after_id, before_id, lifecycle[]."""
    limit = _limit(query.get("limit", "20"))
    wanted = query.getlist("lifecycle[]") or query.getlist("lifecycle")
    rows = [model for model in models() if not wanted or model.lifecycle in wanted]
    after, before = query.get("after_id"), query.get("before_id")
    if after is not None and before is not None:
        raise invalid("Only one of after_id and before_id may be given.")
    if after is not None:
        rows = rows[_position(rows, after) + 1 :]
        shown, more = rows[:limit], len(rows) > limit
    elif before is not None:
        rows = rows[: _position(rows, before)]
        shown, more = rows[-limit:], len(rows) > limit
    else:
        shown, more = rows[:limit], len(rows) > limit
    return {
        "data": [info(model) for model in shown],
        "has_more": more,
        "first_id": shown[0].id if shown else None,
        "last_id": shown[-1].id if shown else None,
    }


def info(model: Model) -> dict[str, Any]:
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.name,
        "created_at": f"{model.created}T00:00:00Z",
        "lifecycle": model.lifecycle,
        "deprecated_at": None,
        "retires_at": None,
        "line": model.line,
        "max_input_tokens": model.context,
        "max_tokens": model.output,
        "capabilities": _capabilities(model),
    }


def _capabilities(model: Model) -> dict[str, Any]:
    yes, no = {"supported": True}, {"supported": False}
    return {
        **dict.fromkeys(("batch", "citations", "code_execution", "image_input", "pdf_input"), yes),
        "structured_outputs": yes,
        "server_tools": {"supported": True, "code_execution": yes, "web_search": yes},
        "context_management": {
            "supported": True,
            "clear_tool_uses_20250919": yes,
            "clear_thinking_20251015": yes,
            "compact_20260112": no,
        },
        "effort": {
            "supported": bool(model.effort),
            **{level: yes if level in model.effort else no for level in EFFORTS},
        },
        "thinking": {
            "supported": model.thinking != ("disabled",),
            "types": {kind: yes if kind in model.thinking else no for kind in THINKING},
        },
    }


def _limit(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1000:
        raise invalid("limit: Input should be between 1 and 1000")
    return int(text)


def _position(rows: Sequence[Model], name: str) -> int:
    for number, model in enumerate(rows):
        if name in (model.id, model.alias):
            return number
    raise invalid(f"Model '{name}' not found")
