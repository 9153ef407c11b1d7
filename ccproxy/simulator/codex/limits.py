"""Plan windows: fixed figures; only the reset times follow the clock."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Window:
    name: str
    used_percent: float
    minutes: int

    def resets_at(self, now: float) -> int:
        """The end of the running window, in Unix seconds."""
        seconds = self.minutes * 60
        return (int(now) // seconds + 1) * seconds


PRIMARY = Window("primary", 12.5, 300)
SECONDARY = Window("secondary", 40.0, 10080)
WINDOWS = (PRIMARY, SECONDARY)
EXTRA_LIMIT = "codex_bengalfox"
"""A limit that is metered on its own, beside the plan's."""


def headers(now: float, exhausted_until: int | None = None) -> dict[str, str]:
    """The `x-codex-*` headers of an answer; `exhausted_until` (Unix seconds) on a used-up primary window."""
    found = _family("x-codex", now, exhausted_until)
    found |= _family(f"x-{EXTRA_LIMIT.replace('_', '-')}", now, None)
    return found | {
        f"x-{EXTRA_LIMIT.replace('_', '-')}-limit-name": "Bengalfox",
        "x-codex-credits-has-credits": "false",
        "x-codex-credits-unlimited": "false",
        "x-codex-credits-balance": "0",
        "x-codex-active-limit": "codex",
    }


def _family(prefix: str, now: float, exhausted_until: int | None) -> dict[str, str]:
    found = {}
    for window in WINDOWS:
        used, reset = _figures(window, now, exhausted_until)
        found[f"{prefix}-{window.name}-used-percent"] = f"{used:g}"
        found[f"{prefix}-{window.name}-window-minutes"] = str(window.minutes)
        found[f"{prefix}-{window.name}-reset-at"] = str(reset)
        found[f"{prefix}-{window.name}-reset-after-seconds"] = str(max(reset - int(now), 0))
    return found


def _figures(window: Window, now: float, exhausted_until: int | None) -> tuple[float, int]:
    if exhausted_until is not None and window is PRIMARY:
        return 100.0, exhausted_until
    return window.used_percent, window.resets_at(now)


def event(now: float, plan: str) -> dict[str, Any]:
    """The `codex.rate_limits` event that comes before the response."""
    windows = {
        window.name: {
            "used_percent": window.used_percent,
            "window_minutes": window.minutes,
            "reset_at": window.resets_at(now),
        }
        for window in WINDOWS
    }
    return {
        "type": "codex.rate_limits",
        "plan_type": plan,
        "rate_limits": windows,
        "credits": {"has_credits": False, "unlimited": False, "balance": "0"},
    }


def usage(now: float, plan: str) -> dict[str, Any]:
    """The body of `GET /wham/usage`."""
    windows = {
        f"{window.name}_window": {
            "used_percent": window.used_percent,
            "limit_window_seconds": window.minutes * 60,
            "reset_at": window.resets_at(now),
        }
        for window in WINDOWS
    }
    return {
        "plan_type": plan,
        "rate_limit": windows,
        "credits": {"has_credits": False, "unlimited": False, "balance": "0"},
    }
