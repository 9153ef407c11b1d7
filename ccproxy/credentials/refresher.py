"""Keeps one login fresh, without harm to whoever else uses it.

A refresh token works once. So one task in one process exchanges it, under the lock of its file, after a look
whether somebody else already has; and what comes back is in the file before anybody uses it. Programs that do
not know our lock may still be quicker, or put back what they had read before: both are noticed and mended.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from ccproxy.credentials.credential import CredentialError, State, TryLater
from ccproxy.credentials.json_file import FileProblem, in_thread
from ccproxy.credentials.oauth.tokens import TokenError, Tokens
from ccproxy.credentials.stores.file_store import FileStore
from ccproxy.credentials.stores.login import Login

AHEAD = 300.0
"""Seconds before its end at which a token is renewed, at most a fifth of its life."""
PATIENCE = 5.0
"""How long a request waits for a renewal while its token still lives."""
FIRST_WAIT, LONGEST_WAIT = 5.0, 300.0
"""Between two tries after a failure; the wait doubles each time."""
FORCED_EVERY = 60.0
"""How soon a token may be renewed again because an upstream refused it."""
SETTLE = (0.1, 0.3, 0.6, 1.0)
"""Seconds between looks for somebody who was quicker and has yet to write down what it got."""
WATCH = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Seconds between looks, after a renewal, whether somebody has put back what it had read before."""
LOOK_EVERY, LOOK_SOON = 60.0, 1.0
"""Longest and shortest sleep of the background task; the clock may jump while a machine sleeps."""

_log = logging.getLogger(__name__)


class OAuth(Protocol):
    """A login server; it is asked in a thread, from an event loop of its own."""

    async def refresh(self, refresh_token: str) -> Tokens: ...


@dataclass(slots=True)
class _Held:
    """The last renewal of this process, in case that the file does not have it. `unsaved` says why."""

    tokens: Tokens
    login: Login
    unsaved: str = ""


