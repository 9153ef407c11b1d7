"""What a provider answers when it is asked how much of a plan is used, in the words of its other answers.

Neither endpoint is documented: the shapes are those that public clients read, the Codex CLI among them
(read 2026-11-22).
"""

import re
from datetime import UTC, datetime
from itertools import chain

from ccproxy.conversation.parts import JsonObject
from ccproxy.quota.codex import OWN, CodexReader, limit_id
from ccproxy.quota.windows import ProviderQuota, Window, number, share, text

_NAMED = re.compile(r"(five_hour|seven_day)(?:_([a-z0-9_]+))?")
_SPANS = {"five_hour": "5h", "seven_day": "7d"}
_KINDS = {"session": "5h", "weekly_all": "7d", "weekly_scoped": "7d"}


def claude_from_usage(data: JsonObject, now: datetime) -> ProviderQuota | None:
    """`GET /api/oauth/usage`; None when it says nothing.

    Newer answers have `limits`, older ones a field for each window; where both speak of one window, `limits`
    counts. Which window decides is not said.
    """
    limits = data.get("limits")
    old = (_named(name, found) for name, found in data.items())
    new = (_limit(found) for found in limits) if isinstance(limits, list) else ()
    windows = {window.label: window for window in chain(old, new) if window}
    return ProviderQuota(tuple(windows.values()), now) if windows else None


def codex_from_usage(data: JsonObject, now: datetime) -> ProviderQuota | None:
    """`GET /wham/usage`; None when it says nothing. The fullest of the plan's own windows decides."""
    reader = CodexReader()
    event = {"plan_type": data.get("plan_type"), "credits": data.get("credits")}
    own = reader.event({**event, "rate_limits": _positions(data.get("rate_limit"))}, now)
    more = data.get("additional_rate_limits")
    others = more if isinstance(more, list) else ()
    found = [part for part in (own, *(_other_limit(reader, limit, now) for limit in others)) if part]
    if not found:
        return None
    return ProviderQuota(
        tuple(window for part in found for window in part.windows),
        now,
        own.binding if own else None,
        text(data.get("plan_type")),
        own.credits if own else None,
    )


def _named(name: str, found: object) -> Window | None:
    match = _NAMED.fullmatch(name)
    if match is None or not isinstance(found, dict):
        return None
    return _window(_SPANS[match[1]], found.get("utilization"), found.get("resets_at"), match[2])


def _limit(found: object) -> Window | None:
    if not isinstance(found, dict) or (kind := text(found.get("kind"))) not in _KINDS:
        return None
    model = _scope(found.get("scope"))
    if kind == "weekly_scoped" and model is None:
        # without the name it would pass for the window of all models
        return None
    return _window(_KINDS[kind], found.get("percent"), found.get("resets_at"), model)


def _scope(scope: object) -> str | None:
    """The line of models as headers spell it: "Opus" is `opus`."""
    model = scope.get("model") if isinstance(scope, dict) else None
    name = text(model.get("display_name")) if isinstance(model, dict) else None
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or None if name else None


def _window(name: str, percent: object, resets_at: object, model: str | None) -> Window | None:
    used, reset = share(percent, 100), _iso(resets_at)
    return None if used is None and reset is None else Window(name, used, reset, model=model)


def _iso(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        return found and found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _other_limit(reader: CodexReader, limit: object, now: datetime) -> ProviderQuota | None:
    """One that is metered by itself; without its id it would pass for the plan's own."""
    if not isinstance(limit, dict):
        return None
    metered, name = text(limit.get("metered_feature")), text(limit.get("limit_name"))
    spelled = metered or name
    if spelled is None or limit_id(spelled) == OWN:
        return None
    if name:
        reader.names[limit_id(spelled)] = name
    return reader.event(
        {"metered_limit_name": spelled, "rate_limits": _positions(limit.get("rate_limit"))}, now
    )


def _positions(limit: object) -> JsonObject:
    """The windows of a limit as events have them, whose lengths are in minutes."""
    found = limit if isinstance(limit, dict) else {}
    windows = {position: found.get(f"{position}_window") for position in ("primary", "secondary")}
    return {
        position: {**window, "window_minutes": _minutes(window.get("limit_window_seconds"))}
        for position, window in windows.items()
        if isinstance(window, dict)
    }


def _minutes(seconds: object) -> float | None:
    found = number(seconds)
    return None if found is None else found / 60
