"""`ccproxy auth refresh` and `logout`: what changes a login."""

import os
from typing import Any

from ccproxy.cli.auth_logins import CHOSEN, Found, ProviderName, logins, providers
from ccproxy.credentials.credential import CredentialError
from ccproxy.credentials.oauth.codex import CodexOAuth
from ccproxy.credentials.oauth.siwc import SiwcOAuth
from ccproxy.credentials.refresher import Refresher
from ccproxy.credentials.stores.claude_env import VARIABLE
from ccproxy.credentials.stores.own import OwnClaudeStore, OwnCodexStore
from ccproxy.credentials.stores.siwc import SiwcStore
from ccproxy.settings import Settings

ELSEWHERE = {
    "Claude Code": "run 'claude' and use /logout.",
    "Claude Code (keychain)": "run 'claude' and use /logout.",
    "Codex CLI": "run 'codex logout'.",
    VARIABLE: f"unset {VARIABLE}.",
}
"""How to log out where the login is not ours."""


async def renew(settings: Settings, who: str) -> tuple[list[Found], list[str]]:
    """Renews the login that requests use, or the first one there is; the second list says why not.

    Raises CredentialError when there is no login at all.
    """
    done, failed = [], []
    for provider in await providers(settings, CHOSEN[who]):
        found = provider.used or next(iter(provider.logins), None)
        if found is None:
            continue
        try:
            done.append(await _renew(found))
        except CredentialError as problem:
            failed.append(str(problem))
    if not done and not failed:
        advice = {"claude": "ccproxy auth login", "openai": "ccproxy auth login-openai"}
        commands = [f"'{advice[who]}'"] if who else [f"'{command}'" for command in advice.values()]
        raise CredentialError(f"There is no login to renew: run {' or '.join(commands)}.")
    return done, failed


async def _renew(found: Found) -> Found:
    source = found.source
    if not isinstance(source, Refresher):
        raise CredentialError(f"The login of {source.name} can only be renewed where it comes from.")
    login = await source.renew()
    _, state, hint = await source.status()
    await source.stop()
    if hint:
        raise CredentialError(hint)
    return Found(source, login or found.login, state, hint, found.in_use)


async def log_out(settings: Settings, who: str) -> dict[str, Any]:
    """`{"removed": [{"provider", "title", "revoked"}], "kept": [{"provider", "source", "how"}]}`."""
    removed: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    for name in CHOSEN[who]:
        if name == "claude":
            removed += await _forget_claude()
        elif name == "codex":
            removed += [*await _forget_codex(settings), *await _forget_siwc(settings)]
        kept += [
            {"provider": name, "source": found.source.name, "how": ELSEWHERE[found.source.name]}
            for found in await logins(settings, name)
            if found.source.name in ELSEWHERE
        ]
    return {"removed": removed, "kept": kept}


async def _forget_claude() -> list[dict[str, Any]]:
    """There is no known endpoint that ends such a login."""
    store = OwnClaudeStore(os.environ)
    if await store.read() is None:
        return []
    await store.clear()
    return [_removed("claude", "Claude", revoked=False)]


async def _forget_codex(settings: Settings) -> list[dict[str, Any]]:
    store = OwnCodexStore(os.environ)
    login = await store.read()
    if login is None:
        return []
    await store.clear()
    revoked = bool(login.refresh_token) and await CodexOAuth.from_settings(settings).revoke(
        login.refresh_token or ""
    )
    return [_removed("codex", "ChatGPT", revoked=revoked)]


async def _forget_siwc(settings: Settings) -> list[dict[str, Any]]:
    """The registration of this installation stays."""
    store = SiwcStore(os.environ)
    login = await store.read()
    if login is None:
        return []
    oauth = SiwcOAuth.from_settings(settings, await store.registration())
    await store.clear()
    revoked = bool(login.refresh_token) and await oauth.revoke(login.refresh_token or "")
    return [_removed("codex", "Sign in with ChatGPT", revoked=revoked)]


def _removed(name: ProviderName, title: str, *, revoked: bool) -> dict[str, Any]:
    return {"provider": name, "title": title, "revoked": revoked}
