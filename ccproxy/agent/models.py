"""The models that Claude Code offers, in the Messages API's shape."""

import asyncio
from collections.abc import Iterable

from ccproxy.agent.pool import Pool
from ccproxy.agent.worker import Setup
from ccproxy.conversation.parts import JsonObject

UNKNOWN_DATE = "1970-01-01T00:00:00Z"
"""What the models list says of a model whose release date is unknown (API reference, read 2026-11-22)."""


class Models:
    """Asked of a process once, and then remembered."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._found: list[JsonObject] = []
        self._lock = asyncio.Lock()

    async def all(self) -> list[JsonObject]:
        """`{"type","id","display_name","created_at"}` each. Raises AgentError."""
        async with self._lock:
            if not self._found:
                worker = await self._pool.take()
                try:
                    await worker.begin(Setup(None, None, None, worker.servers))
                    self._found = list(listed(worker.models))
                finally:
                    await worker.close()
            return self._found


def listed(models: Iterable[JsonObject]) -> Iterable[JsonObject]:
    """Claude Code's `{"value","displayName"}` (2.1.330) as the API lists models."""
    for model in models:
        if isinstance(name := model.get("value"), str):
            shown = str(model.get("displayName") or name)
            yield {"type": "model", "id": name, "display_name": shown, "created_at": UNKNOWN_DATE}
