"""When a request is sent again: pure, for whoever sends it.

What has failed may still have been done, and these requests cost money. So an answer is repeated only when
it says that nothing was done (a limit, an overload), or when the upstream itself says that asking again is
right. A connection that is lost before the first byte of an answer leaves that open: it is repeated as the
providers' own clients do, and never with `attempts = 0` (RFC 9110, 9.2.2: a proxy does not repeat a POST of
its own accord unless it knows that the first one was not applied, and closing tells nobody that).
"""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

FIRST_WAIT = 0.5
"""Seconds before the second attempt when the upstream names none; doubled for each further one."""

_BUSY = (429, 503, 529)
"""Statuses that say: not now, and nothing was done."""


@dataclass(frozen=True, slots=True)
class Patience:
    """`attempts` further ones at most, and `max_wait` seconds at most before each."""

    attempts: int = 0
    max_wait: float = 0.0


NONE = Patience()


@dataclass(frozen=True, slots=True)
class Setback:
    """Why an attempt came to nothing.

    `status` is that of the answer, None when no byte of one came; then `stale` means that the connection had
    been kept open from an earlier request. `wait` is how many seconds the upstream asked for,
    `should_retry` its `x-should-retry`; `used_up`: the limit is one that waiting does not end.
    """

    status: int | None = None
    stale: bool = False
    wait: float | None = None
    should_retry: bool | None = None
    used_up: bool = False


def pause(setback: Setback, made: int, patience: Patience, luck: float) -> float | None:
    """Seconds to wait before the next attempt, None to give up.

    `made` further attempts have been made; `luck`, from 0 to 1, spreads clients that failed together.
    """
    if made >= patience.attempts or not temporary(setback):
        return None
    if setback.stale and made == 0:
        # most likely it was closed as idle just when we wrote
        return 0.0
    if setback.wait is None:
        return min(FIRST_WAIT * 2.0**made, patience.max_wait) * (1 - luck / 4)
    return setback.wait if setback.wait <= patience.max_wait else None


def temporary(setback: Setback) -> bool:
    """Whether the same request may fare better later."""
    if setback.status is None:
        return True
    if setback.used_up or setback.should_retry is False:
        return False
    return setback.status in _BUSY or (setback.status >= 500 and setback.should_retry is True)


def until(date: str, now: datetime) -> float | None:
    """Seconds until a `retry-after` that is a date (RFC 9110, 10.2.3); None for what is no date."""
    try:
        return max(0.0, (parsedate_to_datetime(date) - now).total_seconds())
    except (TypeError, ValueError):
        return None