class Refresher:
    """`advice` is a sentence that says how to log in again. `clock` gives seconds of the epoch."""

    def __init__(
        self, store: FileStore, oauth: OAuth, advice: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.name = store.name
        self._store = store
        self._oauth = oauth
        self._advice = advice
        self._clock = clock
        self._held: _Held | None = None
        self._replaced: set[str] = set()
        """Access tokens for which this process got new ones."""
        self._spent: set[str] = set()
        """Refresh tokens that this process has exchanged."""
        self._refused = ("", "")
        """A refresh token that is dead, and why: nothing but another one helps."""
        self._failures, self._try_at, self._failure = 0, 0.0, ""
        self._first_seen = ("", 0.0)
        """The access token, and its life in seconds: what was left when it appeared, if we saw it appear."""
        self._forced_at, self._mend_at = float("-inf"), 0.0
        self._in_use = False
        self._wake = asyncio.Event()
        self._renewing: asyncio.Task[Login] | None = None
        self._mending: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._background: asyncio.Task[None] | None = None

    async def fresh(self) -> Login | None:
        """A login that can be used now; None when there is none. Raises CredentialError."""
        if not self._in_use:
            self._in_use = True
            self._wake.set()
        login = await self._read()
        if login is None or self._due_in(login) > 0:
            return login
        if hindrance := self._over(login) or self._later():
            if self._expired(login):
                raise hindrance
            return login
        task = self._renew_once(login)
        if self._expired(login):
            return await asyncio.shield(task)
        done, _ = await asyncio.wait([task], timeout=PATIENCE)
        return task.result() if done and not task.exception() else login

    async def rejected(self, access_token: str) -> Login | None:
        """After a 401 for a token that has not ended: another login to try once; None if nothing helps."""
        try:
            login = await self._read()
            if login is None:
                return None
            if login.access_token != access_token or access_token in self._replaced:
                return await self.fresh()
            if self._renewing is None:
                lately = self._clock() - self._forced_at < FORCED_EVERY
                if lately or self._over(login) or self._later():
                    return None
                self._forced_at = self._clock()
            return await asyncio.shield(self._renew_once(login))
        except CredentialError:
            return None

    async def renew(self) -> Login | None:
        """New tokens, due or not; None when there is no login. Raises CredentialError, which says why not."""
        login = await self._read()
        if login is None:
            return None
        if problem := self._over(login) or self._later():
            raise problem
        return await asyncio.shield(self._renew_once(login))

    async def status(self) -> tuple[Login | None, State, str]:
        """The login, whether it can be used, and what people should know about it. Asks no server."""
        try:
            login = await self._read()
        except CredentialError as problem:
            return None, "missing", str(problem)
        if login is None:
            return None, "missing", ""
        if self._expired(login):
            hindrance = self._over(login) or self._later()
            return (login, "expired", str(hindrance)) if hindrance else (login, "renewable", "")
        unsaved = self._held.unsaved if self._held and self._held.login is login else ""
        refused = self._refused[1] if login.refresh_token == self._refused[0] else ""
        return login, "valid", unsaved or refused

    def start(self) -> None:
        """Renew ahead of time from now on, as long as requests use the login."""
        self._background = self._background or asyncio.create_task(self._keep_fresh())

    async def stop(self) -> None:
        """End that, and wait for what is under way."""
        if self._renewing:
            await asyncio.wait([self._renewing])
        for task in (self._background, self._watching):
            if task:
                task.cancel()
                await asyncio.wait([task])
        self._background = self._watching = None
        if self._mending:
            await asyncio.wait([self._mending])

    async def _read(self) -> Login | None:
        """The login in the file, or the newer one that belongs there."""
        login, held = await self._store.read(), self._held
        if login and held and login.access_token in self._replaced:
            self._mend(held)
            login = held.login
        if login and login.access_token != self._first_seen[0]:
            life = self._left(login) if self._first_seen[0] else float("inf")
            self._first_seen = (login.access_token, life)
        return login

    def _left(self, login: Login) -> float:
        """Seconds until its end; for ever if nobody knows."""
        return login.expires_at.timestamp() - self._clock() if login.expires_at else float("inf")

    def _expired(self, login: Login) -> bool:
        return self._left(login) <= 0

    def _due_in(self, login: Login) -> float:
        """Seconds until it is to be renewed."""
        left = self._left(login)
        wait = left - min(AHEAD, self._first_seen[1] / 5)
        if login.earliest_refresh_at:
            wait = min(max(wait, login.earliest_refresh_at.timestamp() - self._clock()), left)
        return wait

    def _over(self, login: Login) -> CredentialError | None:
        """Why it can never be renewed."""
        if login.refresh_token is None:
            why = f"The login of {self.name} has expired and cannot be renewed."
            return CredentialError(f"{why} {self._advice}", expired=True)
        if login.refresh_token == self._refused[0]:
            return CredentialError(f"{self._refused[1]} {self._advice}", expired=True)
        return None

    def _later(self) -> TryLater | None:
        """Why it cannot be renewed just now."""
        wait = self._try_at - self._clock()
        if wait <= 0:
            return None
        when = f"the next try is in {max(wait, 1):.0f} seconds"
        return TryLater(
            f"The login of {self.name} could not be renewed, {when}. {self._failure}", expired=True
        )

    def _renew_once(self, login: Login) -> asyncio.Task[Login]:
        """The renewal that is under way, or a new one. To be shielded: others may wait for it too."""
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew(login))
            self._renewing.add_done_callback(self._renewed)
        return self._renewing

    def _renewed(self, task: asyncio.Task[Login]) -> None:
        self._renewing = None
        if not task.cancelled() and (problem := task.exception()):
            _log.warning("%s", problem)

    async def _renew(self, seen: Login) -> Login:
        login = seen
        try:
            async with self._store.lock():
                there = await self._read()
                if there is None:
                    raise self._gone()
                login = there
                if login.access_token != seen.access_token and self._due_in(login) > 0:
                    return login
                if over := self._over(login):
                    raise over
                # To its end in a thread: what was sent has to be saved, also when the program is stopped.
                renewed = await in_thread(lambda: self._exchange(login))
        except TokenError as problem:
            if problem.terminal:
                return await self._after_refusal(login, str(problem))
            raise self._put_off(str(problem), problem.retry_after) from None
        except FileProblem as problem:
            raise self._put_off(str(problem)) from None
        if renewed is None:
            raise self._gone()
        self._failures, self._try_at, self._in_use = 0, 0.0, False
        self._first_seen = (renewed.access_token, self._left(renewed))
        self._wake.set()
        if self._watching:
            self._watching.cancel()
        self._watching = asyncio.create_task(self._watch())
        return renewed

    def _exchange(self, login: Login) -> Login | None:
        """New tokens, in the file. Blocks; raises TokenError. None: the user has logged out meanwhile."""
        spent = login.refresh_token or ""
        tokens = asyncio.run(_refreshed(self._oauth, spent))
        renewed = replace(
            login,
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token or spent,
            expires_at=tokens.expires_at,
            earliest_refresh_at=tokens.earliest_refresh_at,
            scopes=tokens.scopes or login.scopes,
        )
        held = _Held(tokens, renewed)
        self._spent.add(spent)
        try:
            return self._store.renew(tokens, self._spent)
        except CredentialError as problem:
            self._not_saved(held, problem)
            return renewed
        finally:  # not before it is saved: from now on others may use it
            self._held = held
            self._replaced.add(login.access_token)

    async def _after_refusal(self, login: Login, why: str) -> Login:
        """Another program may have exchanged the token before us, and be about to write down what it got."""
        for pause in SETTLE:
            await asyncio.sleep(pause)
            there = await self._read()
            if there and there.access_token != login.access_token and not self._expired(there):
                return there
        self._refused = (login.refresh_token or "", why)
        raise CredentialError(f"{why} {self._advice}", expired=True)

    def _put_off(self, why: str, retry_after: float | None = None) -> CredentialError:
        wait = max(min(FIRST_WAIT * 2**self._failures, LONGEST_WAIT), retry_after or 0)
        self._failures, self._try_at, self._failure = self._failures + 1, self._clock() + wait, why
        problem = self._later()
        assert problem
        return problem

    def _gone(self) -> CredentialError:
        return CredentialError(f"The login of {self.name} is no longer there. {self._advice}")

    async def _watch(self) -> None:
        for pause in WATCH:
            await asyncio.sleep(pause)
            with contextlib.suppress(CredentialError):
                await self._read()

    def _mend(self, held: _Held) -> None:
        """Write a renewal again that is not in the file: it could not be saved, or was overwritten."""
        if self._mending is None and self._clock() >= self._mend_at:
            self._mending = asyncio.create_task(self._save_again(held))

    async def _save_again(self, held: _Held) -> None:
        try:
            async with self._store.lock():
                await in_thread(lambda: self._store.renew(held.tokens, self._spent))
            held.unsaved = ""
        except CredentialError as problem:
            self._mend_at = self._clock() + FIRST_WAIT
            self._not_saved(held, problem)
        finally:
            self._mending = None

    def _not_saved(self, held: _Held, problem: CredentialError) -> None:
        held.unsaved = f"The renewed login could not be saved, and ends with this process. {problem}"
        _log.error("%s", held.unsaved)

    async def _keep_fresh(self) -> None:
        while True:
            self._wake.clear()
            wait = LOOK_EVERY
            with contextlib.suppress(CredentialError):  # which the log and the status tell
                wait = await self._look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(max(wait, LOOK_SOON), LOOK_EVERY)):
                    await self._wake.wait()

    async def _look(self) -> float:
        """Renew what is due and in use. Seconds until the next look."""
        login = await self._read()
        if login is None or not self._in_use or self._over(login) or self._later():
            return LOOK_EVERY
        if (wait := self._due_in(login)) <= 0:
            await asyncio.shield(self._renew_once(login))
        return wait


async def _refreshed(oauth: OAuth, refresh_token: str) -> Tokens:
    return await oauth.refresh(refresh_token)
