"""Tools that the client of a request runs itself, as an MCP server for the process that answers the request.

The model calls such a tool in Claude Code; the call waits here until the client's next request brings its
result. Names, schemas and `_meta` as Claude Code 2.1.330 takes them (measured 2026-11-22).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from mcp import types
from pydantic import AnyUrl

from ccproxy.agent.mcp_server import McpServer, ToolCall, bearer, refused
from ccproxy.agent.tool_names import SERVER, wire_names
from ccproxy.conversation.parts import JsonObject

ENDED = "The conversation has ended before this tool was run."


@dataclass(eq=False, slots=True)
class _Waiting:
    """A call that the process has made. Without an id it is known by its name and arguments."""

    name: str
    arguments: JsonObject
    tool_use_id: str | None
    result: asyncio.Future[JsonObject]


@dataclass(eq=False, slots=True)
class _Toolbox:
    """What one process is offered. `own_names` leads from its name for a tool to the client's."""

    tools: list[types.Tool] = field(default_factory=list)
    own_names: Mapping[str, str] = field(default_factory=dict)
    waiting: list[_Waiting] = field(default_factory=list)
    results: dict[str, JsonObject] = field(default_factory=dict)
    fetched: set[str] = field(default_factory=set)
    called: list[JsonObject] = field(default_factory=list)
    is_over: bool = False


class ClientTools:
    """`server` is the ASGI app; a process is known by its token, from `offer` to `forget`."""

    def __init__(self) -> None:
        self._boxes: dict[str, _Toolbox] = {}
        self.server = McpServer(
            SERVER, lambda headers: self._boxes.get(bearer(headers)), lambda box: box.tools, _called
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The server serves within this context."""
        async with self.server.running():
            try:
                yield
            finally:
                for token in list(self._boxes):
                    self.forget(token)

    def offer(self, token: str, tools: Sequence[JsonObject]) -> None:
        """Offer these tools (definitions of the Messages API) and no others, for a new turn."""
        own = {str(tool.get("name")): tool for tool in tools if tool.get("type") in (None, "custom")}
        box = self._boxes.setdefault(token, _Toolbox())
        box.own_names = wire_names(own)
        box.tools = [_tool(wire, own[name]) for wire, name in box.own_names.items()]
        box.results.clear()
        box.fetched.clear()
        box.called.clear()

    def called(self, token: str, calls: Sequence[JsonObject]) -> None:
        """The `tool_use` blocks that the client was given, for a process that does not say their ids."""
        if box := self._boxes.get(token):
            box.called = list(calls)
            _deliver(box)

    def answer(self, token: str, results: Mapping[str, JsonObject]) -> None:
        """What the client says its tools gave: `tool_result` blocks by their `tool_use_id`.

        A result is kept for a call that comes later.
        """
        if box := self._boxes.get(token):
            for use_id in box.fetched:
                del box.results[use_id]
            box.fetched.clear()
            box.results.update(results)
            _deliver(box)

    def forget(self, token: str) -> None:
        """The process has ended, or has to: calls that wait end with an error."""
        if box := self._boxes.pop(token, None):
            box.is_over = True
            for waiting in box.waiting:
                if not waiting.result.done():
                    waiting.result.set_result({"content": ENDED, "is_error": True})


async def _called(box: _Toolbox, call: ToolCall) -> types.CallToolResult:
    if call.name not in {tool.name for tool in box.tools}:
        return refused(f"There is no tool {call.name}.")
    if box.is_over:
        return refused(ENDED)
    result: asyncio.Future[JsonObject] = asyncio.get_running_loop().create_future()
    waiting = _Waiting(call.name, call.arguments, call.tool_use_id, result)
    box.waiting.append(waiting)
    try:
        _deliver(box)
        block = await result
    finally:
        box.waiting.remove(waiting)
    return types.CallToolResult(content=_content(block.get("content")), isError=block.get("is_error") is True)


def _deliver(box: _Toolbox) -> None:
    """Give each call that waits its result, if that is there. It stays for a call that is made once more."""
    for waiting in box.waiting:
        if waiting.tool_use_id is None:
            waiting.tool_use_id = _id_of(box, waiting)
        if waiting.tool_use_id in box.results and not waiting.result.done():
            box.fetched.add(waiting.tool_use_id)
            waiting.result.set_result(box.results[waiting.tool_use_id])


def _id_of(box: _Toolbox, waiting: _Waiting) -> str | None:
    """The id of a call of this name with these arguments that no other call has."""
    taken = {other.tool_use_id for other in box.waiting} | box.fetched
    name = box.own_names.get(waiting.name, waiting.name)
    for call in box.called:
        is_it = call.get("name") in (name, waiting.name) and (call.get("input") or {}) == waiting.arguments
        if is_it and call.get("id") not in taken:
            return str(call["id"])
    return None


def _tool(name: str, definition: JsonObject) -> types.Tool:
    """A definition of the Messages API as one of MCP, which has no schemas other than of objects."""
    schema = definition.get("input_schema")
    schema = dict(schema) if isinstance(schema, dict) else {}
    if schema.get("type") != "object":
        schema["type"] = "object"
    schema.setdefault("properties", {})
    description = definition.get("description")
    return types.Tool(
        name=name,
        description=description if isinstance(description, str) else None,
        inputSchema=schema,
        # else the model would have to search for it first
        _meta={"anthropic/alwaysLoad": True},
    )


def _content(content: Any) -> list[types.ContentBlock]:
    """What a `tool_result` holds, as MCP content."""
    if isinstance(content, str):
        return [_text(content)]
    return [_block(block) for block in content or [] if isinstance(block, dict)]


def _block(block: JsonObject) -> types.ContentBlock:
    source = block.get("source")
    source = source if isinstance(source, dict) else {}
    data, media_type = source.get("data"), source.get("media_type")
    match block.get("type"), source.get("type"):
        case "text", _:
            return _text(str(block.get("text", "")))
        case "image", "base64" if isinstance(data, str) and isinstance(media_type, str):
            return types.ImageContent(type="image", data=data, mimeType=media_type)
        case "document", "text" if isinstance(data, str):
            return _text(data)
        case "document", "base64" if isinstance(data, str) and isinstance(media_type, str):
            uri = AnyUrl("attachment://document")
            blob = types.BlobResourceContents(uri=uri, mimeType=media_type, blob=data)
            return types.EmbeddedResource(type="resource", resource=blob)
    # what MCP has no block for is told as it is
    return _text(json.dumps(block, ensure_ascii=False))


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)
