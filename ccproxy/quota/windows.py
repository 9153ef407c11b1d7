"""The windows in which a plan is counted, and what each provider last said of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Literal

from ccproxy.conversation.parts import JsonObject

Provider = Literal["claude", "codex"]

LONGEST_TEXT = 100
"""Characters of a provider's name for something; nothing that is a name is longer."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time in which so much of the plan may be used.

    `name` is its length ("5h", "7d") or else what the provider calls it. `used` is 0 to 1, None when the
    provider does not say. `status` is the provider's own word. `model` names the line of models that the
    window is for; None when it is for all of them.
    """

    name: str
    used: float | None
    resets_at: datetime | None = None
    status: str | None = None
    model: str | None = None

    @property
    def label(self) -> str:
        """What tells it from the provider's other windows: "7d", or "7d_opus" for one line of models."""
        return f"{self.name}_{self.model}" if self.model else self.name


@dataclass(frozen=True, slots=True)
class Credits:
    """What is paid for beside the plan; `balance` as the provider writes it."""

    has_credits: bool | None = None
    unlimited: bool | None = None
    balance: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderQuota:
    """What one provider said, or has said so far; `binding` is the label of the window that decides."""

    windows: tuple[Window, ...]
    seen_at: datetime
    binding: str | None = None
    plan: str | None = None
    credits: Credits | None = None


class Quota:
    """The last word of each provider."""

    def __init__(self) -> None:
        self.last: dict[Provider, ProviderQuota] = {}

    def saw(self, provider: Provider, news: ProviderQuota) -> None:
        """Keep what is new, and of the old what it does not speak of and is not over yet."""
        before = self.last.get(provider) or news
        told = {window.label for window in news.windows}
        still = [w for w in before.windows if w.label not in told and lasts(w, news.seen_at)]
        self.last[provider] = ProviderQuota(
            tuple(sorted((*news.windows, *still), key=lambda window: window.model or "")),
            news.seen_at,
            binding=news.binding or before.binding,
            plan=news.plan or before.plan,
            credits=news.credits or before.credits,
        )

    def as_json(self) -> JsonObject:
        """`{"claude":{"windows":[{"name","used","resets_at","status","model"?}],"binding","seen_at"},"codex":{…}}`

        A provider that was never seen is null. `plan` and `credits` are there when the provider names them.
        Times are RFC 3339.
        """
        return {name: _provider_json(self.last.get(name)) for name in ("claude", "codex")}


def lasts(window: Window, now: datetime) -> bool:
    """Whether it is known to go on."""
    return window.resets_at is not None and window.resets_at > now


def number(value: object) -> float | None:
    """A number that is not negative, from JSON or from a header."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if isfinite(found) and found >= 0 else None


def share(value: object, whole: float = 1) -> float | None:
    """A part of `whole` as 0 to 1; providers count on above the whole."""
    found = number(value)
    return None if found is None else min(round(found / whole, 6), 1.0)


def moment(value: object) -> datetime | None:
    """A time from Unix seconds; 0 stands for none."""
    seconds = number(value)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (ValueError, OverflowError, OSError):
        return None


def text(value: object) -> str | None:
    """A short text that can be shown."""
    return (
        value if isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and value.isprintable() else None
    )


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers under names in lower case: providers spell them in more than one way."""
    return {name.lower(): value.strip() for name, value in headers.items()}


def _provider_json(seen: ProviderQuota | None) -> JsonObject | None:
    if seen is None:
        return None
    written: dict[str, Any] = {
        "windows": [_window_json(window) for window in seen.windows],
        "binding": seen.binding,
        "seen_at": seen.seen_at.isoformat(timespec="seconds"),
    }
    if seen.plan:
        written["plan"] = seen.plan
    if seen.credits:
        written["credits"] = {
            "has_credits": seen.credits.has_credits,
            "unlimited": seen.credits.unlimited,
            "balance": seen.credits.balance,
        }
    return written


def _window_json(window: Window) -> JsonObject:
    written: JsonObject = {
        "name": window.name,
        "used": window.used,
        "resets_at": window.resets_at.isoformat(timespec="seconds") if window.resets_at else None,
        "status": window.status,
    }
    return {**written, "model": window.model} if window.model else written
