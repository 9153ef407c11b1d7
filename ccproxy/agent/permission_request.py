"""A permission that is asked for, what was decided about it, and how those who watch hear of both."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from ccproxy.conversation.parts import JsonObject

MOST_NEWS = 200
"""Decisions that wait at most for a slow reader; the oldest are not told."""

DENIED = "The user denied this."
"""What the model is told when nobody says more."""

Status = Literal["pending", "allowed", "denied", "expired"]
By = Literal["rule", "person", "timeout", "gone"]


@dataclass(frozen=True, slots=True)
class Decision:
    """`message` is for the model; `updated_input` takes the place of what was asked for."""

    allowed: bool
    by: By
    message: str | None = None
    updated_input: JsonObject | None = None
    remember: Literal["session"] | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def as_json(self) -> JsonObject:
        optional = {"message": self.message, "updated_input": self.updated_input, "remember": self.remember}
        given = {key: value for key, value in optional.items() if value is not None}
        return {"allowed": self.allowed, "by": self.by, **given, "at": rfc3339(self.at)}


@dataclass(eq=False, slots=True)
class Request:
    """One question. `decided` is set together with `decision`; `askers` wait for it."""

    id: str
    tool_name: str
    input: Any
    tool_use_id: str | None
    session_id: str | None
    cwd: str | None
    created_at: datetime
    expires_at: datetime
    decision: Decision | None = None
    decided: asyncio.Event = field(default_factory=asyncio.Event)
    askers: int = 0
    timer: asyncio.TimerHandle | None = None

    @property
    def status(self) -> Status:
        if self.decision is None:
            return "pending"
        if self.decision.by in ("timeout", "gone"):
            return "expired"
        return "allowed" if self.decision.allowed else "denied"

    def as_json(self) -> JsonObject:
        """The request as REST and the stream show it; times are RFC 3339."""
        return {
            "id": self.id,
            "tool_name": self.tool_name,
            "input": self.input,
            "tool_use_id": self.tool_use_id,
            "session_id": self.session_id,
            "cwd": self.cwd,
            "status": self.status,
            "created_at": rfc3339(self.created_at),
            "expires_at": rfc3339(self.expires_at),
            "decision": self.decision.as_json() if self.decision else None,
        }


class Subscription:
    """What happens from now on, beginning with what is pending.

    Iterating gives requests as they are when they are read: a slow reader gets each one's latest state, so
    what waits for it is never more than what is shown at all.
    """

    def __init__(self, pending: list[Request]) -> None:
        self._news = {request.id: request for request in pending}
        self._woken = asyncio.Event()
        self._is_over = False

    def tell(self, request: Request) -> None:
        self._news.pop(request.id, None)
        self._news[request.id] = request
        for old in [old for old in self._news.values() if old.decision][:-MOST_NEWS]:
            del self._news[old.id]
        self._woken.set()

    def end(self) -> None:
        self._is_over = True
        self._woken.set()

    async def __aiter__(self) -> AsyncIterator[Request]:
        while True:
            while self._news:
                yield self._news.pop(next(iter(self._news)))
            if self._is_over:
                return
            self._woken.clear()
            await self._woken.wait()


def rfc3339(moment: datetime) -> str:
    """In UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def behavior(decision: Decision, asked: Any) -> JsonObject:
    """The answer as Claude Code reads it: `updatedInput` always, because older versions need it."""
    if not decision.allowed:
        return {"behavior": "deny", "message": decision.message or DENIED}
    replaced = decision.updated_input
    return {"behavior": "allow", "updatedInput": asked if replaced is None else replaced}


def is_json(value: Any) -> bool:
    """Whether this can be written as JSON that everybody reads: Python also reads NaN and Infinity."""
    try:
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return False
    return True
