"""The MCP tool `check`, with which Claude Code asks for permissions (`--permission-prompt-tool`).

Shapes and time limit as Claude Code 2.1.330 has them (measured 2026-11-22).
"""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from mcp import types
from starlette.datastructures import Headers

from ccproxy.agent.mcp_server import SESSION, SESSION_HEADER, McpServer, ToolCall, bearer, refused
from ccproxy.agent.permission_request import behavior, is_json
from ccproxy.agent.permissions import Permissions

SERVER, TOOL = "ccproxy", "check"

CHECK = types.Tool(
    name=TOOL,
    title="Ask for a permission",
    description="Asks the person at ccproxy whether a tool may be used so, and waits for the answer.",
    inputSchema={
        "type": "object",
        "properties": {
            "tool_name": {"type": "string"},
            "input": {"type": "object"},
            "tool_use_id": {"type": "string"},
        },
        "required": ["tool_name", "input"],
        "additionalProperties": True,
    },
)


@dataclass(frozen=True, slots=True)
class Who:
    """Which session asks, and where it works; nothing or None where nobody knows."""

    session_id: str | None = None
    cwd: str | None = None


class PermissionServer:
    """Two apps with the same tool: `for_users` is for any Claude Code that may speak to the proxy,
    `for_workers` for processes of our own, which `who` knows by their token."""

    def __init__(self, store: Permissions, who: Callable[[str], Who | None]) -> None:
        self._store = store
        self.for_users = McpServer(SERVER, _user, _tools, self._call, gives_sessions=True)
        self.for_workers = McpServer(SERVER, lambda headers: who(bearer(headers)), _tools, self._call)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Both serve within this context."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.for_users.running())
            await stack.enter_async_context(self.for_workers.running())
            yield

    async def _call(self, who: Who, call: ToolCall) -> types.CallToolResult:
        name, given = call.arguments.get("tool_name"), call.arguments.get("input")
        if call.name != TOOL or not isinstance(name, str) or not name or not isinstance(given, dict):
            return refused(f"There is only {TOOL}, with tool_name (text) and input (object).")
        if not is_json(given):
            return refused("The input has a number in it that JSON does not have.")
        said = call.arguments.get("tool_use_id")
        use_id = said if isinstance(said, str) and said else call.tool_use_id
        decision = await self._store.ask(name, given, use_id, who.session_id, who.cwd)
        text = json.dumps(behavior(decision, given))
        return types.CallToolResult(content=[types.TextContent(type="text", text=text)])


def _user(headers: Headers) -> Who:
    session = headers.get(SESSION_HEADER, "")
    return Who(session if session.startswith(SESSION) else None)


def _tools(_: Who) -> list[types.Tool]:
    return [CHECK]
