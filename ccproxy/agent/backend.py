"""Claude Code as a backend: for the proxy it is one more upstream, on the local app."""

from dataclasses import replace

from ccproxy.agent.credential import AgentCredential
from ccproxy.agent.paths import PREFIX
from ccproxy.backends.backend import Backend
from ccproxy.backends.target import Target
from ccproxy.settings import Settings


def sdk_backend(settings: Settings, local: Target, secret: tuple[str, str]) -> Backend:
    """`local` is where the local app is, `secret` the header by which it knows the proxy."""
    credential = AgentCredential(settings.claude.cli_path, secret)
    return Backend("sdk", replace(local, prefix=PREFIX), ("anthropic",), credential, hosts=())
