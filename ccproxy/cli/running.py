"""The server that runs, as commands reach it."""

from ccproxy.settings import Settings
from ccproxy.settings.kinds import host_for_url

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
"""Addresses to bind to that are none to call, and what to call instead."""


class NoAnswerError(Exception):
    """There is no server that tells; the text says what to do."""


def server_host(settings: Settings) -> str:
    """The address that the server of these settings can be called at."""
    return EVERYWHERE.get(settings.server.host, settings.server.host)


def server_url(settings: Settings) -> str:
    """Where the server of these settings answers."""
    return f"http://{host_for_url(server_host(settings))}:{settings.server.port}"


def headers(token: str | None) -> dict[str, str]:
    """What opens its routes."""
    return {"authorization": f"Bearer {token}"} if token else {}
