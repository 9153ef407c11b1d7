"""Who may use which tool: rules decide first, then a person, and nobody's answer is a no.

One request goes from pending to allowed, denied or expired; the first decision holds. What a tool is to be
used with may hold secrets, so it is shown to those who decide and never logged.
"""

import asyncio
import json
import logging
import os.path
import secrets
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from ccproxy.agent.permission_paths import places
from ccproxy.agent.permission_request import Decision, Request, Subscription
from ccproxy.agent.permission_rules import BadRule, Call, Rules, Verdict
from ccproxy.conversation.parts import JsonObject
from ccproxy.settings import Problem, SettingsError
from ccproxy.settings.tree import Permissions as PermissionSettings

logger = logging.getLogger(__name__)

MOST_PENDING = 500
"""Requests that may wait at a time; one more is denied at once."""

KEPT = 200
"""Requests that are still shown after they were decided, at most."""

SHOWN = timedelta(minutes=10)
"""How long they are."""

REMEMBERED = 5_000
"""Answers for a session that are kept; the oldest goes first, and its tool is asked about again."""


class UnknownRequest(Exception):
    """There is no request with this id, or no more."""


class AlreadyDecided(Exception):
    """Somebody was first; `request` says who."""

    def __init__(self, request: Request) -> None:
        super().__init__(request.id)
        self.request = request


class NothingToRemember(Exception):
    """The request names no session, or is allowed with another input, which fits no other call."""


