"""Rate-limit headers and subscription windows: fixed figures; only the reset times follow the clock."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

ORGANIZATION = "11111111-2222-4333-8444-555555555555"
FIVE_HOURS = 5 * 3600
SEVEN_DAYS = 7 * 86400
FIVE_HOUR_USED = 0.42
SEVEN_DAY_USED = 0.17

type Clock = Callable[[], float]


def headers(kind: Literal["key", "oauth"], limited: bool = False, clock: Clock = time.time) -> dict[str, str]:
    """The headers for an API key or an OAuth token; `limited` on a 429."""
    return _unified(limited, clock()) if kind == "oauth" else _classic(limited, clock())


def _classic(limited: bool, now: float) -> dict[str, str]:
    reset = _iso(_next(now, 60))
    found = {}
    for name, limit in (
        ("requests", 4_000),
        ("tokens", 2_400_000),
        ("input-tokens", 2_000_000),
        ("output-tokens", 400_000),
    ):
        start = f"anthropic-ratelimit-{name}"
        found[f"{start}-limit"] = str(limit)
        found[f"{start}-remaining"] = "0" if limited else str(limit - 1)
        found[f"{start}-reset"] = reset
    return found


def _unified(limited: bool, now: float) -> dict[str, str]:
    status = "rejected" if limited else "allowed"
    five, seven = str(_next(now, FIVE_HOURS)), str(_next(now, SEVEN_DAYS))
    start = "anthropic-ratelimit-unified"
    return {
        f"{start}-status": status,
        f"{start}-reset": five,
        f"{start}-representative-claim": "five_hour",
        f"{start}-5h-status": status,
        f"{start}-5h-reset": five,
        f"{start}-5h-utilization": "1.0" if limited else str(FIVE_HOUR_USED),
        f"{start}-7d-status": "allowed",
        f"{start}-7d-reset": seven,
        f"{start}-7d-utilization": str(SEVEN_DAY_USED),
        f"{start}-overage-status": "rejected",
        f"{start}-overage-disabled-reason": "org_level_disabled",
        f"{start}-fallback-percentage": "0.5",
    }


def windows(clock: Clock = time.time) -> dict[str, Any]:
    """The body of `GET /api/oauth/usage`: the same windows, in per cent."""
    five, seven = _iso(_next(clock(), FIVE_HOURS)), _iso(_next(clock(), SEVEN_DAYS))
    session, week = FIVE_HOUR_USED * 100, SEVEN_DAY_USED * 100
    return {
        "five_hour": {"utilization": session, "resets_at": five},
        "seven_day": {"utilization": week, "resets_at": seven},
        "seven_day_opus": None,
        "seven_day_sonnet": None,
        "extra_usage": {
            "is_enabled": False,
            "monthly_limit": None,
            "used_credits": None,
            "utilization": None,
        },
        "limits": [
            {"kind": "session", "percent": session, "severity": "normal", "resets_at": five},
            {"kind": "weekly_all", "percent": week, "severity": "normal", "resets_at": seven},
        ],
    }


def _next(now: float, window: int) -> int:
    """The end of the running window, in Unix seconds."""
    return (int(now) // window + 1) * window


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
