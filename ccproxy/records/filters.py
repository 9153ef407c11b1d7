"""Which rows of the access log are meant."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from ccproxy.records.row import Row

SEARCHED = (
    *("request_id", "path", "client", "session_id", "agent_id", "error", "stop_reason"),
    *("model_requested", "model_sent", "model_served"),
)
"""Columns in which `text` is looked for."""


class QueryError(Exception):
    """A question that cannot be answered; the text says what is allowed."""


@dataclass(frozen=True)
class Filters:
    """Each as it is asked for, all of them at once; None does not matter.

    `since` (included) and `until` (not included) are UTC. `model` may be a pattern such as `claude-*`,
    `status` a number or a class such as `4xx`, `error` a code or `any`. `text` is looked for in what names
    things, without regard to case.
    """

    since: datetime | None = None
    until: datetime | None = None
    model: str | None = None
    backend: str | None = None
    status: str | None = None
    session: str | None = None
    client: str | None = None
    error: str | None = None
    text: str | None = None

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Filters":
        """Filters as texts, such as the query of a URL; an unknown one is an error."""
        names = [field.name for field in fields(cls)]
        if unknown := [name for name in given if name not in names]:
            raise QueryError(f"There is no filter {unknown[0]!r}. Filters: {', '.join(names)}.")
        read: dict[str, Any] = {name: value for name, value in given.items() if value}
        for name in read.keys() & {"since", "until"}:
            read[name] = moment(name, read[name])
        if "status" in read:
            statuses(read["status"])
        return cls(**read)

    def where(self) -> tuple[str, list[Any]]:
        """A condition of SQL, and the values for its question marks."""
        parts: list[tuple[str, list[Any]]] = []
        if self.since:
            parts.append(("started_at >= ?", [self.since]))
        if self.until:
            parts.append(("started_at < ?", [self.until]))
        if self.model:
            # brackets belong to some names, and to patterns
            named = "coalesce(model_served, model_requested)"
            parts.append((f"({named} = ? OR {named} GLOB ?)", [self.model, self.model]))
        if self.status:
            parts.append(("status BETWEEN ? AND ?", list(statuses(self.status))))
        for column, value in (
            ("backend", self.backend),
            ("session_id", self.session),
            ("client", self.client),
        ):
            if value:
                parts.append((f"{column} = ?", [value]))
        if self.error == "any":
            parts.append(("error IS NOT NULL", []))
        elif self.error:
            parts.append(("error = ?", [self.error]))
        if self.text:
            parts.append((f"contains(lower(concat_ws(' ', {', '.join(SEARCHED)})), lower(?))", [self.text]))
        return " AND ".join(part for part, _ in parts) or "true", [one for _, some in parts for one in some]

    def matches(self, row: Row) -> bool:
        """Whether `where` would find this row."""
        named = row.model_served or row.model_requested
        low, high = statuses(self.status) if self.status else (0, 999)
        return (
            (self.since is None or row.started_at >= self.since)
            and (self.until is None or row.started_at < self.until)
            and (not self.model or (named is not None and is_like(named, self.model)))
            and (not self.status or (row.status is not None and low <= row.status <= high))
            and self.backend in (None, row.backend)
            and self.session in (None, row.session_id)
            and self.client in (None, row.client)
            and (self.error is None or row.error == self.error or (self.error == "any" and bool(row.error)))
            and (self.text is None or self.text.lower() in searched(row))
        )


def is_like(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)


def searched(row: Row) -> str:
    """What `text` is looked for in."""
    return " ".join(value for name in SEARCHED if (value := getattr(row, name)) is not None).lower()


def statuses(value: str) -> tuple[int, int]:
    """The first and the last status that `404` or `4xx` means."""
    if value.isascii() and value.isdigit() and len(value) == 3:
        return int(value), int(value)
    if len(value) == 3 and value[0] in "12345" and value[1:].lower() == "xx":
        return int(value[0]) * 100, int(value[0]) * 100 + 99
    raise QueryError("status must be a number such as 404, or a class such as 4xx.")


def moment(name: str, value: str) -> datetime:
    """A time of RFC 3339 as UTC without a zone; one that has no zone is UTC."""
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise QueryError(f"{name} must be a time such as 2026-11-23T08:00:00Z.") from None
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
