"""`ccproxy auth validate` and `info`: would a request get a credential, and whose is it."""

from typing import Any

from ccproxy.cli.auth_logins import CHOSEN, ProviderName, credentials, iso, providers
from ccproxy.cli.auth_table import in_words
from ccproxy.conversation.parts import JsonObject
from ccproxy.credentials.credential import CredentialError
from ccproxy.credentials.oauth.claude import ClaudeOAuth
from ccproxy.settings import Settings


async def check(settings: Settings, who: str) -> dict[str, Any]:
    """`{"usable", "providers": {name: {"usable", "kind", "source", "state", "expires_at", "text"}}}`.

    Asks for a credential as a request does: a login that has ended is renewed.
    """
    report = {name: await _check(settings, name) for name in CHOSEN[who]}
    return {"usable": any(one["usable"] for one in report.values()), "providers": report}


async def _check(settings: Settings, name: ProviderName) -> JsonObject:
    asked = credentials(settings)[name]
    problem = ""
    try:
        await asked.secret()
    except CredentialError as error:
        problem = str(error)
    finally:
        await asked.stop()
    [provider] = await providers(settings, (name,))
    credential = provider.credential
    if credential.state == "off":
        problem = credential.hint
    return {
        "usable": not problem,
        "kind": credential.kind,
        "source": credential.source,
        "state": credential.state,
        "expires_at": iso(credential.expires_at),
        "text": problem or in_words(credential),
    }


async def facts(settings: Settings, who: str, *, online: bool) -> dict[str, Any]:
    """About the login that requests use, else the first one there is. Raises OAuthError, CredentialError."""
    name: ProviderName = "claude" if who == "claude" else "codex"
    [provider] = await providers(settings, (name,))
    found = provider.used or next(iter(provider.logins), None)
    if found is None:
        if provider.credential.usable:
            raise CredentialError(f"There is no login to tell about: {in_words(provider.credential)}.")
        raise CredentialError(provider.credential.hint)
    login = found.login
    told: dict[str, Any] = {
        "source": found.source.name,
        "account": login.account,
        "plan": login.plan,
        "scopes": list(login.scopes),
        "expires_at": iso(login.expires_at),
        "renewable": login.refresh_token is not None,
        "state": found.state,
        "usable": found.state in ("valid", "renewable"),
        "in_use": found.in_use,
    }
    if online:
        fresh = await found.source.fresh()
        await found.source.stop()
        if fresh:
            told |= await ClaudeOAuth.from_settings(settings).profile(fresh.access_token)
            told["expires_at"] = iso(fresh.expires_at)
    return told
