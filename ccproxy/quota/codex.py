"""The windows of a ChatGPT plan, from the headers of Codex's answers and from the events in its streams.

Known from the source of the Codex CLI and from public clients (read 2026-11-22). One plan can have several
limits: its own, with the id `codex`, and others that are metered by themselves. Each has up to two windows,
the primary and the secondary; their lengths vary.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from ccproxy.conversation.parts import JsonObject
from ccproxy.quota.windows import Credits, ProviderQuota, Window, lower, moment, number, share, text

OWN = "codex"
"""The id of the limit that is the plan's own."""

_FIELD = re.compile(
    r"x-([a-z0-9][a-z0-9-]*)-(primary|secondary)-(used-percent|window-minutes|reset-at|reset-after-seconds)"
)
_UNITS = ((1440, "d"), (60, "h"), (1, "m"))
_TRUTHS = {"true": True, "false": False, "1": True, "0": False}


class CodexReader:
    """Reads headers and events; it remembers what limits are called, because events have only their ids."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def headers(self, headers: Mapping[str, str], now: datetime) -> ProviderQuota | None:
        """What the headers say of the plan; None when they say nothing."""
        named = lower(headers)
        fields: dict[tuple[str, str], JsonObject] = {}
        for header, value in named.items():
            if match := _FIELD.fullmatch(header):
                key = limit_id(match[1]), match[2]
                fields.setdefault(key, {})[match[3].replace("-", "_")] = value
                if name := text(named.get(f"x-{match[1]}-limit-name")):
                    self.names[key[0]] = name
        windows = [
            _window(position, found, self.model(limit), now) for (limit, position), found in fields.items()
        ]
        paid = _credits({key: named.get(f"x-codex-credits-{key.replace('_', '-')}") for key in _CREDITS})
        active = self.model(limit_id(named.get("x-codex-active-limit", OWN)))
        return _quota(windows, active, text(named.get("x-codex-plan-type")), paid, now)

    def event(self, data: JsonObject, now: datetime) -> ProviderQuota | None:
        """What a `codex.rate_limits` event says of the plan; None when it says nothing."""
        metered = text(data.get("metered_limit_name")) or text(data.get("limit_name")) or OWN
        model = self.model(limit_id(metered))
        limits = data.get("rate_limits")
        found = limits if isinstance(limits, dict) else {}
        windows = [
            _window(position, found[position], model, now)
            for position in ("primary", "secondary")
            if isinstance(found.get(position), dict)
        ]
        balance = data.get("credits")
        paid = _credits(balance) if isinstance(balance, dict) else None
        return _quota(windows, model, text(data.get("plan_type")), paid, now)

    def model(self, limit: str) -> str | None:
        """What a limit is for, as people know it; None for the plan's own."""
        return None if limit == OWN else self.names.get(limit, limit)


def limit_id(spelled: str) -> str:
    """The id of a limit as headers and events write it."""
    return spelled.lower().replace("-", "_")


def span(minutes: float) -> str:
    """A length of time in the largest unit that divides it: 300 is "5h", 10080 is "7d"."""
    whole = int(minutes)
    size, unit = next((size, unit) for size, unit in _UNITS if whole % size == 0)
    return f"{whole // size}{unit}"


def _window(position: str, fields: JsonObject, model: str | None, now: datetime) -> Window | None:
    used = share(fields.get("used_percent"), 100)
    minutes = number(fields.get("window_minutes"))
    resets_at = moment(fields.get("reset_at"))
    if not (used or minutes or resets_at):
        # nothing but zeros: the plan has no such window
        return None
    if resets_at is None:
        resets_at = _after(number(fields.get("reset_after_seconds")), now)
    if used is None and resets_at is None:
        return None
    return Window(span(minutes) if minutes and minutes >= 1 else position, used, resets_at, model=model)


def _after(seconds: float | None, now: datetime) -> datetime | None:
    try:
        return None if seconds is None else now + timedelta(seconds=seconds)
    except OverflowError:
        return None


_CREDITS = ("has_credits", "unlimited", "balance")


def _credits(fields: JsonObject) -> Credits | None:
    has_credits, unlimited, balance = (fields.get(key) for key in _CREDITS)
    found = Credits(_truth(has_credits), _truth(unlimited), text(balance))
    return None if found == Credits() else found


def _truth(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return _TRUTHS.get(value.lower()) if isinstance(value, str) else None


def _quota(
    windows: Iterable[Window | None],
    active: str | None,
    plan: str | None,
    paid: Credits | None,
    now: datetime,
) -> ProviderQuota | None:
    found = tuple(window for window in windows if window)
    if not found and paid is None:
        return None
    return ProviderQuota(found, now, _binding(found, active), plan, paid)


def _binding(windows: tuple[Window, ...], active: str | None) -> str | None:
    """Codex does not say which window decides: the fullest one of the limit that the request counted on."""
    of_active = [window for window in windows if window.model == active]
    of_plan = [window for window in windows if window.model is None]
    fullest = max(of_active or of_plan, key=lambda window: window.used or 0, default=None)
    return fullest.label if fullest else None
