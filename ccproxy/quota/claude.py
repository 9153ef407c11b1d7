"""Claude's windows, from the headers of its answers.

Anthropic documents the limits of API keys only. What it sends with the login of a subscription, the `unified`
family, is known from public clients that read it (read 2026-11-22).
"""

import re
from collections.abc import Mapping
from datetime import datetime

from ccproxy.quota.windows import ProviderQuota, Window, lower, moment, share, text

FAMILY = "anthropic-ratelimit-unified"
_FIELD = re.compile(rf"{FAMILY}-([a-z0-9_]+)-(status|reset|utilization)")
_LINE = re.compile(r"(\d+[a-z]+)_([a-z0-9_]+)")
_CLAIM = re.compile(r"(five_hour|seven_day)(?:_([a-z0-9_]+))?")
_SPANS = {"five_hour": "5h", "seven_day": "7d"}


def from_headers(headers: Mapping[str, str], now: datetime) -> ProviderQuota | None:
    """What the headers say of the plan; None when they say nothing, as with an API key."""
    named = lower(headers)
    fields: dict[str, dict[str, str]] = {}
    for header, value in named.items():
        if match := _FIELD.fullmatch(header):
            fields.setdefault(match[1], {})[match[2]] = value
    if f"{FAMILY}-overage-disabled-reason" in named:
        # its status then only says that nothing can be bought
        fields.pop("overage", None)
    windows = [_window(*_name_and_model(label), found) for label, found in fields.items()]
    found = [window for window in windows if window]
    claimed = _claimed(named)
    if claimed and claimed.label not in (window.label for window in found):
        found.append(claimed)
    if not found:
        return None
    return ProviderQuota(tuple(found), now, claimed.label if claimed else None)


def _name_and_model(label: str) -> tuple[str, str | None]:
    """`7d` is for all models, `7d_opus` for one line of them."""
    match = _LINE.fullmatch(label)
    return (match[1], match[2]) if match else (label, None)


def _window(name: str, model: str | None, fields: Mapping[str, str]) -> Window | None:
    window = Window(
        name,
        share(fields.get("utilization")),
        moment(fields.get("reset")),
        text(fields.get("status")),
        model,
    )
    return window if (window.used, window.resets_at, window.status) != (None, None, None) else None


def _claimed(named: Mapping[str, str]) -> Window | None:
    """The window that decides: the status and the reset without a name are its own."""
    claim = text(named.get(f"{FAMILY}-representative-claim"))
    if claim is None:
        return None
    match = _CLAIM.fullmatch(claim)
    name, model = (_SPANS[match[1]], match[2]) if match else (claim, None)
    reset, status = named.get(f"{FAMILY}-reset"), named.get(f"{FAMILY}-status")
    return Window(name, None, moment(reset), text(status), model)