class Permissions:
    """The store. Raises SettingsError for a rule that is none. Lives in one event loop."""

    def __init__(self, settings: PermissionSettings, home: str | None = None) -> None:
        self.timeout_seconds = settings.timeout_seconds
        try:
            self._rules = Rules(settings.allow, settings.deny)
        except BadRule as problem:
            raise SettingsError([Problem("", "", str(problem))]) from None
        self._home = home or os.path.expanduser("~")
        self._pending: dict[str, Request] = {}
        self._decided: OrderedDict[str, Request] = OrderedDict()
        self._remembered: OrderedDict[tuple[str, str, str], Decision] = OrderedDict()
        self._readers: set[Subscription] = set()
        self._is_closed = False

    async def ask(
        self,
        tool_name: str,
        input: Any,  # noqa: A002 - the name that MCP and REST use
        tool_use_id: str | None = None,
        session_id: str | None = None,
        cwd: str | None = None,
    ) -> Decision:
        """May this tool be used so? Waits for a rule or a person, at most `permissions.timeout_seconds`.

        Asking again for the same call joins the request that is pending. When everybody who asked is gone
        (the task is cancelled), the request expires.
        """
        session_id, cwd = session_id or None, cwd or None
        # it looks at the disk, and may look at a long command
        verdict = await asyncio.to_thread(self._verdict, tool_name, input, cwd)
        request = self._same(tool_name, input, tool_use_id, session_id) or self._new(
            tool_name, input, tool_use_id, session_id, cwd
        )
        if early := self._without_asking(request, verdict):
            self._decide(request, early)
            return early
        if request.id not in self._pending:
            self._begin(request)
        request.askers += 1
        try:
            await request.decided.wait()
        finally:
            request.askers -= 1
            if not request.askers:
                self._decide(request, Decision(False, "gone", "Whoever asked for this is gone."))
        assert request.decision
        return request.decision

    def respond(
        self,
        request_id: str,
        allowed: bool,
        message: str | None = None,
        updated_input: JsonObject | None = None,
        remember: Literal["session"] | None = None,
    ) -> Request:
        """A person's decision. Raises UnknownRequest, AlreadyDecided, NothingToRemember."""
        request = self.get(request_id)
        if request.decision:
            raise AlreadyDecided(request)
        decision = Decision(allowed, "person", message, updated_input, remember)
        if remember:
            self._remember(request, decision)
        self._decide(request, decision)
        return request

    def get(self, request_id: str) -> Request:
        """Raises UnknownRequest."""
        self._forget_old()
        found = self._pending.get(request_id) or self._decided.get(request_id)
        if not found:
            raise UnknownRequest(request_id)
        return found

    def pending(self) -> list[Request]:
        """Oldest first."""
        return list(self._pending.values())

    def decided(self) -> list[Request]:
        """What was decided lately, by rules too, newest first."""
        self._forget_old()
        return list(reversed(self._decided.values()))

    def subscribe(self) -> Subscription:
        """To be given to `unsubscribe` in the end."""
        reader = Subscription(self.pending())
        if self._is_closed:
            reader.end()
        self._readers.add(reader)
        return reader

    def unsubscribe(self, reader: Subscription) -> None:
        self._readers.discard(reader)

    def close(self) -> None:
        """The proxy stops: nothing is pending any more, and every subscription ends."""
        self._is_closed = True
        for request in self.pending():
            self._decide(request, Decision(False, "gone", "The proxy is stopping."))
        for reader in self._readers:
            reader.end()

    def _verdict(self, tool_name: str, arguments: Any, cwd: str | None) -> Verdict | None:
        return self._rules.verdict(Call(tool_name, arguments, places(tool_name, arguments, cwd, self._home)))

    def _same(
        self, tool_name: str, arguments: Any, tool_use_id: str | None, session_id: str | None
    ) -> Request | None:
        """The same call, asked by a client that has connected anew. A call of another content is another."""
        wanted = (tool_use_id, session_id, tool_name, arguments)
        for request in self._pending.values() if tool_use_id else ():
            if (request.tool_use_id, request.session_id, request.tool_name, request.input) == wanted:
                return request
        return None

    def _new(
        self, tool_name: str, arguments: Any, tool_use_id: str | None, session_id: str | None, cwd: str | None
    ) -> Request:
        now = datetime.now(UTC)
        ends = now + timedelta(seconds=self.timeout_seconds)
        name = f"perm_{secrets.token_hex(12)}"
        return Request(name, tool_name, arguments, tool_use_id, session_id, cwd, now, ends)

    def _without_asking(self, request: Request, verdict: Verdict | None) -> Decision | None:
        """What is decided already: by a rule, by an earlier answer, or because nobody can be asked."""
        if verdict:
            message = None if verdict.allowed else f"Denied by the rule {verdict.rule} (permissions.deny)."
            return Decision(verdict.allowed, "rule", message)
        if request.session_id and (earlier := self._remembered.get(_kind(request))):
            return Decision(earlier.allowed, "person", earlier.message, remember="session")
        if self._is_closed:
            return Decision(False, "gone", "The proxy is stopping.")
        if len(self._pending) >= MOST_PENDING and request.id not in self._pending:
            return Decision(False, "gone", "Too many permissions are waited for already.")
        return None

    def _remember(self, request: Request, decision: Decision) -> None:
        """For this session from now on, and for what it waits for already."""
        if not request.session_id or decision.updated_input is not None:
            raise NothingToRemember
        kind = _kind(request)
        self._remembered[kind] = decision
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        for other in self.pending():
            if other is not request and _kind(other) == kind:
                self._decide(other, decision)

    def _begin(self, request: Request) -> None:
        self._pending[request.id] = request
        late = f"Nobody answered within {self.timeout_seconds:g} s (permissions.timeout_seconds)."
        request.timer = asyncio.get_running_loop().call_later(
            self.timeout_seconds, lambda: self._decide(request, Decision(False, "timeout", late))
        )
        logger.info(
            "permission %s is asked for %r in session %r", request.id, request.tool_name, request.session_id
        )
        self._tell(request)

    def _decide(self, request: Request, decision: Decision) -> None:
        """The first decision holds."""
        if request.decision:
            return
        request.decision = decision
        request.decided.set()
        if request.timer:
            request.timer.cancel()
        self._decided[request.id] = request
        self._forget_old()
        outcome = "allowed" if decision.allowed else "denied"
        logger.info(
            "permission %s for %r in session %r: %s by %s",
            request.id,
            request.tool_name,
            request.session_id,
            outcome,
            decision.by,
        )
        if self._pending.pop(request.id, None):
            self._tell(request)

    def _forget_old(self) -> None:
        limit = datetime.now(UTC) - SHOWN
        for old in list(self._decided.values()):
            if len(self._decided) <= KEPT and old.decision and old.decision.at > limit:
                return
            del self._decided[old.id]

    def _tell(self, request: Request) -> None:
        for reader in self._readers:
            reader.tell(request)


def _kind(request: Request) -> tuple[str, str, str]:
    """What an answer for the session is about: a tool, or one command of the shell and how it is run."""
    what = ""
    if request.tool_name == "Bash":
        given = request.input if isinstance(request.input, dict) else {"": request.input}
        told = {key: value for key, value in given.items() if key not in ("description", "timeout")}
        what = json.dumps(told, sort_keys=True)
    return (request.session_id or "", request.tool_name, what)
