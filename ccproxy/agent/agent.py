"""Everything behind `/sdk`, put together: processes, conversations, and what they ask for."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from weakref import WeakValueDictionary

from starlette.applications import Starlette
from starlette.routing import Route

from ccproxy.agent import permission_mcp, tool_names
from ccproxy.agent.app import agent_routes
from ccproxy.agent.asked import Asked
from ccproxy.agent.client_tools import ClientTools
from ccproxy.agent.guard import Guard
from ccproxy.agent.models import Models
from ccproxy.agent.paths import ASK, MCP, TOOLS
from ccproxy.agent.permission_mcp import PermissionServer, Who
from ccproxy.agent.permissions import Permissions
from ccproxy.agent.pool import Pool
from ccproxy.agent.sessions import Sessions
from ccproxy.agent.worker import Worker
from ccproxy.backends.target import Target
from ccproxy.conversation.parts import JsonObject
from ccproxy.known_sessions import KnownSessions
from ccproxy.settings import Settings

logger = logging.getLogger(__name__)

GRACE = 60
"""Seconds by which Claude Code's patience with a permission is longer than ours."""

PATIENCE = 24 * 3600
"""Seconds that Claude Code waits for a tool that the client runs; an idle session ends long before."""

LOOKS = 4
"""How often idle sessions are looked for, within the time after which one is idle."""


class Agent:
    """`app` serves what the proxy sends to the backend `sdk`, and the MCP servers; `local` is its address."""

    def __init__(
        self, settings: Settings, local: Target, permissions: Permissions, known: KnownSessions
    ) -> None:
        self._settings = settings
        self._local = local
        self._asked_for = PermissionServer(permissions, self._who)
        self._tools = ClientTools()
        self._guard = Guard()
        pool = settings.claude.pool
        self._pool = Pool(self._worker, pool.size if pool.enabled else 0, pool.max_uses)
        self._sessions = Sessions(settings, self._pool, self._tools, self._servers, known)
        self._workers: WeakValueDictionary[str, Worker] = WeakValueDictionary()
        self._running: asyncio.Task[None] | None = None
        keepalive = settings.retries.keepalive_seconds
        self.app = Starlette(
            routes=[
                *agent_routes(self._sessions, Models(self._pool), keepalive),
                Route(MCP, self._asked_for.for_users),
                Route(ASK, self._asked_for.for_workers),
                Route(TOOLS, self._tools.server),
            ]
        )

    async def start(self) -> None:
        """Serve the processes, fill the pool, look for idle sessions."""
        serving = asyncio.Event()
        self._running = asyncio.create_task(self._run(serving))
        await serving.wait()

    async def close(self) -> None:
        """End every process. What comes afterwards fails."""
        await self._sessions.close()
        await self._pool.close()
        if self._running:
            self._running.cancel()
            await asyncio.wait({self._running})
        await asyncio.to_thread(self._guard.close)

    def status(self) -> JsonObject:
        """`{"pool","sessions"}` in figures."""
        return {"pool": self._pool.status(), "sessions": self._sessions.status()}

    def _worker(self) -> Worker:
        worker = Worker(self._settings, self._guard, self._always)
        self._workers[worker.token] = worker
        return worker

    def _always(self, token: str) -> Mapping[str, JsonObject]:
        """The user's own servers, and the one that is asked for permissions."""
        patience = self._settings.permissions.timeout_seconds + GRACE
        return {
            **self._settings.claude.options.mcp_servers,
            permission_mcp.SERVER: self._server(ASK, token, patience),
        }

    def _servers(self, worker: Worker, asked: Asked) -> Mapping[str, JsonObject]:
        if not asked.tools:
            return worker.servers
        return {**worker.servers, tool_names.SERVER: self._server(TOOLS, worker.token, PATIENCE)}

    def _server(self, path: str, token: str, seconds: float) -> JsonObject:
        return {
            "type": "http",
            "url": self._local.origin + path,
            "headers": {"Authorization": f"Bearer {token}"},
            "timeout": int(seconds * 1000),
        }

    def _who(self, token: str) -> Who | None:
        """Who asks with this token; a process that waits in the pool has no session yet."""
        if token not in self._workers:
            return None
        return Who(self._sessions.named_by(token), str(self._settings.claude.options.cwd or Path.cwd()))

    async def _run(self, serving: asyncio.Event) -> None:
        async with self._asked_for.running(), self._tools.running():
            serving.set()
            self._pool.start()
            while True:
                await asyncio.sleep(self._settings.claude.sessions.idle_seconds / LOOKS)
                try:
                    await self._sessions.close_idle()
                except Exception:
                    logger.exception("Idle Claude Code processes could not be ended.")
