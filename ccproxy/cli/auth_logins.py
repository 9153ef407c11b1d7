"""What `ccproxy auth` finds: the credential that requests use, and every login that is there."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ccproxy.conversation.parts import JsonObject
from ccproxy.credentials.claude import ClaudeCredential, claude_logins
from ccproxy.credentials.codex import CodexCredential, codex_logins
from ccproxy.credentials.credential import CredentialError, CredentialSource, CredentialStatus, State
from ccproxy.credentials.logins import Source
from ccproxy.credentials.oauth.siwc import SiwcOAuth
from ccproxy.credentials.openai import OpenAICredential
from ccproxy.credentials.refresher import Refresher
from ccproxy.credentials.stores.login import Login
from ccproxy.credentials.stores.siwc import SiwcStore
from ccproxy.settings import Settings

ProviderName = Literal["claude", "codex", "openai"]
"""As the settings name them: `codex` is the ChatGPT plan, `openai` the API with a key."""

TITLES: dict[ProviderName, str] = {"claude": "Claude", "codex": "ChatGPT", "openai": "OpenAI"}

CHOSEN: dict[str, tuple[ProviderName, ...]] = {
    "": ("claude", "codex", "openai"),
    "claude": ("claude",),
    "openai": ("codex", "openai"),
}
"""What the argument of a command means."""

_SIWC_AGAIN = "Run 'ccproxy auth login-openai --siwc'."


@dataclass(frozen=True, slots=True)
class Found:
    """A login, and whether requests use it."""

    source: Source
    login: Login
    state: State
    hint: str
    in_use: bool

    def as_json(self) -> JsonObject:
        login = self.login
        return {
            "source": self.source.name,
            "state": self.state,
            "in_use": self.in_use,
            "expires_at": iso(login.expires_at),
            "renewable": login.refresh_token is not None,
            "plan": login.plan,
            "account": login.account,
            "scopes": list(login.scopes),
            "hint": self.hint or None,
        }


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider: what requests to it use, and the logins there are for it."""

    name: ProviderName
    credential: CredentialStatus
    logins: tuple[Found, ...]

    @property
    def used(self) -> Found | None:
        return next((found for found in self.logins if found.in_use), None)

    def as_json(self) -> JsonObject:
        credential = self.credential
        return {
            "kind": credential.kind,
            "source": credential.source,
            "state": credential.state,
            "usable": credential.usable,
            "expires_at": iso(credential.expires_at),
            "plan": self.used.login.plan if self.used else None,
            "hint": credential.hint or None,
            "logins": [found.as_json() for found in self.logins],
        }


def credentials(settings: Settings) -> dict[ProviderName, CredentialSource]:
    """What a server with these settings asks for its credentials."""
    return {
        "claude": ClaudeCredential(settings),
        "codex": CodexCredential(settings),
        "openai": OpenAICredential(settings),
    }


async def providers(settings: Settings, names: tuple[ProviderName, ...]) -> list[Provider]:
    """Asks no provider and changes nothing."""
    asked = credentials(settings)
    found = []
    for name in names:
        credential = await asked[name].status()
        if name == "codex" and not settings.codex.enabled:
            credential = CredentialStatus("none", "codex.enabled", "off", hint="codex.enabled is false.")
        found.append(Provider(name, credential, await logins(settings, name, credential)))
    return found


async def logins(
    settings: Settings, name: ProviderName, credential: CredentialStatus | None = None
) -> tuple[Found, ...]:
    """Every login that is there for a provider, in the order in which they are asked."""
    found = []
    for source in await sources(settings, name):
        login, state, hint = await source.status()
        if login:
            in_use = credential is not None and credential.usable and credential.source == source.name
            found.append(Found(source, login, state, hint, in_use))
    return tuple(found)


async def sources(
    settings: Settings, name: ProviderName, environ: Mapping[str, str] = os.environ
) -> list[Source]:
    if name == "openai":
        return []
    if name == "claude":
        return claude_logins(settings, environ)
    places = codex_logins(settings, environ)
    siwc = SiwcStore(environ)
    try:
        there = await siwc.read()
    except CredentialError:
        return places
    if there:
        oauth = SiwcOAuth.from_settings(settings, await siwc.registration())
        places.append(Refresher(siwc, oauth, _SIWC_AGAIN))
    return places


def iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
