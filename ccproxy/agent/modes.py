"""What a client sees of the work behind an answer: the setting `claude.sdk_message_mode`.

`forward` shows Claude Code's own tool calls and their results as the blocks that the Messages API has for
tools that run on the server's side (MCP connector, read 2026-11-22), so no client tries to run them.
`formatted` writes them into the text, for people and for formats without such blocks. `ignore` leaves them
out.
"""

import json
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ccproxy.conversation.parts import JsonObject

ModeName = Literal["forward", "formatted", "ignore"]

SERVER = "claude_code"
"""The name of the server that `forward` says the tools are on, and the key of what else it tells."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool that Claude Code runs itself."""

    id: str
    name: str
    input: JsonObject


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it; `content` is a text or content blocks. `permission` says who allowed or denied it."""

    call_id: str
    content: Any
    is_error: bool
    permission: JsonObject | None = None


class Mode(Protocol):
    """Blocks to show, in order, and `about`: fields for the message, given facts about the turn."""

    def call(self, call: Call) -> list[JsonObject]: ...

    def result(self, result: Result) -> list[JsonObject]: ...

    def last(self, facts: JsonObject) -> list[JsonObject]: ...

    def about(self, facts: JsonObject) -> JsonObject: ...


def mode(name: ModeName, pretty: bool) -> Mode:
    """The mode of this name; `pretty` indents what `formatted` writes."""
    match name:
        case "forward":
            return Forward()
        case "formatted":
            return Formatted(pretty)
        case "ignore":
            return Ignore()


class Forward:
    def call(self, call: Call) -> list[JsonObject]:
        named = {"id": call.id, "name": call.name, "server_name": SERVER}
        return [{"type": "mcp_tool_use", **named, "input": call.input}]

    def result(self, result: Result) -> list[JsonObject]:
        content = readable(result.content)
        block: JsonObject = {
            "type": "mcp_tool_result",
            "tool_use_id": result.call_id,
            "is_error": result.is_error,
            "content": content,
        }
        more: JsonObject = {"permission": result.permission} if result.permission else {}
        if content != result.content:
            # the block can hold text alone
            more["content"] = result.content
        return [block | ({SERVER: more} if more else {})]

    def last(self, facts: JsonObject) -> list[JsonObject]:
        return []

    def about(self, facts: JsonObject) -> JsonObject:
        return {SERVER: facts}


class Formatted:
    def __init__(self, pretty: bool) -> None:
        self._pretty = pretty

    def call(self, call: Call) -> list[JsonObject]:
        return [self._tagged("tool_use", {"id": call.id, "name": call.name, "input": call.input})]

    def result(self, result: Result) -> list[JsonObject]:
        said: JsonObject = {"tool_use_id": result.call_id, "is_error": result.is_error}
        return [self._tagged("tool_result", {**said, "content": _one_text(readable(result.content))})]

    def last(self, facts: JsonObject) -> list[JsonObject]:
        return [self._tagged("result", facts)]

    def about(self, facts: JsonObject) -> JsonObject:
        return {}

    def _tagged(self, tag: str, value: JsonObject) -> JsonObject:
        line = "\n" if self._pretty else ""
        written = json.dumps(
            value,
            ensure_ascii=False,
            indent=2 if self._pretty else None,
            separators=None if self._pretty else (",", ":"),
        )
        # in JSON this character stands in strings only: nothing that a tool says can close the tag
        written = written.replace("<", "\\u003c")
        return {"type": "text", "text": f"<{tag}>{line}{written}{line}</{tag}>"}


class Ignore:
    def call(self, call: Call) -> list[JsonObject]:
        return []

    def result(self, result: Result) -> list[JsonObject]:
        return []

    def last(self, facts: JsonObject) -> list[JsonObject]:
        return []

    def about(self, facts: JsonObject) -> JsonObject:
        return {}


def readable(content: Any) -> str | list[JsonObject]:
    """The content of a result as text: a string as it is, blocks as blocks of text in their order."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else [] if content is None else [content]
    return [{"type": "text", "text": _words(block)} for block in blocks]


def _words(block: Any) -> str:
    match block:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": "tool_reference", "tool_name": str(name)}:
            return name
        case {"source": {"type": "text", "data": str(text)}}:
            return text
        case {"type": str(kind), "source": {"data": str(data), **source}}:
            return f"[{kind}: {source.get('media_type')}, {len(data) * 3 // 4} bytes]"
        case {"type": str(kind), "source": {"url": str(url)}}:
            return f"[{kind}: {url}]"
        case str():
            return block
    return json.dumps(block, ensure_ascii=False)


def _one_text(content: str | list[JsonObject]) -> str:
    return content if isinstance(content, str) else "\n".join(block["text"] for block in content)
