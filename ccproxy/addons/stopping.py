"""Stops answers for somebody to look at: mitmproxy's intercept filter sees them before the client does."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from mitmproxy import ctx, flow, flowfilter, http
from mitmproxy.hooks import UpdateHook

from ccproxy import failures
from ccproxy.addons.exchanges import exchange_of, refuse
from ccproxy.addons.filters import FTokens, FTool
from ccproxy.addons.notes import Notes
from ccproxy.addons.recorder import Recorder
from ccproxy.exchange import Exchange

ASKS_THE_ANSWER = (FTool, FTokens, flowfilter.FBodResponse, flowfilter.FBod)
"""Filters that only the body of an answer can decide; what they have found before it stays found."""

WANTS_ANSWERS = (*ASKS_THE_ANSWER, flowfilter.FResp)
"""Filters with which somebody means answers."""

LOOKS = 0.1
"""Seconds between two looks whether a person has decided: mitmproxy does not tell of a kill."""

Piecewise = Callable[[bytes], bytes | Iterable[bytes]]
"""A stream callable: gets the pieces of a body, and an empty one at its end."""


def wants_whole(found: http.HTTPFlow) -> bool:
    """Whether an answer has to be whole before the client gets any of it: the intercept filter may match it.

    So it is when the filter contains one of WANTS_ANSWERS, and what is known already does not rule it out.
    """
    addon: Any = ctx.master.addons.get("intercept")
    chosen = getattr(addon, "filt", None)
    if chosen is None or not ctx.options.intercept_active or found.is_replay:
        return False
    return mentions(chosen) and True in outcomes(chosen, found)


def mentions(part: object) -> bool:
    """Whether a compiled filter is about answers."""
    return isinstance(part, WANTS_ANSWERS) or any(map(mentions, parts_of(part)))


def parts_of(part: object) -> list[Any]:
    match part:
        case flowfilter.FAnd() | flowfilter.FOr():
            return list(part.lst)
        case flowfilter.FNot():
            return [part.itm]
    return []


def outcomes(part: Any, found: http.HTTPFlow) -> set[bool]:
    """What a compiled filter may still say once the answer is whole."""
    if isinstance(part, ASKS_THE_ANSWER):
        return {True, bool(part(found))}
    inner = [outcomes(one, found) for one in parts_of(part)]
    match part:
        case flowfilter.FNot():
            return {not outcome for outcome in inner[0]}
        case flowfilter.FAnd():
            return {outcome for outcome in (True, False) if combined(inner, outcome, all if outcome else any)}
        case flowfilter.FOr():
            return {outcome for outcome in (True, False) if combined(inner, outcome, any if outcome else all)}
    return {bool(part(found))}


def combined(inner: list[set[bool]], outcome: bool, how: Callable[[list[bool]], bool]) -> bool:
    return how([outcome in one for one in inner])


def hold_back(response: http.Response, exchange: Exchange) -> Piecewise:
    """Have mitmproxy keep the answer until it is whole; returns what would have let it through."""
    through, response.stream = response.stream, False
    assert callable(through)
    # the real ones are put on where an answer streams: a masked one would only confuse
    response.headers.pop("set-cookie", None)
    exchange.cookies = []
    return through


def let_through(response: http.Response, through: Piecewise) -> None:
    """Make of the whole body what would have streamed."""
    whole = response.raw_content or b""
    made = [through(piece) for piece in ([whole, b""] if whole else [b""])]
    response.raw_content = b"".join(one if isinstance(one, bytes) else b"".join(one) for one in made)


class Stopping:
    """Waits for the person's word, and tells the client when it was a kill.

    It has to stand behind mitmproxy's own Intercept and View. With the script, our other addons stand before
    these: the recorder leaves to it what somebody stops, and what was noted on the flow is noted again.
    """

    name = "ccproxy_stopping"

    async def request(self, found: http.HTTPFlow) -> None:
        await self.decided(found)

    async def response(self, found: http.HTTPFlow) -> None:
        await self.decided(found)
        addons = ctx.master.addons
        recorder, notes = addons.get(Recorder.name), addons.get(Notes.name)
        if recorder and notes and found in recorder.under_way:
            recorder.end(found)
            await notes.note(found)

    def expects(self, found: http.HTTPFlow) -> bool:
        """Whether the intercept filter matches a flow as it is now, so that a person decides on it."""
        addon = ctx.master.addons.get("intercept")
        return addon is not None and addon.should_intercept(found)

    async def websocket_message(self, found: http.HTTPFlow) -> None:
        await self.decided(found)

    async def decided(self, found: http.HTTPFlow) -> None:
        exchange = exchange_of(found)
        if exchange is None or not found.intercepted:
            return
        if exchange.failure == failures.killed():
            # the word has been spoken: its error is not to be looked at, too
            found.resume()
        while waits(found):  # noqa: ASYNC110
            await asyncio.sleep(LOOKS)
        if found.error and found.error.msg == flow.Error.KILLED_MESSAGE:
            found.error, found.live = None, True
            if found.websocket:
                found.websocket.messages[-1].drop()
            else:
                refuse_killed(found, exchange)
        await ctx.master.addons.trigger_event(UpdateHook([found]))


def waits(found: http.HTTPFlow) -> bool:
    """Whether a person has still to decide; another task does."""
    return found.intercepted


def refuse_killed(found: http.HTTPFlow, exchange: Exchange) -> None:
    """An error in the client's format instead of a connection that breaks off, which clients try again."""
    refuse(found, exchange, failures.killed())
    assert found.response
    found.response.headers["x-should-retry"] = "false"
