"""The constants of the three logins: `constants.toml`, which says when it was read, and the settings."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from ccproxy.settings import Settings
from ccproxy.settings.kinds import is_loopback


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirect that a provider accepts: `http://<host>:<port><path>`, on any port if `ports` is empty."""

    host: str
    path: str
    ports: tuple[int, ...] = ()

    def uri(self, port: int) -> str:
        return f"http://{self.host}:{port}{self.path}"


@dataclass(frozen=True, slots=True)
class ClaudeConstants:
    """Where a login with Claude goes; `code_page` is the redirect of a login that is pasted."""

    client_id: str
    scope: str
    code_page: str
    beta: str
    redirect: Redirect
    authorize_url: str
    token_url: str
    profile_url: str
    usage_url: str


@dataclass(frozen=True, slots=True)
class CodexConstants:
    """Where a Codex login goes."""

    client_id: str
    scope: str
    originator: str
    redirect: Redirect
    authorize_url: str
    token_url: str
    revoke_url: str
    device_code_url: str
    device_token_url: str
    device_page_url: str
    device_redirect_url: str


@dataclass(frozen=True, slots=True)
class SiwcConstants:
    """Where Sign in with ChatGPT begins: the rest is in the issuer's discovery document."""

    client_id: str
    agent_name: str
    scope: str
    plan_scope: str
    resource: str
    redirect: Redirect
    issuer: str


def claude_constants(settings: Settings) -> ClaudeConstants:
    given = {**settings.claude.oauth.model_dump(), "token_url": settings.claude.token_url}
    return ClaudeConstants(**_merged("claude", given, settings.claude.token_url))


def codex_constants(settings: Settings) -> CodexConstants:
    given = {**settings.codex.oauth.model_dump(), "token_url": settings.codex.token_url}
    return CodexConstants(**_merged("codex", given, settings.codex.token_url))


def siwc_constants(settings: Settings) -> SiwcConstants:
    return SiwcConstants(**_merged("siwc", settings.codex.siwc.model_dump(), settings.codex.token_url))


def _merged(provider: str, given: Mapping[str, str | None], token_url: str | None) -> dict[str, Any]:
    """What is given, else the provider's own URLs, on the origin of `token_url` when that is a stand-in."""
    table = dict(_table()[provider])
    urls: dict[str, str] = table.pop("urls")
    if token_url and is_loopback(urlsplit(token_url).hostname or ""):
        stand_in = urlsplit(token_url)
        urls = {
            name: urlsplit(url)._replace(scheme=stand_in.scheme, netloc=stand_in.netloc).geturl()
            for name, url in urls.items()
        }
    redirect = table["redirect"]
    table["redirect"] = Redirect(redirect["host"], redirect["path"], tuple(redirect["ports"]))
    return table | urls | {name: value for name, value in given.items() if value is not None}


@cache
def _table() -> dict[str, Any]:  # the dataclasses above are its shape
    return tomllib.loads(resources.files("ccproxy.credentials.oauth").joinpath("constants.toml").read_text())
