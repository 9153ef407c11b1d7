"""An MCP server over Streamable HTTP for callers that it knows (MCP specification 2025-11-25).

It keeps nothing between two requests. A call is answered as a stream of events, with a comment every
15 seconds until somebody has answered: without that Claude Code gives up after 60 (2.1.330, measured
2026-11-22).
"""

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from mcp import McpError, types
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from ccproxy.conversation.parts import JsonObject
from ccproxy.version import ccproxy_version

SESSION_HEADER = "mcp-session-id"
SESSION = "mcp-"
"""How the names of sessions begin that are given here."""

LINGER = 0.5
"""Seconds that answers under way are given when the server stops."""

_CALLER = "ccproxy.caller"
_TOOL_USE_ID = "claudecode/toolUseId"
_CANCELLED = "notifications/cancelled"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`tool_use_id` is the model's id for the call, if the client says it."""

    name: str
    arguments: JsonObject
    tool_use_id: str | None


class McpServer[Caller]:
    """An ASGI app. `admit` says who sends these headers, None for a stranger (401); `tools` and `call` serve.

    With `gives_sessions` a client is given the name of a session, which it then sends itself; it is believed.
    """

    def __init__(
        self,
        name: str,
        admit: Callable[[Headers], Caller | None],
        tools: Callable[[Caller], Sequence[types.Tool]],
        call: Callable[[Caller, ToolCall], Awaitable[types.CallToolResult]],
        *,
        gives_sessions: bool = False,
    ) -> None:
        self._admit, self._tools, self._call = admit, tools, call
        self._gives_sessions = gives_sessions
        self._server: Server[Any, Any] = Server(name, ccproxy_version())
        self._server.request_handlers[types.ListToolsRequest] = self._list_tools
        self._server.request_handlers[types.CallToolRequest] = self._call_tool
        self._manager: StreamableHTTPSessionManager | None = None
        self._answering: set[asyncio.Task[Any]] = set()
        self._calls: dict[tuple[str, str | int], anyio.CancelScope] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        caller = self._admit(headers)
        if caller is None:
            text = "This server is for the processes that ccproxy has started."
            error = {"error": {"type": "unauthorized", "message": text}}
            await JSONResponse(error, 401, {"www-authenticate": "Bearer"})(scope, receive, send)
        elif scope["method"] != "POST":
            # nothing is ever sent unasked, and no session is kept that could be ended
            await Response(status_code=405, headers={"allow": "POST"})(scope, receive, send)
        elif self._manager is None:
            await Response(status_code=503)(scope, receive, send)
        else:
            if self._gives_sessions and SESSION_HEADER not in headers:
                send = _with_session(send)
            task = asyncio.current_task()
            assert task is not None
            self._answering.add(task)
            try:
                receive = self._hearing(self._name(headers), receive)
                await self._manager.handle_request({**scope, _CALLER: caller}, receive, send)
            finally:
                self._answering.discard(task)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serves within this context, which may be entered and left in different tasks."""
        # it says every request; what matters is in our own log
        logging.getLogger("mcp").setLevel(logging.WARNING)
        begun, over = asyncio.Event(), asyncio.Event()

        async def run() -> None:
            self._manager = StreamableHTTPSessionManager(self._server, stateless=True)
            try:
                async with self._manager.run():
                    begun.set()
                    await over.wait()
            finally:
                self._manager = None
                begun.set()

        task = asyncio.create_task(run())
        try:
            await begun.wait()
            yield
        finally:
            if self._answering:
                await asyncio.wait(self._answering, timeout=LINGER)
            over.set()
            await task

    def _name(self, headers: Headers) -> str:
        """What makes the numbers of a client's calls its own; nothing where that is unknown."""
        return headers.get(SESSION_HEADER, "") if self._gives_sessions else bearer(headers)

    def _hearing(self, name: str, receive: Receive) -> Receive:
        """Ends calls that this client gives up: Claude Code says so, and leaves their connections open."""
        body = bytearray()

        async def receiving() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                body.extend(message.get("body", b""))
                number = None if message.get("more_body") else _given_up(body)
                if number is not None and (calling := self._calls.get((name, number))):
                    calling.cancel()
            return message

        return receiving

    def _caller(self) -> Caller:
        caller: Caller = self._request().scope[_CALLER]
        return caller

    def _request(self) -> Any:
        request = self._server.request_context.request
        assert request is not None
        return request

    async def _list_tools(self, _: types.ListToolsRequest) -> types.ServerResult:
        return types.ServerResult(types.ListToolsResult(tools=list(self._tools(self._caller()))))

    async def _call_tool(self, request: types.CallToolRequest) -> types.ServerResult:
        meta = self._server.request_context.meta
        said = (meta.model_extra or {}).get(_TOOL_USE_ID) if meta else None
        call = ToolCall(
            request.params.name, request.params.arguments or {}, said if isinstance(said, str) else None
        )
        name = self._name(Headers(scope=self._request().scope)), self._server.request_context.request_id
        calling = anyio.CancelScope()
        if name[0]:
            self._calls[name] = calling
        with calling:
            try:
                return types.ServerResult(await self._call(self._caller(), call))
            finally:
                if self._calls.get(name) is calling:
                    del self._calls[name]
        raise McpError(types.ErrorData(code=0, message="The call was given up."))


def refused(text: str) -> types.CallToolResult:
    """A result that says what was wrong with the call."""
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], isError=True)


def bearer(headers: Headers) -> str:
    """The token of an `Authorization: Bearer` header, or nothing."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _given_up(body: bytes | bytearray) -> str | int | None:
    """The call that this message ends before it is answered, if it is such a message."""
    if _CANCELLED.encode() not in body:
        return None
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    match message:
        case {"method": method, "params": {"requestId": str() | int() as number}} if method == _CANCELLED:
            return number
    return None


def _with_session(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)[SESSION_HEADER] = SESSION + secrets.token_hex(8)
        await send(message)

    return sending
