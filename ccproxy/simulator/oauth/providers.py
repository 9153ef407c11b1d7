"""The three authorisation servers as data: client ids, scopes, redirect rules and lifetimes.

Client ids are public constants of public clients (no secret exists). Read 2026-11-22: the `anthropic`
SDK 2.12, Claude Code 2.1.330, the open-source Codex CLI, OpenAI's pages on Sign in with ChatGPT.
"""

import hashlib
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

ProviderName = Literal["anthropic", "codex", "siwc"]

CODEX_REDIRECT_PORTS = (1455, 1457)
DYNAMIC_CLIENT = "dynamic_agent_client"
SIWC_RESOURCE = "https://api.openai.com/v1"
SIWC_PLAN_SCOPE = "chatgpt.tokens.use.direct"
OPENID_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})


@dataclass(frozen=True, slots=True)
class Provider:
    """One authorisation server. `access_seconds` and `refresh_seconds` are the usual token lifetimes."""

    name: ProviderName
    client_id: str
    scopes: frozenset[str]
    access_seconds: int
    refresh_seconds: int

    @property
    def default_scope(self) -> str:
        return " ".join(sorted(self.scopes))


@dataclass(frozen=True, slots=True)
class Account:
    """The one person who has an account at this simulator."""

    user_id: str
    account_id: str
    organization_id: str
    email: str
    plan: str


ACCOUNT = Account(
    user_id="user-5a1e0000000000000000000000000001",
    account_id="99999999-8888-4777-8666-555555555555",
    organization_id="11111111-2222-4333-8444-555555555555",
    email="user@example.com",
    plan="pro",
)

ANTHROPIC = Provider(
    name="anthropic",
    client_id="9d1c250a-e61b-44d9-88ed-5944d1962f5e",
    scopes=frozenset(
        {
            "org:create_api_key",
            "user:profile",
            "user:inference",
            "user:sessions:claude_code",
            "user:mcp_servers",
            "user:file_upload",
        }
    ),
    access_seconds=8 * 3600,
    refresh_seconds=30 * 86400,
)

CODEX = Provider(
    name="codex",
    client_id="app_EMoamEEZ73f0CkXaXp7hrann",
    scopes=OPENID_SCOPES | {"api.connectors.read", "api.connectors.invoke"},
    access_seconds=10 * 86400,
    refresh_seconds=30 * 86400,
)

SIWC = Provider(
    name="siwc",
    client_id=DYNAMIC_CLIENT,
    scopes=OPENID_SCOPES | {"resource.invoke", SIWC_PLAN_SCOPE},
    access_seconds=3600,
    refresh_seconds=30 * 86400,
)

PROVIDERS: dict[ProviderName, Provider] = {p.name: p for p in (ANTHROPIC, CODEX, SIWC)}

MANUAL_REDIRECTS = frozenset(
    {
        "https://console.anthropic.com/oauth/code/callback",
        "https://platform.claude.com/oauth/code/callback",
    }
)


def is_anthropic_redirect(uri: str) -> bool:
    """The page that shows the code, or `http://localhost:<any port>/callback`."""
    if uri in MANUAL_REDIRECTS:
        return True
    parts = urlsplit(uri)
    return parts.scheme == "http" and parts.hostname == "localhost" and parts.path == "/callback"


def is_codex_redirect(uri: str, ports: tuple[int, ...]) -> bool:
    """`http://localhost:<port>/auth/callback`; the port is part of the registration."""
    parts = urlsplit(uri)
    where = (parts.scheme, parts.hostname, parts.path)
    return where == ("http", "localhost", "/auth/callback") and parts.port in ports


def is_siwc_redirect(uri: str) -> bool:
    """`http://127.0.0.1:<any port>/auth/callback`: the literal address, not `localhost`."""
    parts = urlsplit(uri)
    return (parts.scheme, parts.hostname, parts.path) == ("http", "127.0.0.1", "/auth/callback")


def issued_client_id(host_id: str) -> str:
    """The id that dynamic registration gives to the installation `host_id`; the same one every time."""
    return "oaiapp_" + hashlib.sha256(host_id.encode()).hexdigest()[:32]
