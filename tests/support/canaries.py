"""Secrets that can be recognised, planted in every place, and the search for them in what was written."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.support.processes import Simulator

AUTH_TOKEN = "canary-auth-token-of-the-proxy-0123456789"
CLAUDE_KEY = "sk-ant-api03-canary-key-of-the-proxy-0123456789"
OPENAI_KEY = "sk-proj-canary-key-of-the-proxy-0123456789"
SETUP_TOKEN = "sk-ant-oat01-canary-setup-token-0123456789"
CLIENT_KEY = "sk-ant-api03-canary-key-of-the-client-0123456789"
COOKIE = "canary-cookie-of-an-account-0123456789"
REFRESH = "sk-ant-ort01-canary-refresh-token-of-the-client-0123456789"

FIXED = (AUTH_TOKEN, CLAUDE_KEY, OPENAI_KEY, SETUP_TOKEN, CLIENT_KEY, COOKIE, REFRESH)

KEEPERS = (
    ".claude/.credentials.json",
    ".codex/auth.json",
    ".config/ccproxy/config.toml",
    ".local/share/ccproxy/claude.json",
    ".local/share/ccproxy/codex.json",
    ".local/share/ccproxy/siwc.json",
)
"""The files that may hold secrets, below the home."""

SECRET_KEYS = ("access_token", "refresh_token", "id_token", "accessToken", "refreshToken")


def plant_logins(home: Path, simulator: Simulator, seconds: float) -> None:
    """Logins of Claude Code and of the Codex CLI that the simulator takes; Claude's ends in `seconds`."""
    claude = issued(simulator, "anthropic")
    ends = round((time.time() + seconds) * 1000)
    login = {
        "accessToken": claude["access_token"],
        "refreshToken": claude["refresh_token"],
        "expiresAt": ends,
    }
    write(home / ".claude" / ".credentials.json", {"claudeAiOauth": {**login, "scopes": ["user:inference"]}})
    codex = issued(simulator, "codex")
    tokens = {name: codex[name] for name in ("id_token", "access_token", "refresh_token")}
    write(home / ".codex" / "auth.json", {"OPENAI_API_KEY": None, "tokens": tokens})


def plant_keys(home: Path) -> None:
    """API keys and the token of the proxy in the settings file."""
    path = home / ".config" / "ccproxy" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'[claude]\napi_key = "{CLAUDE_KEY}"\n[openai]\napi_key = "{OPENAI_KEY}"\n'
        f'[security]\nauth_token = "{AUTH_TOKEN}"\n'
    )


def issued(simulator: Simulator, provider: str) -> dict[str, Any]:
    """A set of tokens that the simulator takes from now on."""
    answer = httpx.post(f"{simulator.url}/_simulator/oauth", json={"issue": provider}, trust_env=False)
    found: dict[str, Any] = answer.raise_for_status().json()["issued"]
    return found


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    path.chmod(0o600)


class Canaries:
    """Every secret that has been seen so far; `learn` before something may replace them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.known = set(FIXED)

    def learn(self) -> None:
        """The tokens that the credential files hold now."""
        for keeper in KEEPERS:
            path = self.home / keeper
            if path.suffix == ".json" and path.exists():
                self.known.update(tokens_in(json.loads(path.read_text())))

    def assert_not_in(self, written: str | bytes, where: str) -> None:
        content = written.encode() if isinstance(written, str) else written
        for secret in self.known:
            for form in forms(secret):
                assert form not in content, f"{secret[:24]}… is in {where}"

    def assert_nowhere(self) -> None:
        """Not in any file below the home, but for those that are there to keep credentials."""
        self.learn()
        keepers = {self.home / keeper for keeper in KEEPERS}
        for path in self.home.rglob("*"):
            if path.is_file() and path not in keepers:
                self.assert_not_in(path.read_bytes(), str(path.relative_to(self.home)))
            self.assert_not_in(str(path), "a file's name")


def tokens_in(value: object) -> Iterator[str]:
    """Every text below a key that names a token."""
    if isinstance(value, dict):
        for key, below in value.items():
            if key in SECRET_KEYS and isinstance(below, str):
                yield below
            else:
                yield from tokens_in(below)
    elif isinstance(value, list):
        for below in value:
            yield from tokens_in(below)


def forms(secret: str) -> Iterator[bytes]:
    """How a secret may be written: as it is, a part that gives it away, and inside of base64."""
    plain = secret.encode()
    yield plain
    yield plain[-24:]
    for shift in range(3):
        inner = base64.b64encode(b"\0" * shift + plain)
        # the first and the last group depend on what stands beside it
        yield inner[4:-4]
