"""Asks the providers themselves how much of a plan is used, when somebody wants to know it now."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from ccproxy.backends.backend import Backend
from ccproxy.backends.target import Target
from ccproxy.conversation.parts import JsonObject
from ccproxy.credentials.credential import CredentialError, Secret
from ccproxy.credentials.oauth.claude import ClaudeOAuth
from ccproxy.credentials.oauth.constants import ClaudeConstants, claude_constants
from ccproxy.credentials.oauth.http import get_json
from ccproxy.credentials.oauth.tokens import TokenError
from ccproxy.quota.usage import claude_from_usage, codex_from_usage
from ccproxy.quota.windows import Provider, ProviderQuota, Quota
from ccproxy.routes import BackendName
from ccproxy.settings import Settings

EVERY = 60.0
"""Seconds between two questions to one provider; Anthropic's endpoint refuses who asks more often."""

SECONDS = 10.0
"""How long a provider may take, with all that is needed to ask it."""

Fetch = Callable[[Secret], Awaitable[JsonObject]]
Read = Callable[[JsonObject, datetime], ProviderQuota | None]


@dataclass(slots=True)
class _Plan:
    """A provider to ask: `kind` is that of the credentials that come with a plan."""

    backend: Backend
    kind: str
    fetch: Fetch
    read: Read
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    fresh_until: float = 0.0
    problem: str | None = None


class _Unasked(Exception):
    """It could not be asked or did not tell; the text is for people and names no secret and no path."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Usage:
    """Tells `quota` what the providers answer."""

    def __init__(
        self,
        quota: Quota,
        backends: Mapping[BackendName, Backend],
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.quota = quota
        self._clock = clock
        self._plans: dict[Provider, _Plan] = {}
        if api := backends.get("api"):
            fetch = _claude(usage_constants(settings, api.target))
            self._plans["claude"] = _Plan(api, "oauth", fetch, claude_from_usage)
        if codex := backends.get("codex"):
            self._plans["codex"] = _Plan(codex, "chatgpt", _codex(codex.target), codex_from_usage)

    async def ask(self) -> dict[Provider, str]:
        """Ask each provider whose last answer is a minute old; the problems, by provider.

        Who is used without a plan of ours is not asked: with an API key, with the client's own credential,
        or by Sign in with ChatGPT.
        """
        problems = await asyncio.gather(*(self._ask(name, plan) for name, plan in self._plans.items()))
        return {name: problem for name, problem in zip(self._plans, problems, strict=True) if problem}

    async def _ask(self, provider: Provider, plan: _Plan) -> str | None:
        # who comes while it is asked gets the same answer
        async with plan.lock:
            if self._clock() < plan.fresh_until:
                return plan.problem
            try:
                async with asyncio.timeout(SECONDS):
                    secret = await _secret(plan)
                    if secret is None:
                        return None
                    plan.fresh_until, plan.problem = self._clock() + EVERY, None
                    await self._learn(provider, plan, secret)
            except TimeoutError:
                plan.problem = f"There was no answer within {SECONDS:g} seconds: try again later."
            except CredentialError as problem:
                plan.problem = str(problem)
            except _Unasked as problem:
                plan.problem = str(problem)
                plan.fresh_until = max(plan.fresh_until, self._clock() + problem.retry_after)
            return plan.problem

    async def _learn(self, provider: Provider, plan: _Plan, secret: Secret) -> None:
        answer = await _answer(plan, secret)
        news = plan.read(answer, datetime.now(UTC))
        if news is None:
            raise _Unasked("Its answer says nothing that ccproxy understands: look for a newer version.")
        self.quota.saw(provider, news)


def usage_constants(settings: Settings, target: Target) -> ClaudeConstants:
    """Where the usage is read. What stands in for the API on this machine stands in for that, too."""
    constants = claude_constants(settings)
    if settings.claude.oauth.usage_url or not target.loopback:
        return constants
    path = target.prefix + urlsplit(constants.usage_url).path
    return replace(constants, usage_url=target.origin + path)


def _claude(constants: ClaudeConstants) -> Fetch:
    oauth = ClaudeOAuth(constants)

    async def fetch(secret: Secret) -> JsonObject:
        return await oauth.usage(secret.bearer or "")

    return fetch


def _codex(target: Target) -> Fetch:
    parent, _, last = target.prefix.rpartition("/")

    async def fetch(secret: Secret) -> JsonObject:
        if last != "codex":
            raise _Unasked("It is known only beside a codex.base_url that ends with /codex.")
        headers = {**dict(secret.headers), "originator": "ccproxy"}
        return await get_json(f"{target.origin}{parent}/wham/usage", headers=headers)

    return fetch


async def _secret(plan: _Plan) -> Secret | None:
    """The credential of a plan, None where requests use another kind. Raises CredentialError."""
    credential = plan.backend.credential
    status = await credential.status()
    if status.state == "off" or (status.usable and status.kind != plan.kind):
        return None
    return await credential.secret()


async def _answer(plan: _Plan, secret: Secret) -> JsonObject:
    """As with requests, a login that is refused is renewed once. Raises _Unasked."""
    try:
        return await plan.fetch(secret)
    except TokenError as problem:
        if problem.status != 401:
            raise _unasked(problem) from None
        first = problem
    another = await plan.backend.credential.rejected(secret)
    if another is None:
        raise _unasked(first)
    try:
        return await plan.fetch(another)
    except TokenError as problem:
        raise _unasked(problem) from None


def _unasked(problem: TokenError) -> _Unasked:
    """Our own words for an HTTP status: those of the login speak of tokens, and quote the provider."""
    if problem.status is None:
        return _Unasked(str(problem))
    words = {
        200: "Its answer is no usage: look for a newer version of ccproxy",
        401: "It does not accept the login (HTTP 401): log in again",
        403: "It does not let this login read the usage (HTTP 403): a long-lived token may not",
        429: "It has been asked too often (HTTP 429): try again later",
    }
    said = words.get(problem.status, f"It answered with HTTP {problem.status}: try again later")
    return _Unasked(f"{said}.", problem.retry_after or 0.0)
