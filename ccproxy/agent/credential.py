"""Who may ask Claude Code: the proxy, by its own secret. What Claude Code logs in with is its own affair."""

import asyncio
from pathlib import Path

from ccproxy.agent.cli import find_cli
from ccproxy.agent.errors import CliMissing
from ccproxy.credentials.credential import CredentialStatus, Secret


class AgentCredential:
    """The local app's secret. `cli_path` is where the settings say that the program is, if they do."""

    def __init__(self, cli_path: Path | None, secret: tuple[str, str]) -> None:
        self._cli_path = cli_path
        self._secret = Secret((secret,))

    async def secret(self) -> Secret:
        return self._secret

    async def rejected(self, secret: Secret) -> Secret | None:
        return None  # a 401 is about Claude Code's own login

    async def status(self) -> CredentialStatus:
        return await cli_status(self._cli_path)

    def start(self) -> None:
        """A secret is not renewed."""

    async def stop(self) -> None:
        """Nothing to end."""


async def cli_status(cli_path: Path | None) -> CredentialStatus:
    """Whether the program is there. Only a request shows whether it is logged in."""
    try:
        await asyncio.to_thread(find_cli, cli_path)
    except CliMissing as problem:
        hint = f"{problem} To log in: claude auth login."
        return CredentialStatus("none", "nowhere", "missing", hint=hint)
    return CredentialStatus("cli", "Claude Code", "valid")
