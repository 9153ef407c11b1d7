"""Who waits for an answer, which one is looked at, and what became of the others. No clock, no network."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from ccproxy.cli.permission_request import Request, in_brief

REMEMBERED = 200
"""Lines of what happened that are kept."""

Kind = Literal["good", "bad", "gone", "plain"]


@dataclass(frozen=True, slots=True)
class Notice:
    """A line that says what happened: its colour, and whether it tells of a request that left by itself."""

    at: datetime
    text: str
    kind: Kind = "plain"


@dataclass(frozen=True, slots=True)
class Connected:
    """The stream is open. `requests` are all that are there, `ahead` is the server's clock minus ours."""

    requests: tuple[Request, ...]
    ahead: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Changed:
    """A request is new, or was decided, or has expired."""

    request: Request


@dataclass(frozen=True, slots=True)
class Lost:
    """The server does not answer any more; it is tried again after `seconds`."""

    reason: str
    seconds: float


Update = Connected | Changed | Lost


@dataclass(slots=True)
class Queue:
    """The requests that wait, oldest first; `shown` is the id of the one on the screen."""

    waiting: dict[str, Request] = field(default_factory=dict)
    shown: str | None = None
    notices: deque[Notice] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    connected: bool = False
    trouble: str = ""
    ahead: timedelta = timedelta()
    _own: set[str] = field(default_factory=set)

    @property
    def current(self) -> Request | None:
        return self.waiting.get(self.shown) if self.shown else None

    @property
    def position(self) -> int:
        """Place of the one that is shown, from 1; 0 when none is."""
        return list(self.waiting).index(self.shown) + 1 if self.shown else 0

    def take(self, update: Update, now: datetime) -> None:
        """Learns what the server says."""
        match update:
            case Connected(requests, ahead):
                if self.trouble:
                    self.tell(now, "Connected again.")
                self.connected, self.trouble, self.ahead = True, "", ahead
                self._read_again(requests, now)
            case Changed(request):
                self._put(request, now)
            case Lost(reason, seconds):
                self.connected = False
                self.trouble = f"{reason} Trying again every {seconds:g} s."

    def _read_again(self, requests: Iterable[Request], now: datetime) -> None:
        known = {request.id: request for request in requests}
        for request in known.values():
            self._put(request, now)
        for missing in [request for id_, request in self.waiting.items() if id_ not in known]:
            self.drop(missing, now, f"Not asked any more: {in_brief(missing)}")

    def _put(self, request: Request, now: datetime) -> None:
        if request.pending:
            self.waiting[request.id] = request
            self.shown = self.shown or request.id
        elif request.id in self.waiting:
            self.drop(request, now, _outcome(request), _kind(request))

    def decided(self, request: Request, now: datetime) -> None:
        """One of our own answers was taken."""
        if request.id not in self._own:
            return
        self._own.discard(request.id)
        verb = "Allowed" if request.status == "allowed" else "Denied"
        if request.decision.get("remember"):
            verb += " for this session"
        if request.decision.get("updated_input") is not None:
            verb += ", with an edited input"
        self._leave(request.id)
        self.tell(now, f"{verb}: {in_brief(request)}", "good" if request.status == "allowed" else "bad")

    def sending(self, request: Request) -> None:
        """Our answer is on its way: what the stream says of this request is our own doing."""
        self._own.add(request.id)

    def not_sent(self, request: Request) -> None:
        """It was not taken."""
        self._own.discard(request.id)

    def is_sending(self, request: Request) -> bool:
        return request.id in self._own

    def drop(self, request: Request, now: datetime, text: str, kind: Kind = "gone") -> None:
        """A request leaves that was not answered here, with a line that says why."""
        if request.id in self._own or request.id not in self.waiting:
            return
        self._leave(request.id)
        self.tell(now, text, kind)

    def _leave(self, id_: str) -> None:
        if id_ not in self.waiting:
            return
        ids = list(self.waiting)
        place = ids.index(id_)
        del self.waiting[id_]
        if self.shown == id_:
            left = [*ids[place + 1 :], *ids[:place][::-1]]
            self.shown = left[0] if left else None

    def move(self, steps: int) -> None:
        """Look at another one, round and round."""
        if self.shown:
            ids = list(self.waiting)
            self.shown = ids[(ids.index(self.shown) + steps) % len(ids)]

    def tell(self, now: datetime, text: str, kind: Kind = "plain") -> None:
        self.notices.append(Notice(now, text, kind))

    def left(self, request: Request, now: datetime) -> timedelta | None:
        """The time until it expires, by the server's clock."""
        if request.expires_at is None:
            return None
        return max(request.expires_at - now - self.ahead, timedelta())


def _outcome(request: Request) -> str:
    """What became of a request that was decided without us."""
    by = request.decision.get("by")
    if request.status == "expired" and by == "gone":
        return f"Gone: {in_brief(request)}. {request.decision.get('message') or ''}".rstrip()
    if request.status == "expired":
        return f"Expired, nobody answered in time: {in_brief(request)}"
    word = "Allowed" if request.status == "allowed" else "Denied"
    how = "for this session" if request.decision.get("remember") else "elsewhere"
    return f"{word} {how}: {in_brief(request)}"


def _kind(request: Request) -> Kind:
    return {"allowed": "good", "denied": "bad"}.get(request.status, "gone")  # type: ignore[return-value]
