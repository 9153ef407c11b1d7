"""Claude Code's side of the proxy, made when it is first asked for.

What it imports takes a third of a second and 20 MB, which users of other backends need not pay.
"""

import asyncio
import importlib
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from ccproxy.agent.paths import ASK, MCP, PREFIX, TOOLS
from ccproxy.agent.permissions import Permissions
from ccproxy.backends.target import Target
from ccproxy.conversation.parts import JsonObject
from ccproxy.known_sessions import KnownSessions
from ccproxy.settings import Settings

if TYPE_CHECKING:
    from ccproxy.agent.agent import Agent


class OnDemand:
    """An ASGI app. `local` is the address of the local app. Raises SettingsError for a rule that is none."""

    def __init__(self, settings: Settings, local: Target, known: KnownSessions) -> None:
        self.permissions = Permissions(settings.permissions)
        self._settings, self._local, self._known = settings, local, known
        self._agent: Agent | None = None
        self._making = asyncio.Lock()
        self._is_closed = False

    def routes(self) -> list[BaseRoute]:
        """The paths of the local app on which it is asked for."""
        paths = (f"{PREFIX}/{{rest:path}}", ASK, TOOLS, MCP)
        return [Route(path, self) for path in paths]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        agent = await self.agent()
        app = agent.app if agent else Response(status_code=503)
        await app(scope, receive, send)

    async def agent(self) -> "Agent | None":
        """The one agent, started; None where it would be made after the end."""
        async with self._making:
            if self._agent is None and not self._is_closed:
                module = await asyncio.to_thread(importlib.import_module, "ccproxy.agent.agent")
                made: Agent = module.Agent(self._settings, self._local, self.permissions, self._known)
                await made.start()
                self._agent = made
            return self._agent

    async def close(self) -> None:
        """End every process; whoever asks or is asked for a permission is told."""
        self._is_closed = True
        self.permissions.close()
        async with self._making:
            if self._agent:
                await self._agent.close()
        await self._known.save()

    def status(self) -> JsonObject:
        """`{"pool","sessions","permissions"}` in figures; the first two are None before the first request."""
        made = self._agent.status() if self._agent else {"pool": None, "sessions": None}
        return {**made, "permissions": {"pending": len(self.permissions.pending())}}
