"""Times as people type them."""

import re
from datetime import UTC, datetime, timedelta

from ccproxy.records.filters import QueryError

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(name: str, value: str, now: datetime | None = None) -> str:
    """`2h` is two hours ago; else a date or a time in ISO 8601, of this machine's clock unless it has a zone.

    Returns RFC 3339 in UTC. Raises QueryError.
    """
    now = now or datetime.now(UTC)
    try:
        if span := re.fullmatch(r"(\d+)([smhdw])", value):
            time = now - timedelta(**{UNITS[span[2]]: int(span[1])})
        else:
            time = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise QueryError(f"{name} must be a span such as 2h, or a time such as 2026-11-23T08:00.") from None
    return f"{time.replace(tzinfo=None).isoformat()}Z"
