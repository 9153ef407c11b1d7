"""Which conversation a request belongs to, and what has to be said again to a backend that keeps none."""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ccproxy.codex.memory import Memory, continued, said_by_model
from ccproxy.codex.who import session_from
from ccproxy.conversation.losses import RequestError
from ccproxy.conversation.parts import JsonObject
from ccproxy.failures import session_forgotten
from ccproxy.known_sessions import KnownSessions

EXPLICIT = ("session-id", "session_id")
"""Headers with which a client goes on with a conversation that it does not send again."""

Keep = Callable[[JsonObject, str | None], None]


class SessionForgotten(Exception):
    """A session was used before and its conversation is gone; `failure` tells the client what to do."""

    def __init__(self, session: str) -> None:
        self.failure = session_forgotten(session)
        super().__init__(self.failure.message)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request in its conversation.

    `items` are its whole input, `session` is an id that stays the same through a conversation, `turn_state`
    what the first answer of this turn said. `keep` takes the answer and its turn state; None when nobody
    will come back for it.
    """

    session: str
    items: Any
    turn_state: str | None = None
    keep: Keep | None = None


class Sessions:
    """Finds the conversation of each request, and keeps what was said."""

    def __init__(self, memory: Memory, known: KnownSessions) -> None:
        self._memory = memory
        self._known = known
        self._touching: set[asyncio.Task[None]] = set()

    async def begin(
        self, body: JsonObject, headers: Mapping[str, str], named: str | None, *, stored: bool
    ) -> Asked:
        """The request of a client that is not Codex. `named` is the session in its path.

        `stored`: the client may name the answer later, with `previous_response_id`. Raises Forgotten,
        SessionForgotten, and RequestError for a wrong type.
        """
        given = as_items(body.get("input"))
        own = session_from(headers, body)
        explicit = named or (own if any(headers.get(name) == own for name in EXPLICIT) else None)
        previous = body.get("previous_response_id")
        if previous is not None and not isinstance(previous, str):
            raise RequestError("previous_response_id", "is no text")
        before = self._memory.before(previous) if previous else None
        items = given
        if before and isinstance(given, list):
            items = [*before.items, *given]
        elif explicit and isinstance(given, list):
            before = self._memory.latest(explicit)
            if before:
                items = continued(before.items, given)
            elif not any(map(said_by_model, given)) and await self._known.knows(explicit):
                raise SessionForgotten(explicit)
        session = explicit or own or (before.session if before else None) or str(uuid.uuid4())
        state = before.turn_state if before and goes_on(given) else None
        keep = self._keeper(items, session, state, explicit) if explicit or stored else None
        return Asked(session, items, state, keep)

    def _keeper(self, items: Any, session: str, state: str | None, explicit: str | None) -> Keep:
        def keep(response: JsonObject, new_state: str | None) -> None:
            response_id, output = response.get("id"), response.get("output")
            if isinstance(response_id, str) and isinstance(output, list) and isinstance(items, list):
                # only a session that the client names itself may be gone on with by its name alone
                kept = self._memory.keep(response_id, [*items, *output], explicit)
                kept.session, kept.turn_state = session, new_state or state
                if explicit:
                    # not before: of a session whose first request has failed there is nothing to forget
                    self._touch(explicit)

        return keep

    def _touch(self, session: str) -> None:
        task = asyncio.get_running_loop().create_task(self._known.touch(session))
        self._touching.add(task)
        task.add_done_callback(self._touching.discard)


def as_items(value: Any) -> Any:
    """`input` as a list of items; what is neither text nor a list stays, for others to complain of."""
    if isinstance(value, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": value}]}]
    return value


def goes_on(items: Any) -> bool:
    """Whether a request is one more of a turn: since the model spoke, it brings what a tool gave.

    A client may say something of its own behind the result.
    """
    for item in reversed(items) if isinstance(items, list) else ():
        if said_by_model(item):
            return False
        if isinstance(item, dict) and str(item.get("type")).endswith("_output"):
            return True
    return False
